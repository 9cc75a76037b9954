/**
 * Hume's `/v0/tts/stream/input` for tests, over a real socket or in memory. It refuses what the SDK's types do not have;
 * what it objected to stands in `mistakes`. Sources: `src/provider/hume/wire.ts`. Left open by them and so options: from
 * where times count, and whether a sentence comes back in one snippet.
 */
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

export const HUME_KEY = 'hume_fake_0123456789'

export interface FakeHumeOptions extends SoundOptions {
  /** From where times count. Left out: from the sentence's own sound. */
  readonly times?: 'from the connection' | 'from the snippet' | 'none'
  /** Left out: one for each text. */
  readonly snippets?: 'two a text'
}

const QUERY: Readonly<Record<string, RegExp>> = {
  format_type: /^pcm$/,
  instant_mode: /^(true|false)$/,
  no_binary: /^true$/,
  strip_headers: /^(true|false)$/,
  version: /^[12]$/,
  include_timestamp_types: /^word$/,
  context_generation_id: /./,
  api_key: /./,
  access_token: /./,
  // The SDK says who it is.
  fernSdkLanguage: /./,
  fernSdkVersion: /./,
}
const FIELDS = ['text', 'voice', 'description', 'speed', 'trailing_silence', 'flush', 'close']
const FORMAT = { encoding: 'pcm16', sampleRateHz: 48_000 } as const

export class FakeHume implements Double {
  readonly options: Clocked<FakeHumeOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every message heard, parsed. */
  readonly frames: Record<string, unknown>[] = []
  readonly addresses: URL[] = []

  constructor(options: FakeHumeOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'hume', apiKey: HUME_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' } }
    const key = headers['x-hume-api-key'] ?? url.searchParams.get('api_key')
    if (fault === 'refuse_auth' || key !== HUME_KEY) return { status: 401 }
    if (url.pathname !== '/v0/tts/stream/input') return { status: 404 }
    const wrong = [...url.searchParams].find(([name, value]) => !QUERY[name]?.test(value))
    if (wrong) {
      this.mistakes.push(wrong[0])
      return { status: 400, body: wrong[0] }
    }
    this.addresses.push(url)
    return (peer) => new Speaking(this, peer, url.searchParams.get('include_timestamp_types') !== null)
  }
}

class Speaking implements DoubleTalk {
  readonly #timers: Timers
  readonly #texts: string[] = []
  #buffer = ''
  #voice: unknown
  #busy = false
  #closing = false
  #over = false
  #snippet = 0
  #spokenMs = 0

  constructor(
    private readonly double: FakeHume,
    private readonly peer: DoublePeer,
    private readonly timed: boolean,
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
    const unknown = Object.keys(frame).find((name) => !FIELDS.includes(name))
    if (unknown !== undefined) return this.#refuse(`unknown field ${unknown}`)
    const { text, voice, speed, flush, close } = frame
    if (voice !== undefined) this.#voice = voice
    if (voice !== undefined && !isVoice(voice)) return this.#refuse('voice')
    if (speed !== undefined && (typeof speed !== 'number' || speed <= 0)) return this.#refuse('speed')
    if (text !== undefined && typeof text !== 'string') return this.#refuse('text')
    if (text !== undefined && this.#voice === undefined) return this.#refuse('instant mode wants a voice')
    this.#buffer += text ?? ''
    if ((flush === true || close === true) && this.#buffer.trim() !== '') {
      this.#texts.push(this.#buffer)
      this.#buffer = ''
    }
    if (close === true) this.#closing = true
    this.#work()
  }

  #work(): void {
    if (this.#busy || this.#over) return
    const text = this.#texts.shift()
    if (text !== undefined) return this.#speak(text)
    if (this.#closing) this.peer.close(1000)
  }

  #speak(text: string): void {
    this.#busy = true
    const { firstAudioMs = 0, everyMs = 10, times, snippets } = this.double.options
    const fault = this.double.options.faultOf?.(text, this)?.fault ?? this.double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? FORMAT.sampleRateHz / 2 : FORMAT.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, FORMAT, this.double.options, hz)
    const { msPerChar = 50, chunkMs = 100 } = this.double.options
    const words = [...text.matchAll(/\S+/g)].map((found) => ({
      text: found[0],
      startMs: found.index * msPerChar,
      endMs: (found.index + found[0].length) * msPerChar,
    }))
    const strikesAt = Math.ceil(chunks.length / 2)
    // A snippet ends between words; its sound need not.
    const cutAt = snippets ? Math.ceil(words.length / 2) : words.length
    const cutMs = words[cutAt]?.startMs ?? Number.POSITIVE_INFINITY
    const parts = [words.slice(0, cutAt), words.slice(cutAt)].filter((part) => part.length > 0)
    const said = parts.map((part) => part.map((word) => word.text).join(' '))
    const first = this.#snippet
    this.#snippet += parts.length
    const partOf = (ms: number) => (ms >= cutMs ? 1 : 0)
    const step = (at: number): void => {
      if (this.#over) return
      if (at === strikesAt && this.#misbehave(fault)) return
      const chunk = chunks[at]
      if (!chunk) {
        if (chunks.length === 0 && fault !== 'no_final') {
          this.#audio(first, said.join(' '), new Uint8Array(), at, 'last')
        }
        return this.#finish(text, fault)
      }
      const part = partOf(chunk.startMs)
      const next = chunks[at + 1]
      const isLast = !next || partOf(next.startMs) !== part
      for (const word of words) {
        const due = Math.max(word.startMs, part === 1 ? cutMs : 0)
        if (!this.timed || times === 'none' || partOf(word.startMs) !== part) continue
        const begins = part === 1 ? Math.ceil(cutMs / chunkMs) * chunkMs : 0
        const told = Math.max(begins, Math.floor(due / chunkMs) * chunkMs)
        if (told !== chunk.startMs) continue
        const from = times === 'from the connection' ? this.#spokenMs : 0
        const shift = times === 'from the snippet' && part === 1 ? -cutMs : from
        this.#send({
          type: 'timestamp',
          generation_id: 'g',
          request_id: 'r',
          snippet_id: `s${first + part}`,
          timestamp: {
            type: 'word',
            text: word.text,
            time: { begin: word.startMs + shift, end: word.endMs + shift },
          },
        })
      }
      const ends = isLast && !(fault === 'no_final' && !next) ? 'last' : 'more'
      const data = Buffer.from(chunk.audio)
      // Cut inside a sample.
      this.#audio(first + part, said[part]!, data.subarray(0, 1), at * 2, 'more')
      this.#audio(first + part, said[part]!, data.subarray(1), at * 2 + 1, ends)
      if (fault === 'duplicate_final' && ends === 'last') {
        this.#audio(first + part, said[part]!, new Uint8Array(), at * 2 + 2, ends)
      }
      this.#timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    this.#timers.after(firstAudioMs, () => step(0))
  }

  #finish(text: string, fault: TtsFault | undefined): void {
    const { msPerChar = 50 } = this.double.options
    this.#spokenMs += text.trim().length * msPerChar
    this.#busy = false
    if (fault !== 'no_final') this.#work()
  }

  #audio(snippet: number, text: string, audio: Uint8Array, chunk: number, ends: 'last' | 'more'): void {
    this.#send({
      type: 'audio',
      audio: Buffer.from(audio).toString('base64'),
      audio_format: 'pcm',
      chunk_index: chunk,
      generation_id: 'g',
      is_last_chunk: ends === 'last',
      request_id: 'r',
      snippet_id: `s${snippet}`,
      text,
      utterance_index: 0,
    })
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
        this.peer.send('{"type":"audio","audio":"SECRET')
        return true
      case 'error_without_context':
        this.peer.close(1011, 'SECRET')
        return true
      case 'error_in_context':
        this.#send({ type: 'error', code: 'E0000', slug: 'SECRET', message: 'SECRET' })
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

function isVoice(voice: unknown): boolean {
  const { id, name, provider, ...more } = (voice ?? {}) as Record<string, unknown>
  if (Object.keys(more).length > 0 || (id === undefined) === (name === undefined)) return false
  return (
    typeof (id ?? name) === 'string' && ['HUME_AI', 'CUSTOM_VOICE', undefined].includes(provider as string)
  )
}
