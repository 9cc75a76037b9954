/**
 * A double of Google's voices, Text-to-Speech v1 `StreamingSynthesize`: a gRPC service that Google's own SDK calls. It refuses what
 * the types do not have. Sources: `src/provider/google-speech/wire.ts`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { GrpcDetails, GrpcDoubleServer, GrpcPeer, GrpcTalk } from '../carrier/grpc.ts'
import { decode, encode, type Fields, Undecodable } from '../carrier/protobuf.ts'
import type { ProviderEntry } from '../double.ts'
import { Timers, type TtsFault } from './double.ts'
import { SYNTHESIZE, SYNTHESIZE_REQUEST, SYNTHESIZE_RESPONSE } from './google-messages.ts'
import { say, sentenceOf } from './sentence.ts'
import { VoiceDouble } from './voice-double.ts'

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  PCM: 'pcm16',
  MULAW: 'mulaw',
  ALAW: 'alaw',
}

/** No key is looked at: without TLS the SDK sends none. */
export class FakeGoogleVoices extends VoiceDouble {
  /** The first message of each call that was taken. */
  readonly configs: object[] = []
  readonly texts: string[] = []

  /** The first messages of calls, in order. */
  get sessions(): readonly object[] {
    return this.configs
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'google-speech', baseUrl, project: 'double' }
  }

  readonly grpc: GrpcDoubleServer = {
    connects: () => {
      const hangs = this.faults.takes('hang_on_connect') || this.options.fault === 'hang_on_connect'
      return hangs ? 'hang' : 'open'
    },
    call: (path, peer) =>
      path === SYNTHESIZE ? new Call(this, peer, this.faults.ofConnection()) : undefined,
  }
}

class Call implements GrpcTalk {
  readonly #timers: Timers
  #format: AudioFormat | undefined
  #text = ''
  #over = false

  constructor(
    private readonly double: FakeGoogleVoices,
    private readonly peer: GrpcPeer,
    private readonly refusal: TtsFault | undefined,
  ) {
    this.#timers = new Timers(double.options.clock)
  }

  message(bytes: Uint8Array): void {
    if (this.#over) return
    let request: Fields
    try {
      request = decode(SYNTHESIZE_REQUEST, bytes)
    } catch (error) {
      if (error instanceof Undecodable) return this.#refuse(error.message)
      throw error
    }
    if (!this.#format) return this.#begin(request)
    const text = (request['input'] as Fields | undefined)?.['text']
    if (typeof text !== 'string' || text === '') return this.#refuse('a text is due')
    this.#text += text
  }

  finished(): void {
    if (this.#over) return
    if (!this.#format || this.#text === '') return this.#refuse('an end without a text')
    const { double, peer } = this
    double.texts.push(this.#text)
    const sentence = sentenceOf(double, this.#text, this.#format, this)
    say(sentence, this.#timers, double.options, {
      chunk: ({ audio }) => {
        // Cut inside a sample.
        for (const audioContent of [audio.subarray(0, 1), audio.subarray(1)]) {
          peer.send(encode(SYNTHESIZE_RESPONSE, { audioContent }))
        }
      },
      ends: () => {
        if (sentence.fault !== 'no_final') peer.end()
      },
      strikes: {
        drop_mid_stream: () => peer.drop(),
        silent_after_ms() {},
        close_clean_early: () => peer.end(),
        // No protobuf of its type.
        malformed_json: () => peer.send(Buffer.from('{"audioContent":')),
        error_without_context: () => this.#fail(13),
        error_in_context: () => this.#fail(3),
      },
    })
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  #begin(request: Fields): void {
    if (this.refusal === 'refuse_auth') return this.#fail(16)
    if (this.refusal === 'refuse_429') return this.#fail(8, { retryAfterMs: 7_000 })
    const { voice, streamingAudioConfig: audio } = (request['streamingConfig'] ?? {}) as Record<
      string,
      Fields | undefined
    >
    const encoding = ENCODINGS[String(audio?.['audioEncoding'])]
    const hz = Number(audio?.['sampleRateHertz'])
    if (!encoding || !(hz >= 8_000 && hz <= 48_000)) return this.#refuse('streamingAudioConfig')
    if (!/^[a-z]{2,3}-[A-Z]{2}$/.test(String(voice?.['languageCode'])) || !voice?.['name']) {
      return this.#refuse('voice')
    }
    this.double.configs.push(request)
    this.#format = { encoding, sampleRateHz: hz }
  }

  #refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#fail(3)
  }

  #fail(code: number, details?: GrpcDetails): void {
    this.#over = true
    this.peer.fail(code, details)
  }
}
