/**
 * Rime's `/ws3` for tests, over a real socket or in memory. It refuses what the documents do not have; what it objected
 * to stands in `mistakes`. Sources: `src/provider/rime/wire.ts`. Only `segment=never` is played. Left open by the
 * documents and so an option: whether times come with each chunk or once, and for which languages.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import type { Double, ProviderEntry } from '../double.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from './double.ts'

export const RIME_KEY = 'rime_fake_0123456789'

export interface FakeRimeOptions extends SoundOptions {
  readonly times?: 'once, first' | 'none'
}

const QUERY = [
  'speaker',
  'modelId',
  'audioFormat',
  'samplingRate',
  'segment',
  'lang',
  'speedAlpha',
  'timeScaleFactor',
]
const MODELS = ['coda', 'arcana', 'mistv2', 'mistv3']
const RATES = [8_000, 16_000, 22_050, 24_000, 44_100]
const OPERATIONS = ['flush', 'clear', 'eos']

export class FakeRime implements Double {
  readonly options: Clocked<FakeRimeOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every frame heard, parsed. */
  readonly frames: Record<string, unknown>[] = []
  readonly addresses: URL[] = []

  constructor(options: FakeRimeOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'rime', apiKey: RIME_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    if (fault === 'refuse_auth' || headers['authorization'] !== `Bearer ${RIME_KEY}`) return { status: 401 }
    if (url.pathname !== '/ws3') return { status: 404 }
    const mistake = queryMistake(url.searchParams)
    if (mistake !== undefined) {
      this.mistakes.push(mistake)
      return { status: 400, body: mistake }
    }
    this.addresses.push(url)
    const { searchParams: query } = url
    const format: AudioFormat = {
      encoding: query.get('audioFormat') === 'mulaw' ? 'mulaw' : 'pcm16',
      sampleRateHz: Number(query.get('samplingRate')),
    }
    return (peer) => new Speaking(this, peer, format)
  }
}

function queryMistake(query: URLSearchParams): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY.includes(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  if (!query.get('speaker')) return 'speaker'
  if (!MODELS.includes(query.get('modelId') ?? '')) return 'modelId'
  if (!['pcm', 'mulaw'].includes(query.get('audioFormat') ?? '')) return 'audioFormat'
  if (!RATES.includes(Number(query.get('samplingRate')))) return 'samplingRate'
  if (query.get('segment') !== 'never') return 'this double plays segment=never'
  return /^[a-z]{2,3}$/.test(query.get('lang') ?? 'eng') ? undefined : 'lang'
}

class Speaking implements DoubleTalk {
  readonly #timers: Timers
  #buffer = ''
  /** Flushed while something is spoken: what is held until that has ended. */
  #held = ''
  #busy = false
  #over = false

  constructor(
    private readonly double: FakeRime,
    private readonly peer: DoublePeer,
    private readonly format: AudioFormat,
  ) {
    this.#timers = new Timers(double.options.clock)
  }

  binary(): void {
    this.#refuse('a binary frame')
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  text(json: string): void {
    if (this.#over) return
    let frame: Record<string, unknown>
    try {
      frame = JSON.parse(json)
    } catch {
      return this.#refuse('a frame that is no JSON')
    }
    this.double.frames.push(frame)
    const { operation, text, contextId, ...more } = frame
    if (Object.keys(more).length > 0) return this.#refuse(`unknown field ${Object.keys(more)[0]}`)
    if (contextId !== undefined && typeof contextId !== 'string') return this.#refuse('contextId')
    if (operation !== undefined) return this.#operate(String(operation), text)
    if (typeof text !== 'string' || text === '') return this.#refuse('neither text nor operation')
    this.#buffer += text
  }

  #operate(operation: string, text: unknown): void {
    if (!OPERATIONS.includes(operation) || text !== undefined) return this.#refuse(`operation ${operation}`)
    if (operation === 'clear') {
      this.#buffer = ''
      this.#held = ''
      return
    }
    if (operation === 'eos') return this.peer.close(1000)
    // Two flushes that wait become one utterance.
    if (this.#held !== '') this.double.mistakes.push('two utterances held at once')
    this.#held += this.#buffer
    this.#buffer = ''
    this.#work()
  }

  #work(): void {
    if (this.#busy || this.#held.trim() === '') return
    const text = this.#held
    this.#held = ''
    this.#busy = true
    const { firstAudioMs = 0, everyMs = 10, times } = this.double.options
    const fault = this.double.options.faultOf?.(text, this)?.fault ?? this.double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? this.format.sampleRateHz / 2 : this.format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, this.format, this.double.options, hz)
    const strikesAt = Math.ceil(chunks.length / 2)
    const step = (at: number): void => {
      if (this.#over) return
      if (at === 0 && times === 'once, first' && chunks.length > 0)
        this.#times(text, 0, Number.POSITIVE_INFINITY)
      if (at === strikesAt && this.#misbehave(fault)) return
      const chunk = chunks[at]
      if (!chunk) return this.#finish(fault)
      const data = Buffer.from(chunk.audio)
      // Cut anywhere, inside a sample too.
      for (const part of [data.subarray(0, 1), data.subarray(1)]) {
        this.#send({ type: 'chunk', data: part.toString('base64'), contextId: null })
      }
      const { chunkMs = 100 } = this.double.options
      if (times === undefined) this.#times(text, chunk.startMs, chunk.startMs + chunkMs)
      this.#timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    this.#timers.after(firstAudioMs, () => step(0))
  }

  #finish(fault: TtsFault | undefined): void {
    this.#busy = false
    if (fault === 'no_final') return
    this.#send({ type: 'done', contextId: null })
    this.#work()
  }

  /** Words that begin between two moments, in seconds. */
  #times(text: string, fromMs: number, toMs: number): void {
    const { msPerChar = 50 } = this.double.options
    const words = [...text.trim().matchAll(/\S+/g)]
      .map((found) => ({
        word: found[0],
        start: found.index * msPerChar,
        end: (found.index + found[0].length) * msPerChar,
      }))
      .filter(({ start }) => start >= fromMs && start < toMs)
    if (words.length === 0) return
    const word_timestamps = {
      words: words.map(({ word }) => word),
      start: words.map(({ start }) => start / 1000),
      end: words.map(({ end }) => end / 1000),
    }
    this.#send({ type: 'timestamps', word_timestamps, contextId: null })
  }

  /** True when nothing more of this sentence comes. */
  #misbehave(fault: TtsFault | undefined): boolean {
    switch (fault) {
      case 'drop_mid_stream':
        this.peer.drop()
        return true
      case 'silent_after_ms':
        return true
      case 'close_clean_early':
        this.peer.close(1000, '')
        return true
      case 'malformed_json':
        this.peer.send('{"type":"chunk","data":"SECRET')
        return true
      case 'error_without_context':
        this.peer.close(1011, 'SECRET')
        return true
      case 'error_in_context':
        this.#send({ type: 'error', message: 'SECRET' })
        return true
      default:
        return false
    }
  }

  #refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#send({ type: 'error', message: what })
  }

  #send(message: object): void {
    if (!this.#over) this.peer.send(JSON.stringify(message))
  }
}
