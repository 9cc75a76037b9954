/**
 * Google's Speech v2 `StreamingRecognize` and Text-to-Speech v1 `StreamingSynthesize`: what is sent, what comes back, what
 * an error means. Pure. Written from the types of `@google-cloud/speech` 7.5.0 and `@google-cloud/text-to-speech` 6.4.1,
 * read on 2026-11-25 (S); limits from what people report (R): a call lasts five minutes, ends some ten seconds after the last
 * audio, takes 25,600 bytes a message. Not yet run with real keys.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import type { RpcFault } from '../call.ts'
import type { Recognised } from '../calls-socket.ts'
import { isFields, listIn } from '../message.ts'
import { withRegion } from '../region.ts'

const ENCODINGS = { pcm16: 'LINEAR16', mulaw: 'MULAW', alaw: 'ALAW' } as const
/** Hints: the number of phrases an inline set takes is more. */
const PHRASES = 500

export interface RecognitionRequest {
  readonly project: string
  readonly location: string
  readonly model: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language: string | undefined
  readonly hints: readonly string[]
}

/** The first message of a call. */
export function recognitionConfig(request: RecognitionRequest): object {
  const { project, location, model, format, language, hints } = request
  const phrases = hints.slice(0, PHRASES).map((value) => ({ value }))
  return {
    recognizer: `projects/${project}/locations/${location}/recognizers/_`,
    streamingConfig: {
      config: {
        explicitDecodingConfig: {
          encoding: ENCODINGS[format.encoding],
          sampleRateHertz: format.sampleRateHz,
          audioChannelCount: 1,
        },
        model,
        languageCodes: [language === undefined ? 'auto' : withRegion(language)],
        features: { enableWordTimeOffsets: true, enableAutomaticPunctuation: true },
        ...(phrases.length > 0 && { adaptation: { phraseSets: [{ inlinePhraseSet: { phrases } }] } }),
      },
      streamingFeatures: { interimResults: true, enableVoiceActivityEvents: true },
    },
  }
}

/** Throws `Malformed`. */
export function readRecognition(response: unknown): Recognised {
  if (!isFields(response)) return { results: [], speechEndMs: undefined }
  const ended = response['speechEventType'] === 'SPEECH_ACTIVITY_END'
  return {
    results: (response['results'] === undefined ? [] : listIn(response, 'results')).flatMap((result) => {
      const [best] = result['alternatives'] === undefined ? [] : listIn(result, 'alternatives')
      const transcript = best?.['transcript']
      if (!best || typeof transcript !== 'string') return []
      const { confidence } = best
      const language = result['languageCode']
      return {
        text: transcript.trim(),
        isFinal: result['isFinal'] === true,
        endMs: durationMs(result['resultEndOffset']),
        words: wordsOf(best['words']),
        // Not set is zero.
        confidence: typeof confidence === 'number' && confidence > 0 ? confidence : undefined,
        language: typeof language === 'string' && language !== '' ? language : undefined,
      }
    }),
    speechEndMs: ended ? durationMs(response['speechEventOffset']) : undefined,
  }
}

function wordsOf(words: unknown): Word[] {
  if (!Array.isArray(words)) return []
  return words.filter(isFields).flatMap(({ word, startOffset, endOffset }) => {
    if (typeof word !== 'string' || word === '') return []
    const startMs = durationMs(startOffset)
    return { text: word, startMs, endMs: Math.max(startMs, durationMs(endOffset)) }
  })
}

/** A protobuf `Duration`; absent is zero. */
export function durationMs(duration: unknown): number {
  if (!isFields(duration)) return 0
  const { seconds = 0, nanos = 0 } = duration
  const ms = Number(seconds) * 1000 + Number(nanos) / 1e6
  return Number.isFinite(ms) ? Math.round(ms) : 0
}

export interface SynthesisRequest {
  readonly model: string
  readonly voice: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language: string | undefined
  readonly speed: number
}

/** Outside of this it is refused (D). */
const RATE = { min: 0.25, max: 2 }

/** The first message of a call. */
export function synthesisConfig({ model, voice, format, language, speed }: SynthesisRequest): object {
  const own = /^[a-z]{2,3}-[A-Z]{2}(?=-)/.exec(voice)?.[0]
  const languageCode = own ?? withRegion(language ?? 'en')
  const named = model.startsWith('gemini')
    ? { name: voice, modelName: model }
    : { name: own === undefined ? `${languageCode}-Chirp3-HD-${voice}` : voice }
  return {
    streamingConfig: {
      voice: { languageCode, ...named },
      streamingAudioConfig: {
        audioEncoding: format.encoding === 'pcm16' ? 'PCM' : ENCODINGS[format.encoding],
        sampleRateHertz: format.sampleRateHz,
        ...(speed !== 1 && { speakingRate: Math.min(RATE.max, Math.max(RATE.min, speed)) }),
      },
    },
  }
}

export function soundOf(response: unknown): Uint8Array | undefined {
  const audio = isFields(response) ? response['audioContent'] : undefined
  return audio instanceof Uint8Array && audio.length > 0 ? audio : undefined
}

export interface GoogleFault {
  /** https://grpc.io/docs/guides/status-codes; undefined: the SDK's own. */
  readonly code: number | undefined
  /** Google's `ErrorInfo.reason`, such as `API_KEY_INVALID`. */
  readonly reason: string | undefined
}

/** What a call's failure means to the router. */
export function kindOfFault({ code, reason }: GoogleFault): ProviderErrorKind {
  if (reason === 'API_KEY_INVALID') return 'auth'
  if (reason === 'BILLING_DISABLED') return 'quota'
  switch (code) {
    case 3: // INVALID_ARGUMENT
    case 5: // NOT_FOUND
    case 9: // FAILED_PRECONDITION
    case 12: // UNIMPLEMENTED
      return 'bad_request'
    case 7: // PERMISSION_DENIED
    case 16: // UNAUTHENTICATED
      return 'auth'
    case 8: // RESOURCE_EXHAUSTED
      return 'rate'
    case 4: // DEADLINE_EXCEEDED
      return 'timeout'
    case 10: // ABORTED: five minutes, or no audio
    case 11: // OUT_OF_RANGE: the same, of older models
      return 'expired'
    default:
      return 'transient'
  }
}

export function faultOf(fault: GoogleFault, retryAfterMs: number | undefined): RpcFault {
  const message = `the call failed with gRPC status ${fault.code ?? 'unknown'}`
  return { kind: kindOfFault(fault), message, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}
