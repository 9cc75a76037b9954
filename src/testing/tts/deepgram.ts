/**
 * Deepgram's voices for tests: v1 `speak` and v2 `speak`, over a real socket or in memory. It refuses what the documents
 * forbid; what it objected to stands in `mistakes`. Sources: `src/provider/deepgram/speak-wire.ts`. Left open by the
 * documents and so an option: whether a flush that was cleared away is answered after all.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
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

export const SPEAK_KEY = 'dg_fake_0123456789'

export interface FakeSpeakOptions extends SoundOptions {
  readonly clearedFlush?: 'answered late'
}

const ENCODINGS: Readonly<Record<string, Encoding>> = { linear16: 'pcm16', mulaw: 'mulaw', alaw: 'alaw' }
const QUERY = {
  v1: ['model', 'encoding', 'sample_rate', 'speed', 'mip_opt_out'],
  v2: ['model', 'encoding', 'sample_rate', 'speed', 'expressivity', 'mip_opt_out', 'tag'],
}
const RATES = {
  v1: [8_000, 16_000, 24_000, 32_000, 48_000],
  v2: [8_000, 16_000, 24_000, 32_000, 44_100, 48_000],
}
const MESSAGES = {
  v1: ['Speak', 'Flush', 'Clear', 'Close'],
  v2: ['Speak', 'Flush', 'Interrupt', 'Configure', 'Close'],
}
/** From `Cleared` to the answers of what was cleared away. */
const LATE_MS = 50
const TEXT_CHARACTERS = 2_000
const FLUSHES = { most: 20, withinMs: 60_000 }

type Version = 'v1' | 'v2'

export class FakeSpeak implements Double {
  readonly options: Clocked<FakeSpeakOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every frame heard, parsed. */
  readonly frames: Record<string, unknown>[] = []
  readonly addresses: URL[] = []
  #listeners: (() => void)[] = []

  constructor(options: FakeSpeakOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'deepgram', apiKey: SPEAK_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    if (fault === 'refuse_auth' || headers['authorization'] !== `Token ${SPEAK_KEY}`) return { status: 401 }
    const version = /^\/(v[12])\/speak$/.exec(url.pathname)?.[1] as Version | undefined
    if (!version) return { status: 404 }
    const mistake = queryMistake(url.searchParams, version)
    if (mistake !== undefined) {
      this.mistakes.push(mistake)
      return { status: 400, body: JSON.stringify({ err_code: 'INVALID_QUERY_PARAMETER', err_msg: mistake }) }
    }
    this.addresses.push(url)
    const { searchParams: query } = url
    const format = {
      encoding: ENCODINGS[query.get('encoding')!]!,
      sampleRateHz: Number(query.get('sample_rate')),
    }
    return (peer) => new Speaking(this, peer, version, format)
  }

  /** Resolves once a frame of that type was heard. */
  async heard(type: string): Promise<void> {
    while (!this.frames.some((frame) => frame['type'] === type)) {
      await new Promise<void>((resolve) => this.#listeners.push(resolve))
    }
  }

  took(frame: Record<string, unknown>): void {
    this.frames.push(frame)
    for (const listener of this.#listeners.splice(0)) listener()
  }
}

function queryMistake(query: URLSearchParams, version: Version): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY[version].includes(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  const family = version === 'v1' ? /^aura(-2)?-[a-z]+-[a-z]{2}$/ : /^flux-[a-z]+-[a-z]{2}$/
  if (!family.test(query.get('model') ?? '')) return 'model'
  const encoding = ENCODINGS[query.get('encoding') ?? '']
  const hz = Number(query.get('sample_rate'))
  if (!encoding) return 'encoding'
  if (!(encoding === 'pcm16' ? RATES[version] : [8_000, 16_000]).includes(hz)) return 'sample_rate'
  const speed = query.get('speed')
  if (speed === null) return undefined
  const [least, step] = version === 'v1' ? [0.7, 0] : [0.5, 0.05]
  const pace = Number(speed)
  if (!(pace >= least && pace <= 1.5)) return 'SPEED_OUT_OF_RANGE'
  return step > 0 && Math.abs(pace / step - Math.round(pace / step)) > 1e-9
    ? 'SPEED_INCREMENT_INVALID'
    : undefined
}

class Speaking implements DoubleTalk {
  readonly #timers: Timers
  #text = ''
  #queue: { readonly text: string; readonly id: number }[] = []
  #busy = false
  #cut = 0
  #flushes = 0
  #clears = 0
  #flushedAt: number[] = []
  #over = false

  constructor(
    private readonly double: FakeSpeak,
    private readonly peer: DoublePeer,
    private readonly version: Version,
    private readonly format: AudioFormat,
  ) {
    this.#timers = new Timers(double.options.clock)
    const names = { model_name: 'a', model_version: '2026.1', request_id: 'r' }
    if (version === 'v1') this.#send({ type: 'Metadata', ...names, model_uuid: 'u' })
    else this.#send({ type: 'Connected', ...names, model_uuids: ['u'] })
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
    this.double.took(frame)
    const { type, ...rest } = frame
    if (!MESSAGES[this.version].includes(String(type))) return this.#refuse(`a message ${type}`)
    if (type === 'Speak') return this.#speak(rest)
    if (type === 'Flush') return this.#flush()
    if (type === 'Clear') return this.#clear()
    if (type === 'Close') this.peer.close(1000)
  }

  #speak({ text, ...more }: Record<string, unknown>): void {
    if (Object.keys(more).length > 0) return this.#refuse('a Speak with more than its text')
    if (typeof text !== 'string' || text.length > TEXT_CHARACTERS) return this.#refuse('a Speak without text')
    this.#text += text
  }

  #flush(): void {
    const { clock } = this.double.options
    const since = clock.now() - FLUSHES.withinMs
    this.#flushedAt = this.#flushedAt.filter((at) => at > since)
    if (this.version === 'v1' && this.#flushedAt.length >= FLUSHES.most) {
      this.double.mistakes.push('a flush too many')
      return this.#send({ type: 'Warning', code: 'FLUSH', description: 'SECRET' })
    }
    this.#flushedAt.push(clock.now())
    this.#queue.push({ text: this.#text, id: this.#flushes++ })
    if (this.version === 'v2') this.#send({ type: 'Flushed', speech_id: speechId(this.#flushes - 1) })
    this.#text = ''
    this.#work()
  }

  #clear(): void {
    this.#text = ''
    const cleared = this.#queue.splice(0)
    this.#busy = false
    this.#cut++
    // It takes a moment, in which the last sound may come.
    this.#timers.after(20, () => {
      if (cleared.length > 0) this.peer.send(new Uint8Array(640).fill(255))
      this.#send({ type: 'Cleared', sequence_id: this.#clears++ })
      if (this.double.options.clearedFlush === 'answered late') {
        this.#timers.after(LATE_MS, () => {
          for (const { id } of cleared) this.#send({ type: 'Flushed', sequence_id: id })
        })
      }
    })
  }

  #work(): void {
    const next = this.#queue[0]
    if (!next || this.#busy) return
    this.#busy = true
    const { firstAudioMs = 0, everyMs = 10 } = this.double.options
    const fault = this.double.options.faultOf?.(next.text, this)?.fault ?? this.double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? this.format.sampleRateHz / 2 : this.format.sampleRateHz
    const all = soundOf(next.text, this.format, this.double.options, hz)
    const chunks = fault === 'no_sound' ? [] : all
    const strikesAt = Math.ceil(chunks.length / 2)
    const cut = this.#cut
    const step = (at: number): void => {
      if (this.#over || this.#cut !== cut) return
      if (at === strikesAt && this.#misbehave(fault)) return
      const chunk = chunks[at]
      if (!chunk) return this.#finish(next.id, fault, next.text)
      this.peer.send(chunk.audio)
      this.#timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    if (this.version === 'v2') this.#send({ type: 'SpeechStarted', speech_id: speechId(next.id) })
    this.#timers.after(firstAudioMs, () => step(0))
  }

  #finish(id: number, fault: TtsFault | undefined, text: string): void {
    this.#queue.shift()
    this.#busy = false
    if (fault === 'no_final') return
    const count = text.length
    const done =
      this.version === 'v1'
        ? { type: 'Flushed', sequence_id: id }
        : {
            type: 'SpeechMetadata',
            speech_id: speechId(id),
            audio_duration_ms: text.trim().length * (this.double.options.msPerChar ?? 50),
            input_character_count: count,
            billable_character_count: count,
            controls_applied: { pronunciations_applied: 0, breaks_applied: 0, pronunciation_warnings: 0 },
          }
    this.#send(done)
    if (fault === 'duplicate_final') this.#send(done)
    this.#work()
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
        this.peer.send('{"type":"Flushed","sequence_id":SECRET')
        return true
      case 'error_without_context':
      case 'refuse_in_context':
        return this.#fail('NET-0000', 1011)
      case 'error_in_context':
        return this.#fail('DATA-0000', 1008)
      default:
        return false
    }
  }

  #fail(code: string, close: number): true {
    if (this.version === 'v2') this.#send({ type: 'Error', code, description: 'SECRET' })
    else this.peer.close(close, `${code} SECRET`)
    return true
  }

  #refuse(what: string): void {
    this.double.mistakes.push(what)
    this.peer.close(1008, 'DATA-0000')
  }

  #send(message: object): void {
    if (!this.#over) this.peer.send(JSON.stringify(message))
  }
}

function speechId(id: number): string {
  return `dg_sp_${id.toString(16).padStart(12, '0')}`
}
