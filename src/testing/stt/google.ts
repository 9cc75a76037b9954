/**
 * A double of Google's recogniser, Speech v2 `StreamingRecognize`: a gRPC service that Google's own SDK calls. It refuses what the
 * types do not have, and audio that Google would not take. Sources: `src/provider/google-speech/wire.ts`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { realClock } from '../../clock.ts'
import type { GrpcDetails, GrpcDoubleServer, GrpcPeer, GrpcTalk } from '../carrier/grpc.ts'
import { decode, durationOf, encode, type Fields, Undecodable } from '../carrier/protobuf.ts'
import type { Double } from '../double.ts'
import { type CalledDialect, CalledHearing, fromMsOf } from './called.ts'
import {
  mistakesIn,
  nextScript,
  recordIn,
  type SttDirections,
  type SttDoubleOptions,
  type SttFaultName,
  type SttSessionRecord,
} from './double.ts'
import { RECOGNIZE, RECOGNIZE_REQUEST, RECOGNIZE_RESPONSE } from './google-messages.ts'

/**
 * A session is a call. Words of `script` are placed in the audio of all calls, as a caller's are; with `scriptOf` each call begins
 * its own. No key is looked at: without TLS the SDK sends none.
 */
export interface FakeGoogleRecogniserOptions extends Omit<SttDoubleOptions, 'key'> {
  /** Of each call, whatever is said. Left out: none. */
  readonly callLimitMs?: number
}

export interface FakeGoogleRecogniser extends Double {
  readonly grpc: GrpcDoubleServer
  readonly sessions: readonly SttSessionRecord[]
  /** The first message of each call that was taken. */
  readonly configs: readonly object[]
}

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  LINEAR16: 'pcm16',
  MULAW: 'mulaw',
  ALAW: 'alaw',
}
/** Of a message's audio (R). */
const MOST_BYTES = 25_600

type Refusal = readonly [code: number, details?: GrpcDetails]

const REFUSALS: { readonly [fault in SttFaultName]?: Refusal } = {
  refuse_auth: [16],
  refuse_quota: [7, { reason: 'BILLING_DISABLED' }],
  refuse_429: [8, { retryAfterMs: 7_000 }],
  refuse_503: [14],
}

export function fakeGoogleRecogniser(options: FakeGoogleRecogniserOptions = {}): FakeGoogleRecogniser {
  const { clock = realClock } = options
  const sessions: SttSessionRecord[] = []
  const configs: object[] = []
  const faultOf = () => options.fault ?? options.script?.fault
  return {
    sessions,
    configs,
    grpc: {
      connects: () => (faultOf() === 'hang_on_connect' ? 'hang' : 'open'),
      call(path, peer) {
        if (path !== RECOGNIZE) return undefined
        const fromMs = fromMsOf(options, sessions)
        const record = recordIn(sessions, new URL(`grpc://speech.googleapis.com${path}`))
        const directions = { clock, script: nextScript(options) }
        return new Call(peer, record, directions, {
          fromMs,
          limitMs: options.callLimitMs,
          took: (config) => void configs.push(config),
        })
      },
    },
    get mistakes() {
      return mistakesIn(sessions)
    },
    settingsAt: (baseUrl) => ({ type: 'google-speech', baseUrl, project: 'double' }),
  }
}

interface CallFacts {
  readonly fromMs: number
  readonly limitMs: number | undefined
  took(config: object): void
}

class Call implements GrpcTalk {
  #hearing: CalledHearing | undefined
  #format: AudioFormat | undefined
  #over = false

  constructor(
    private readonly peer: GrpcPeer,
    private readonly record: SttSessionRecord,
    private readonly directions: SttDirections,
    private readonly facts: CallFacts,
  ) {}

  message(bytes: Uint8Array): void {
    if (this.#over) return
    let request: Fields
    try {
      request = decode(RECOGNIZE_REQUEST, bytes)
    } catch (error) {
      if (error instanceof Undecodable) return this.#refuse(error.message)
      throw error
    }
    const { streamingConfig, audio } = request
    if (!this.#hearing) return this.#begin(request)
    if (!(audio instanceof Uint8Array) || streamingConfig) return this.#refuse('audio is due')
    if (audio.length === 0 || audio.length > MOST_BYTES) return this.#refuse(`audio of ${audio.length} bytes`)
    if (this.#format?.encoding === 'pcm16' && audio.length % 2 === 1) return this.#refuse('half a sample')
    this.#hearing.heard(audio, () => this.#fail(13))
  }

  finished(): void {
    if (this.#over) return
    if (!this.#hearing) return this.#refuse('an end without a config')
    this.#hearing.finished()
  }

  gone(): void {
    this.#over = true
    const close = { code: 1000, reason: '' }
    if (this.#hearing) this.#hearing.out.gone(close)
    else this.record.closed = close
  }

  #begin(request: Fields): void {
    const { script, clock } = this.directions
    const refusal = script.fault && REFUSALS[script.fault]
    if (refusal) return this.#fail(...refusal)
    const { recognizer, streamingConfig } = request
    const config = ((streamingConfig as Fields | undefined)?.['config'] ?? {}) as Fields
    const decoding = (config['explicitDecodingConfig'] ?? {}) as Fields
    const encoding = ENCODINGS[String(decoding['encoding'])]
    const hz = Number(decoding['sampleRateHertz'])
    const languages = (config['languageCodes'] ?? []) as string[]
    if (!/^projects\/[^/]+\/locations\/[^/]+\/recognizers\/[^/]+$/.test(String(recognizer))) {
      return this.#refuse('recognizer')
    }
    if (!encoding || !(hz >= 8_000 && hz <= 48_000)) return this.#refuse('explicitDecodingConfig')
    if (decoding['audioChannelCount'] !== 1) return this.#refuse('audioChannelCount')
    if (languages.length === 0 || languages.some((one) => !/^(auto|[a-z]{2,3}-[A-Z]{2})$/.test(one))) {
      return this.#refuse('languageCodes')
    }
    if (!config['model']) return this.#refuse('model')
    if (script.fault === 'wrong_sample_rate') return this.#fail(3)
    this.facts.took(request)
    this.#format = { encoding, sampleRateHz: hz }
    const { fromMs, limitMs } = this.facts
    const { record } = this
    const peer = {
      send: (json: string | Uint8Array) => this.#say(String(json)),
      close: () => this.peer.end(),
      drop: () => this.peer.drop(),
    }
    this.#hearing = new CalledHearing({
      peer,
      record,
      clock,
      script,
      format: this.#format,
      fromMs,
      dialect: DIALECT,
    })
    if (limitMs !== undefined) this.#hearing.out.later(limitMs, () => this.#fail(10))
  }

  #say(json: string): void {
    try {
      const message = JSON.parse(json) as Fields
      if (Object.keys(message).length === 0) throw new RangeError('nothing is set')
      if (message['end'] === true) this.peer.end()
      else this.peer.send(encode(RECOGNIZE_RESPONSE, message))
    } catch {
      // A message that is none of its type.
      this.peer.send(Buffer.from(json))
    }
  }

  #refuse(what: string): void {
    this.record.mistakes.push(what)
    this.#fail(3)
  }

  #fail(code: number, details?: GrpcDetails): void {
    this.#over = true
    this.peer.fail(code, details)
  }
}

const DIALECT: CalledDialect = {
  partial: (words, atMs) => ({ results: [resultOf(words, atMs)] }),
  final: (words, atMs) => {
    const { alternatives, ...result } = resultOf(words, atMs)
    const [{ transcript }] = alternatives
    const timed = words.map(({ text, startMs, endMs }) => ({
      word: text,
      startOffset: durationOf(startMs),
      endOffset: durationOf(endMs),
    }))
    return {
      results: [{ ...result, alternatives: [{ transcript, confidence: 0.9, words: timed }], isFinal: true }],
    }
  },
  paused: (lastMs) => ({ speechEventType: 'SPEECH_ACTIVITY_END', speechEventOffset: durationOf(lastMs) }),
  ended: { end: true },
  keepAlive: { speechEventType: 'SPEECH_ACTIVITY_BEGIN' },
}

function resultOf(words: readonly { readonly text: string; readonly language?: string }[], atMs: number) {
  // As it comes: with a space before it.
  const transcript = ` ${words.map(({ text }) => text).join(' ')}`
  return {
    alternatives: [{ transcript }] as const,
    resultEndOffset: durationOf(atMs),
    languageCode: words[0]?.language ?? 'en-us',
  }
}
