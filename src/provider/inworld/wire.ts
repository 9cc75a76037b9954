/**
 * Inworld's streamed speech over HTTP: what is sent, what comes back, what an error means. Pure.
 *
 *     ─► POST /tts/v1/voice:stream {text,voiceId,modelId,audioConfig{audioEncoding,sampleRateHertz,speakingRate},timestampType,…}
 *     ◄─ a line each: {"result":{"audioContent":b64,"timestampInfo"?:{"wordAlignment":{words,wordStartTimeSeconds,wordEndTimeSeconds}}}}
 *     ◄─ {"error":{code,message}}                                  codes are those of gRPC
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ErrorFacts } from '../../dialect/codec.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { SpokenWord } from '../../stage/tts.ts'
import { kindOfStatus } from '../dial.ts'
import { type Fields, isFields } from '../message.ts'

export const INWORLD_PATH = '/tts/v1/voice:stream'

const ENCODINGS = { pcm16: 'PCM', mulaw: 'MULAW', alaw: 'ALAW' } as const
/** Outside of this it is refused (D). */
const RATE = { min: 0.5, max: 1.5 }

export interface VoiceRequest {
  readonly model: string
  readonly voice: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language?: string
  readonly speed: number
}

/** JSON text. */
export function speechBody(text: string, { model, voice, format, language, speed }: VoiceRequest): string {
  return JSON.stringify({
    text,
    voiceId: voice,
    modelId: model,
    audioConfig: {
      audioEncoding: ENCODINGS[format.encoding],
      sampleRateHertz: format.sampleRateHz,
      speakingRate: Math.min(RATE.max, Math.max(RATE.min, speed)),
    },
    timestampType: 'WORD',
    // Times follow the sound instead of holding it up.
    timestampTransportStrategy: 'ASYNC',
    // The generation before takes the language from the text.
    ...(language !== undefined && /^inworld-tts-[2-9]/.test(model) && { language }),
  })
}

export type Line =
  | { readonly type: 'part'; readonly audio: Uint8Array | undefined; readonly words: readonly SpokenWord[] }
  | { readonly type: 'error'; readonly facts: ErrorFacts }

export function readLine(line: Fields): Line {
  const { result, error } = line
  if (isFields(error)) return { type: 'error', facts: errorOfCode(error['code']) }
  if (!isFields(result)) return { type: 'part', audio: undefined, words: [] }
  const status = result['status']
  if (isFields(status) && status['code'] !== undefined && status['code'] !== 0) {
    return { type: 'error', facts: errorOfCode(status['code']) }
  }
  const sound = result['audioContent']
  const audio = typeof sound === 'string' && sound !== '' ? Buffer.from(sound, 'base64') : undefined
  return { type: 'part', audio, words: wordsOf(result['timestampInfo']) }
}

/** Seconds become milliseconds here. */
function wordsOf(info: unknown): SpokenWord[] {
  const alignment = isFields(info) ? info['wordAlignment'] : undefined
  if (!isFields(alignment)) return []
  const { words, wordStartTimeSeconds: starts, wordEndTimeSeconds: ends } = alignment
  if (!Array.isArray(words) || !Array.isArray(starts) || !Array.isArray(ends)) return []
  return words.flatMap((text: unknown, i) => {
    const [from, to]: unknown[] = [starts[i], ends[i]]
    if (typeof text !== 'string' || typeof from !== 'number' || typeof to !== 'number') return []
    const startMs = Math.round(from * 1000)
    return [{ text, startMs, endMs: Math.max(startMs, Math.round(to * 1000)) }]
  })
}

/** Of an answer that is not 200. */
export function errorOfAnswer(status: number): ErrorFacts {
  return { kind: kindOfStatus(status), message: `HTTP ${status}` }
}

function errorOfCode(code: unknown): ErrorFacts {
  const number = typeof code === 'number' ? code : undefined
  return { kind: kindOfCode(number), message: `the stream reported an error (${number ?? 'without a code'})` }
}

/** https://grpc.io/docs/guides/status-codes */
function kindOfCode(code: number | undefined): ProviderErrorKind {
  if (code === 3 || code === 5 || code === 9 || code === 11) return 'bad_request'
  if (code === 7 || code === 16) return 'auth'
  if (code === 8) return 'rate'
  return code === 4 ? 'timeout' : 'transient'
}
