/**
 * A double of Azure's voices: the WebSocket that Microsoft's own SDK opens, in its frames. It refuses SSML that is none, a format it
 * does not have, and a wrong key. Sources: `src/provider/azure-speech/wire.ts`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import {
  BAD_REQUEST,
  BROKEN,
  type Frame,
  FramedTalk,
  soundFrame,
  TICKS_PER_MS,
} from '../carrier/azure-frames.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { Timers, wordsOf } from './double.ts'
import { say, sentenceOf } from './sentence.ts'
import { readSsml } from './ssml.ts'
import { VoiceDouble } from './voice-double.ts'

export const AZURE_VOICES_KEY = 'azure-fake-0123456789'

const OUTPUT = /^raw-(\d+)khz-(8bit-mono-mulaw|8bit-mono-alaw|16bit-mono-pcm)$/
const STREAM = 'S'

export class FakeAzureVoices extends VoiceDouble {
  /** Every document heard. */
  readonly ssml: string[] = []
  readonly addresses: URL[] = []

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'azure-speech', apiKey: AZURE_VOICES_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' } }
    if (url.pathname !== '/tts/cognitiveservices/websocket/v1') return { status: 404 }
    if (fault === 'refuse_auth' || headers['ocp-apim-subscription-key'] !== AZURE_VOICES_KEY) {
      return { status: 401 }
    }
    this.addresses.push(url)
    return (peer) => new Connection(this, peer)
  }
}

class Connection extends FramedTalk {
  readonly #timers: Timers
  #format: AudioFormat | undefined
  #over = false

  constructor(
    private readonly double: FakeAzureVoices,
    peer: DoublePeer,
  ) {
    super(peer)
    this.#timers = new Timers(double.options.clock)
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  protected frame(frame: Frame): void {
    if (this.#over) return
    const { path } = frame
    if (path === 'speech.config') return void this.parsed(frame)
    if (path === 'synthesis.context') return this.#ask(frame)
    if (path !== 'ssml' || !this.#format) return this.refuse(`path ${path}`)
    this.#speak(frame, this.#format)
  }

  #ask(frame: Frame): void {
    const { synthesis } = this.parsed(frame) as {
      readonly synthesis?: { readonly audio?: { readonly outputFormat?: unknown } }
    }
    const [, khz, kind] = OUTPUT.exec(String(synthesis?.audio?.outputFormat)) ?? []
    if (!khz || !kind) return this.refuse('outputFormat')
    const encoding = kind.endsWith('mulaw') ? 'mulaw' : kind.endsWith('alaw') ? 'alaw' : 'pcm16'
    this.#format = { encoding, sampleRateHz: Number(khz) * 1000 }
  }

  #speak({ request, body }: Frame, format: AudioFormat): void {
    const { double } = this
    double.ssml.push(body.toString())
    const asked = readSsml(body.toString())
    if (typeof asked === 'string') return this.refuse(`ssml: ${asked}`)
    const { text } = asked
    this.request = request
    this.tell('turn.start', { context: { serviceTag: 'tag' } })
    this.tell('response', { context: { serviceTag: 'tag' }, audio: { type: 'inline', streamId: STREAM } })
    let isFirst = true
    const sentence = sentenceOf(double, text, format, this)
    say(sentence, this.#timers, double.options, {
      chunk: ({ audio }) => {
        if (isFirst) this.#words(text)
        isFirst = false
        this.peer.send(soundFrame(request, STREAM, audio))
      },
      ends: () => {
        if (sentence.fault !== 'no_final') this.tell('turn.end', {})
      },
      strikes: {
        drop_mid_stream: () => this.peer.drop(),
        silent_after_ms() {},
        close_clean_early: () => this.peer.close(1000),
        malformed_json: () => this.tell('audio.metadata', '{"Metadata":'),
        error_without_context: () => this.#end(BROKEN),
        error_in_context: () => this.#end(BAD_REQUEST),
      },
    })
  }

  /** The times of all of them, before the sound. */
  #words(text: string): void {
    const Metadata = wordsOf(text, this.double.options).map(({ word: Text, startMs, endMs }) => ({
      Type: 'WordBoundary',
      Data: {
        Offset: startMs * TICKS_PER_MS,
        Duration: (endMs - startMs) * TICKS_PER_MS,
        text: { Text, Length: Text.length, BoundaryType: 'WordBoundary' },
      },
    }))
    this.tell('audio.metadata', { Metadata })
  }

  protected refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#end(BAD_REQUEST)
  }

  #end(code: number): void {
    if (this.#over) return
    this.#over = true
    this.peer.close(code, 'SECRET')
  }
}
