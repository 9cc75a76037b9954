/**
 * Soniox's text to speech WebSocket for tests, over a real socket or in memory. It refuses what the SDK's types do not
 * have; what it objected to stands in `mistakes`. Sources: `src/provider/soniox/voice-wire.ts`.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import type { Double, ProviderEntry } from '../double.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  type SoundChunk,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from './double.ts'

export const SONIOX_VOICES_KEY = 'soniox_fake_0123456789'

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  pcm_s16le: 'pcm16',
  pcm_mulaw: 'mulaw',
  pcm_alaw: 'alaw',
}
const FIELDS = [
  'api_key',
  'model',
  'language',
  'voice',
  'audio_format',
  'sample_rate',
  'bitrate',
  'speed',
  'reduce_silence',
  'return_timestamps',
  'stream_id',
]
const STREAMS = 5

type Frame = Readonly<Record<string, unknown>>

export class FakeSonioxVoices implements Double {
  readonly options: Clocked<SoundOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every frame heard, parsed. */
  readonly frames: Frame[] = []
  readonly addresses: URL[] = []

  constructor(options: SoundOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'soniox', apiKey: SONIOX_VOICES_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    if (url.pathname !== '/tts-websocket') return { status: 404 }
    this.addresses.push(url)
    return (peer) => new Connection(this, peer, fault === 'refuse_auth' ? 'refuses' : 'takes the key')
  }
}

interface Stream {
  readonly config: Frame
  text: string
  over: boolean
}

class Connection implements DoubleTalk {
  readonly #timers: Timers
  readonly #streams = new Map<string, Stream>()
  #over = false

  constructor(
    private readonly double: FakeSonioxVoices,
    private readonly peer: DoublePeer,
    private readonly door: 'refuses' | 'takes the key',
  ) {
    this.#timers = new Timers(double.options.clock)
  }

  binary(): void {
    this.#refuse(undefined, 'a binary frame')
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  text(json: string): void {
    if (this.#over) return
    const frame = JSON.parse(json) as Frame
    this.double.frames.push(frame)
    if (frame['keep_alive'] === true) return
    const id = frame['stream_id']
    if (typeof id !== 'string' || id === '') return this.#refuse(undefined, 'no stream_id')
    const stream = this.#streams.get(id)
    if (frame['cancel'] === true) return void this.#timers.after(20, () => this.#terminate(id))
    if (!stream) return this.#open(id, frame)
    const { text, text_end: end, stream_id: _, ...more } = frame
    if (Object.keys(more).length > 0 || typeof text !== 'string') return this.#refuse(id, 'a text message')
    stream.text += text
    if (end === true) this.#speak(id, stream)
  }

  #open(id: string, frame: Frame): void {
    if (this.door === 'refuses' || frame['api_key'] !== SONIOX_VOICES_KEY) return this.#error(id, 401)
    if (this.#streams.size >= STREAMS) return this.#refuse(id, 'a sixth stream')
    const mistake = configMistake(frame)
    if (mistake !== undefined) return this.#refuse(id, mistake)
    this.#streams.set(id, { config: frame, text: '', over: false })
  }

  #speak(id: string, stream: Stream): void {
    const { firstAudioMs = 0, everyMs = 10, faultOf } = this.double.options
    const { config, text } = stream
    const format: AudioFormat = {
      encoding: ENCODINGS[String(config['audio_format'])]!,
      sampleRateHz: Number(config['sample_rate']),
    }
    const fault = faultOf?.(text, this)?.fault ?? this.double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, format, this.double.options, hz)
    const strikesAt = Math.ceil(chunks.length / 2)
    const step = (at: number): void => {
      if (this.#over || stream.over) return
      if (at === strikesAt && this.#misbehave(id, fault)) return
      const chunk = chunks[at]
      if (!chunk) {
        if (fault === 'no_final') return
        this.#send({ stream_id: id, audio_end: true })
        this.#terminate(id)
        if (fault === 'duplicate_final') this.#send({ stream_id: id, terminated: true })
        return
      }
      const audio = Buffer.from(chunk.audio).toString('base64')
      const times = config['return_timestamps'] === true ? { timestamps: timesOf(chunk) } : {}
      this.#send({ stream_id: id, audio, ...times })
      this.#timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    this.#timers.after(firstAudioMs, () => step(0))
  }

  #terminate(id: string): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    stream.over = true
    this.#streams.delete(id)
    this.#send({ stream_id: id, terminated: true })
  }

  /** True when nothing more of this sentence comes. */
  #misbehave(id: string, fault: TtsFault | undefined): boolean {
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
        this.peer.send('{"stream_id":"SECRET')
        return true
      case 'error_without_context':
        this.#error(undefined, 503)
        return true
      case 'error_in_context':
        this.#error(id, 400)
        return true
      default:
        return false
    }
  }

  #refuse(id: string | undefined, what: string): void {
    this.double.mistakes.push(what)
    this.#error(id, 400)
  }

  #error(id: string | undefined, error_code: number): void {
    const stream = id === undefined ? undefined : this.#streams.get(id)
    if (stream) stream.over = true
    if (id !== undefined) this.#streams.delete(id)
    this.#send({ ...(id !== undefined && { stream_id: id }), error_code, error_message: 'SECRET' })
  }

  #send(message: object): void {
    if (!this.#over) this.peer.send(JSON.stringify(message))
  }
}

function timesOf({ chars }: SoundChunk): object {
  return {
    characters: chars.map(({ char }) => char),
    character_start_times_seconds: chars.map(({ startMs }) => startMs / 1000),
    character_end_times_seconds: chars.map(({ startMs, ms }) => (startMs + ms) / 1000),
  }
}

function configMistake(frame: Frame): string | undefined {
  const unknown = Object.keys(frame).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined) return `unknown field ${unknown}`
  const missing = ['model', 'language', 'voice'].find((field) => typeof frame[field] !== 'string')
  if (missing !== undefined) return missing
  if (!ENCODINGS[String(frame['audio_format'])]) return 'audio_format'
  if (![8_000, 16_000, 24_000, 44_100, 48_000].includes(Number(frame['sample_rate']))) return 'sample_rate'
  const speed = Number(frame['speed'] ?? 1)
  return speed >= 0.7 && speed <= 1.3 ? undefined : 'speed'
}
