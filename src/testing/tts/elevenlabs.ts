/**
 * ElevenLabs' `multi-stream-input` for tests, over a real socket or in memory. It refuses what the real one refuses
 * and whatever the documents forbid; what it objected to stands in `mistakes`. Sources: PROVIDERS rows of
 * `src/provider/elevenlabs/wire.ts`; that `close_context` after `flush` gives all sound and one `isFinal`, that five
 * contexts include those being closed, that settings must be the same in every context, and that `close_socket` acts
 * only without contexts, from the issues quoted there.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer } from '../carrier/sockets.ts'
import type { Double, ProviderEntry } from '../double.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  KEEP_ALIVE_MS,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from './double.ts'
import { settingsMistakes, unknownFields } from './elevenlabs-mistakes.ts'

export const ELEVENLABS_KEY = 'el-fake-0123456789'

const CONTEXTS = 5
const FORMATS: Readonly<Record<string, AudioFormat>> = {
  pcm_8000: { encoding: 'pcm16', sampleRateHz: 8_000 },
  pcm_16000: { encoding: 'pcm16', sampleRateHz: 16_000 },
  pcm_22050: { encoding: 'pcm16', sampleRateHz: 22_050 },
  pcm_24000: { encoding: 'pcm16', sampleRateHz: 24_000 },
  ulaw_8000: { encoding: 'mulaw', sampleRateHz: 8_000 },
  alaw_8000: { encoding: 'alaw', sampleRateHz: 8_000 },
}

export class FakeElevenLabs implements Double {
  readonly options: Clocked<SoundOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every frame heard, parsed. */
  readonly frames: Record<string, unknown>[] = []
  readonly addresses: URL[] = []
  /** Contexts counted at once, at most, over all connections. */
  mostContexts = 0

  constructor(options: SoundOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'elevenlabs', apiKey: ELEVENLABS_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    const voice = /^\/v1\/text-to-speech\/([^/]+)\/multi-stream-input$/.exec(url.pathname)?.[1]
    if (voice === undefined) return { status: 404 }
    if (fault === 'refuse_auth' || headers['xi-api-key'] !== ELEVENLABS_KEY) {
      return { status: 401, body: '{"detail":{"status":"invalid_api_key"}}' }
    }
    const format = FORMATS[url.searchParams.get('output_format') ?? '']
    if (!format || !url.searchParams.get('model_id')) return { status: 400 }
    this.addresses.push(url)
    return (peer) => new Connection(this, peer, format, url)
  }
}

interface Context {
  readonly id: string
  text: string
  state: 'open' | 'closing'
  /** Flushed texts not yet spoken to their end. */
  speaking: number
  inactivity: Timer | undefined
}

class Connection {
  readonly #double: FakeElevenLabs
  readonly #peer: DoublePeer
  readonly #format: AudioFormat
  readonly #timers: Timers
  readonly #timeoutMs: number
  readonly #contexts = new Map<string, Context>()
  #settings: string | undefined
  #idle: Timer | undefined
  #over = false

  constructor(double: FakeElevenLabs, peer: DoublePeer, format: AudioFormat, url: URL) {
    this.#double = double
    this.#peer = peer
    this.#format = format
    this.#timers = new Timers(double.options.clock)
    this.#timeoutMs = Math.min(180, Number(url.searchParams.get('inactivity_timeout') ?? 20)) * 1000
    this.#touch()
  }

  binary(): void {
    this.#refuse('a binary frame')
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  text(text: string): void {
    if (this.#over) return
    let frame: Record<string, unknown>
    try {
      frame = JSON.parse(text)
    } catch {
      return this.#refuse('a frame that is no JSON')
    }
    this.#double.frames.push(frame)
    this.#touch()
    const unknown = unknownFields(frame)
    if (unknown.length > 0) return this.#refuse(`unknown fields ${unknown.join(', ')}`)
    if (frame['close_socket'] === true) return this.#closeSocket()
    const id = frame['context_id']
    if (typeof id !== 'string') return this.#refuse('no context_id: the default context would be opened')
    const context = this.#contexts.get(id)
    if (frame['close_context'] === true) return context && this.#close(context)
    if (typeof frame['text'] !== 'string') return this.#refuse('text is no string')
    if (!context) return this.#open(id, frame)
    this.#say(context, frame)
  }

  #open(id: string, frame: Record<string, unknown>): void {
    if (frame['text'] !== ' ') return this.#refuse(`the first text of context ${id} is not one space`)
    const settings = JSON.stringify(frame['voice_settings'] ?? null)
    const wrong = settingsMistakes(frame['voice_settings'])
    if (wrong) return this.#refuse(wrong)
    this.#settings ??= settings
    if (settings !== this.#settings)
      return this.#refuse('voice_settings can only be set in the first message')
    if (this.#contexts.size >= CONTEXTS) {
      this.#double.mistakes.push('a sixth context')
      return this.#fail('max_active_conversations')
    }
    const context: Context = { id, text: '', state: 'open', speaking: 0, inactivity: undefined }
    this.#contexts.set(id, context)
    this.#double.mostContexts = Math.max(this.#double.mostContexts, this.#contexts.size)
    this.#await(context)
  }

  #say(context: Context, frame: Record<string, unknown>): void {
    const text = frame['text'] as string
    if (context.state === 'closing') return this.#refuse(`text for context ${context.id}, which was closed`)
    if (frame['voice_settings'] !== undefined) return this.#refuse('voice_settings after the first message')
    if (text !== '' && !text.endsWith(' ')) return this.#refuse('a text that does not end with a space')
    context.text += text
    this.#await(context)
    if (frame['flush'] !== true || context.text.trim() === '') return
    const flushed = context.text
    context.text = ''
    context.speaking++
    this.#speak(context, flushed)
  }

  /** A context without text for its time-out dies without a word. */
  #await(context: Context): void {
    context.inactivity?.cancel()
    context.inactivity = this.#timers.after(this.#timeoutMs, () => {
      if (context.speaking === 0) this.#contexts.delete(context.id)
    })
  }

  #close(context: Context): void {
    if (context.state === 'closing') return
    context.state = 'closing'
    // What was not flushed is not spoken.
    context.text = ''
    if (context.speaking === 0) this.#final(context)
  }

  #final(context: Context, fault?: TtsFault): void {
    if (fault === 'no_final') return
    context.inactivity?.cancel()
    this.#contexts.delete(context.id)
    this.#send({ isFinal: true, contextId: context.id })
    if (fault === 'duplicate_final') this.#send({ isFinal: true, contextId: context.id })
  }

  #speak(context: Context, text: string): void {
    const { firstAudioMs = 0, everyMs = 10 } = this.#double.options
    const planned = this.#double.options.faultOf?.(text, this)
    const fault = planned?.fault ?? this.#double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? this.#format.sampleRateHz / 2 : this.#format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, this.#format, this.#double.options, hz)
    const strikesAt = planned?.at === 'start' ? 0 : Math.ceil(chunks.length / 2)
    let waited = planned?.waitMs === undefined
    const step = (at: number): void => {
      if (this.#over) return
      if (at === strikesAt && !waited) {
        waited = true
        return void this.#timers.after(planned?.waitMs ?? 0, () => step(at))
      }
      if (at === strikesAt && this.#misbehave(context, fault)) return
      const chunk = chunks[at]
      if (!chunk) {
        context.speaking--
        if (context.state === 'closing' && context.speaking === 0) this.#final(context, fault)
        return
      }
      const alignment = {
        chars: chunk.chars.map(({ char }) => char),
        // From the beginning of this chunk, whatever came before.
        charStartTimesMs: chunk.chars.map(({ startMs }) => startMs - chunk.startMs),
        charDurationsMs: chunk.chars.map(({ ms }) => ms),
      }
      const audio = Buffer.from(chunk.audio).toString('base64')
      this.#send({ audio, alignment, normalizedAlignment: alignment, contextId: context.id })
      const drips = fault === 'slow_drip' && at >= (planned ? strikesAt : 0)
      this.#timers.after(drips ? (planned?.dripMs ?? DRIP_MS) : everyMs, () => step(at + 1))
    }
    this.#timers.after(firstAudioMs, () => step(0))
  }

  /** True when nothing more of this sentence comes. */
  #misbehave(context: Context, fault: TtsFault | undefined): boolean {
    switch (fault) {
      case 'drop_mid_stream':
        this.#peer.drop()
        return true
      case 'silent_after_ms':
        return true
      case 'close_clean_early':
        this.#peer.close(1000, '')
        return true
      case 'malformed_json':
        this.#peer.send('{"audio":"SECRET')
        return true
      case 'error_without_context':
        this.#fail('internal_error')
        return true
      case 'error_in_context':
        this.#contexts.delete(context.id)
        this.#send({ error: 'input_error', message: 'SECRET-IN-MESSAGE', code: 1008, contextId: context.id })
        return true
      case 'refuse_in_context':
      case 'rate_in_context': {
        this.#contexts.delete(context.id)
        const error = fault === 'rate_in_context' ? 'rate_limit_exceeded' : 'internal_error'
        this.#send({ error, message: 'SECRET-IN-MESSAGE', code: 1011, contextId: context.id })
        return true
      }
      case 'keep_alives_only':
        this.#keepAlive(context)
        return true
      default:
        return false
    }
  }

  #keepAlive(context: Context): void {
    if (this.#over) return
    this.#send({ audio: null, alignment: null, contextId: context.id })
    this.#timers.after(KEEP_ALIVE_MS, () => this.#keepAlive(context))
  }

  #touch(): void {
    this.#idle?.cancel()
    this.#idle = this.#timers.after(this.#timeoutMs, () => {
      if (this.#contexts.size === 0) this.#peer.close(1008, 'input_timeout_exceeded')
    })
  }

  #closeSocket(): void {
    if (this.#contexts.size === 0) this.#peer.close(1000)
  }

  #refuse(what: string): void {
    if (this.#over) return
    this.#double.mistakes.push(what)
    this.#fail('invalid_request')
  }

  #fail(error: string): void {
    this.#send({ error, message: 'SECRET-IN-MESSAGE', code: 1008 })
    this.#peer.close(1008, 'refused')
  }

  #send(message: object): void {
    if (!this.#over) this.#peer.send(JSON.stringify(message))
  }
}
