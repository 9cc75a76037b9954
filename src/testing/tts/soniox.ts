/**
 * Soniox's text to speech WebSocket for tests, over a real socket or in memory. It refuses what the SDK's types do not
 * have; what it objected to stands in `mistakes`. Sources: `src/provider/soniox/voice-wire.ts`.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import type { SoundChunk, TtsFault } from './double.ts'
import { sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

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

export class FakeSonioxVoices extends SocketVoice {
  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'soniox', apiKey: SONIOX_VOICES_KEY, baseUrl }
  }

  protected upgrade({ url }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    if (url.pathname !== '/tts-websocket') return { status: 404 }
    return (mouth) => new Connection(this, mouth, fault === 'refuse_auth' ? 'refuses' : 'takes the key')
  }
}

interface Stream {
  readonly config: Fields
  text: string
  /** Stops its sound. */
  stop(): void
}

class Connection implements VoiceTalk {
  readonly #streams = new Map<string, Stream>()

  constructor(
    private readonly double: FakeSonioxVoices,
    private readonly mouth: Mouth,
    private readonly door: 'refuses' | 'takes the key',
  ) {}

  heard(frame: Fields): void {
    if (frame['keep_alive'] === true) return
    const id = frame['stream_id']
    if (typeof id !== 'string' || id === '') return this.refuse('no stream_id')
    const stream = this.#streams.get(id)
    if (frame['cancel'] === true) return void this.mouth.after(20, () => this.#terminate(id))
    if (!stream) return this.#open(id, frame)
    const { text, text_end: end, stream_id: _, ...more } = frame
    if (Object.keys(more).length > 0 || typeof text !== 'string') return this.refuse('a text message', id)
    stream.text += text
    if (end === true) this.#speak(id, stream)
  }

  #open(id: string, frame: Fields): void {
    if (this.door === 'refuses' || frame['api_key'] !== SONIOX_VOICES_KEY) return this.#error(id, 401)
    if (this.#streams.size >= STREAMS) return this.refuse('a sixth stream', id)
    const mistake = configMistake(frame)
    if (mistake !== undefined) return this.refuse(mistake, id)
    this.#streams.set(id, { config: frame, text: '', stop() {} })
  }

  #speak(id: string, stream: Stream): void {
    const { mouth } = this
    const { config, text } = stream
    const format: AudioFormat = {
      encoding: ENCODINGS[String(config['audio_format'])]!,
      sampleRateHz: Number(config['sample_rate']),
    }
    const sentence = sentenceOf(this.double, text, format, this)
    stream.stop = mouth.say(sentence, {
      chunk: (chunk) => {
        const audio = Buffer.from(chunk.audio).toString('base64')
        const times = config['return_timestamps'] === true ? { timestamps: timesOf(chunk) } : {}
        mouth.send({ stream_id: id, audio, ...times })
      },
      ends: () => {
        if (sentence.fault === 'no_final') return
        mouth.send({ stream_id: id, audio_end: true })
        this.#terminate(id)
        if (sentence.fault === 'duplicate_final') mouth.send({ stream_id: id, terminated: true })
      },
      strikes: {
        malformed_json: () => mouth.peer.send('{"stream_id":"SECRET'),
        error_without_context: () => this.#error(undefined, 503),
        error_in_context: () => this.#error(id, 400),
      },
    })
  }

  #terminate(id: string): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    stream.stop()
    this.#streams.delete(id)
    this.mouth.send({ stream_id: id, terminated: true })
  }

  refuse(what: string, id?: string): void {
    this.double.mistakes.push(what)
    this.#error(id, 400)
  }

  #error(id: string | undefined, error_code: number): void {
    if (id !== undefined) {
      this.#streams.get(id)?.stop()
      this.#streams.delete(id)
    }
    this.mouth.send({ ...(id !== undefined && { stream_id: id }), error_code, error_message: 'SECRET' })
  }
}

function timesOf({ chars }: SoundChunk): object {
  return {
    characters: chars.map(({ char }) => char),
    character_start_times_seconds: chars.map(({ startMs }) => startMs / 1000),
    character_end_times_seconds: chars.map(({ startMs, ms }) => (startMs + ms) / 1000),
  }
}

function configMistake(frame: Fields): string | undefined {
  const unknown = Object.keys(frame).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined) return `unknown field ${unknown}`
  const missing = ['model', 'language', 'voice'].find((field) => typeof frame[field] !== 'string')
  if (missing !== undefined) return missing
  if (!ENCODINGS[String(frame['audio_format'])]) return 'audio_format'
  if (![8_000, 16_000, 24_000, 44_100, 48_000].includes(Number(frame['sample_rate']))) return 'sample_rate'
  const speed = Number(frame['speed'] ?? 1)
  return speed >= 0.7 && speed <= 1.3 ? undefined : 'speed'
}
