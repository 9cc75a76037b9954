/**
 * ElevenLabs' `multi-stream-input` for tests, over a real socket or in memory. It refuses what the real one refuses
 * and whatever the documents forbid; what it objected to stands in `mistakes`. Sources: PROVIDERS rows of
 * `src/provider/elevenlabs/wire.ts`; that `close_context` after `flush` gives all sound and one `isFinal`, that five
 * contexts include those being closed, that settings must be the same in every context, and that `close_socket` acts
 * only without contexts, from the issues quoted there.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { KEEP_ALIVE_MS, type TtsFault } from './double.ts'
import { settingsMistakes, unknownFields } from './elevenlabs-mistakes.ts'
import { type Strikes, sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

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

export class FakeElevenLabs extends SocketVoice {
  /** Contexts counted at once, at most, over all connections. */
  mostContexts = 0

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'elevenlabs', apiKey: ELEVENLABS_KEY, baseUrl }
  }

  protected upgrade({ url, headers }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    const voice = /^\/v1\/text-to-speech\/([^/]+)\/multi-stream-input$/.exec(url.pathname)?.[1]
    if (voice === undefined) return { status: 404 }
    if (fault === 'refuse_auth' || headers['xi-api-key'] !== ELEVENLABS_KEY) {
      return { status: 401, body: '{"detail":{"status":"invalid_api_key"}}' }
    }
    const format = FORMATS[url.searchParams.get('output_format') ?? '']
    if (!format || !url.searchParams.get('model_id')) return { status: 400 }
    return (mouth) => new Connection(this, mouth, format, url)
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

class Connection implements VoiceTalk {
  readonly #timeoutMs: number
  readonly #contexts = new Map<string, Context>()
  #settings: string | undefined
  #idle: Timer | undefined

  constructor(
    private readonly double: FakeElevenLabs,
    private readonly mouth: Mouth,
    private readonly format: AudioFormat,
    url: URL,
  ) {
    this.#timeoutMs = Math.min(180, Number(url.searchParams.get('inactivity_timeout') ?? 20)) * 1000
    this.#touch()
  }

  heard(frame: Fields): void {
    this.#touch()
    const unknown = unknownFields(frame)
    if (unknown.length > 0) return this.refuse(`unknown fields ${unknown.join(', ')}`)
    if (frame['close_socket'] === true) return this.#closeSocket()
    const id = frame['context_id']
    if (typeof id !== 'string') return this.refuse('no context_id: the default context would be opened')
    const context = this.#contexts.get(id)
    if (frame['close_context'] === true) return context && this.#close(context)
    if (typeof frame['text'] !== 'string') return this.refuse('text is no string')
    if (!context) return this.#open(id, frame)
    this.#say(context, frame)
  }

  #open(id: string, frame: Fields): void {
    if (frame['text'] !== ' ') return this.refuse(`the first text of context ${id} is not one space`)
    const settings = JSON.stringify(frame['voice_settings'] ?? null)
    const wrong = settingsMistakes(frame['voice_settings'])
    if (wrong) return this.refuse(wrong)
    this.#settings ??= settings
    if (settings !== this.#settings) return this.refuse('voice_settings can only be set in the first message')
    if (this.#contexts.size >= CONTEXTS) {
      this.double.mistakes.push('a sixth context')
      return this.#fail('max_active_conversations')
    }
    const context: Context = { id, text: '', state: 'open', speaking: 0, inactivity: undefined }
    this.#contexts.set(id, context)
    this.double.mostContexts = Math.max(this.double.mostContexts, this.#contexts.size)
    this.#await(context)
  }

  #say(context: Context, frame: Fields): void {
    const text = frame['text'] as string
    if (context.state === 'closing') return this.refuse(`text for context ${context.id}, which was closed`)
    if (frame['voice_settings'] !== undefined) return this.refuse('voice_settings after the first message')
    if (text !== '' && !text.endsWith(' ')) return this.refuse('a text that does not end with a space')
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
    context.inactivity = this.mouth.after(this.#timeoutMs, () => {
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
    this.mouth.send({ isFinal: true, contextId: context.id })
    if (fault === 'duplicate_final') this.mouth.send({ isFinal: true, contextId: context.id })
  }

  #speak(context: Context, text: string): void {
    const { mouth } = this
    const sentence = sentenceOf(this.double, text, this.format, this)
    mouth.say(sentence, {
      chunk: (chunk) => {
        const alignment = {
          chars: chunk.chars.map(({ char }) => char),
          // From the beginning of this chunk, whatever came before.
          charStartTimesMs: chunk.chars.map(({ startMs }) => startMs - chunk.startMs),
          charDurationsMs: chunk.chars.map(({ ms }) => ms),
        }
        const audio = Buffer.from(chunk.audio).toString('base64')
        mouth.send({ audio, alignment, normalizedAlignment: alignment, contextId: context.id })
      },
      ends: () => {
        context.speaking--
        if (context.state === 'closing' && context.speaking === 0) this.#final(context, sentence.fault)
      },
      strikes: this.#strikes(context),
    })
  }

  #strikes(context: Context): Strikes {
    const fail = (error: string, code: number) => () => {
      this.#contexts.delete(context.id)
      this.mouth.send({ error, message: 'SECRET-IN-MESSAGE', code, contextId: context.id })
    }
    return {
      malformed_json: () => this.mouth.peer.send('{"audio":"SECRET'),
      error_without_context: () => this.#fail('internal_error'),
      error_in_context: fail('input_error', 1008),
      refuse_in_context: fail('internal_error', 1011),
      rate_in_context: fail('rate_limit_exceeded', 1011),
      keep_alives_only: () => this.#keepAlive(context),
    }
  }

  #keepAlive(context: Context): void {
    this.mouth.send({ audio: null, alignment: null, contextId: context.id })
    this.mouth.after(KEEP_ALIVE_MS, () => this.#keepAlive(context))
  }

  #touch(): void {
    this.#idle?.cancel()
    this.#idle = this.mouth.after(this.#timeoutMs, () => {
      if (this.#contexts.size === 0) this.mouth.peer.close(1008, 'input_timeout_exceeded')
    })
  }

  #closeSocket(): void {
    if (this.#contexts.size === 0) this.mouth.peer.close(1000)
  }

  refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#fail('invalid_request')
  }

  #fail(error: string): void {
    this.mouth.send({ error, message: 'SECRET-IN-MESSAGE', code: 1008 })
    this.mouth.peer.close(1008, 'refused')
  }
}
