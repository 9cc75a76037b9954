/**
 * ElevenLabs Scribe, realtime speech to text: its address, its messages, its errors. Seconds become milliseconds here. Pure.
 *
 *     ◄─ {"message_type":"session_started",…}
 *     ─► {"message_type":"input_audio_chunk","audio_base_64":b64,"commit":false,"sample_rate":16000}
 *     ◄─ {"message_type":"partial_transcript","text":…}            of all that is not committed
 *     ─► {… "audio_base_64":"","commit":true …}
 *     ◄─ {"message_type":"committed_transcript","text":…}          and the same once more, with its words:
 *     ◄─ {"message_type":"committed_transcript_with_timestamps","text":…,"words":[…]}
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, listIn, messageOf, numberIn, optionalNumber, textIn } from '../message.ts'

const FORMATS = { pcm16: 'pcm', mulaw: 'ulaw' } as const
/** More, or longer ones, are refused. */
const KEYTERMS = { most: 50, characters: 20 }

export interface ScribeQuery {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
}

/** Undefined when it does not take the format. */
export function scribeUrl(base: string, { model, format, language, hints }: ScribeQuery): string | undefined {
  if (format.encoding === 'alaw') return undefined
  const params = new URLSearchParams({
    model_id: model,
    audio_format: `${FORMATS[format.encoding]}_${format.sampleRateHz}`,
    commit_strategy: 'manual',
    include_timestamps: 'true',
    include_language_detection: 'true',
  })
  if (language !== undefined) params.set('language_code', language.toLowerCase().split('-')[0]!)
  const short = hints.filter((hint) => hint.length <= KEYTERMS.characters)
  for (const hint of short.slice(0, KEYTERMS.most)) params.append('keyterms', hint)
  return `${base}/v1/speech-to-text/realtime?${params}`
}

export function audioChunk(format: AudioFormat, audio: Uint8Array, commit: 'commit' | 'more'): string {
  return JSON.stringify({
    message_type: 'input_audio_chunk',
    audio_base_64: Buffer.from(audio.buffer, audio.byteOffset, audio.length).toString('base64'),
    commit: commit === 'commit',
    sample_rate: format.sampleRateHz,
  })
}

export type ScribeMessage =
  | { readonly type: 'started' }
  /** `settled`: it will not change, though more may follow. */
  | { readonly type: 'partial'; readonly text: string; readonly settled: boolean }
  /** Its words follow in another message. */
  | { readonly type: 'committed'; readonly text: string }
  | {
      readonly type: 'committedWords'
      readonly text: string
      readonly words: readonly Word[]
      /** 0…1 */
      readonly confidence: number | undefined
      readonly language: string | undefined
    }
  | { readonly type: 'error'; readonly error: ScribeError }
  /** Entities, edits, and whatever is invented later. */
  | { readonly type: 'other' }

const ERRORS = {
  error: 'transient',
  transcriber_error: 'transient',
  queue_overflow: 'transient',
  resource_exhausted: 'transient',
  auth_error: 'auth',
  unaccepted_terms: 'auth',
  quota_exceeded: 'quota',
  rate_limited: 'rate',
  input_error: 'bad_request',
  invalid_request: 'bad_request',
  chunk_size_exceeded: 'bad_request',
  session_time_limit_exceeded: 'expired',
  /** These two end nothing by themselves. */
  commit_throttled: 'soft',
  insufficient_audio_activity: 'soft',
} as const satisfies Readonly<Record<string, ProviderErrorKind | 'soft'>>

export type ScribeError = keyof typeof ERRORS

/** Throws `Malformed`. */
export function readScribe(json: string): ScribeMessage {
  const message = messageOf(json, 'ElevenLabs', 'message_type')
  switch (message.type) {
    case 'session_started':
      return { type: 'started' }
    case 'partial_transcript':
      return { type: 'partial', text: textOf(message), settled: false }
    case 'final_transcript':
      return { type: 'partial', text: textOf(message), settled: true }
    case 'committed_transcript':
      return { type: 'committed', text: textOf(message) }
    case 'committed_transcript_with_timestamps':
      return committedOf(message)
    default:
      return isError(message.type) ? { type: 'error', error: message.type } : { type: 'other' }
  }
}

function isError(type: string): type is ScribeError {
  return Object.hasOwn(ERRORS, type)
}

function textOf(message: Fields): string {
  return textIn(message, 'text').trim()
}

function committedOf(message: Fields): ScribeMessage {
  const items = message['words'] === undefined || message['words'] === null ? [] : listIn(message, 'words')
  const spoken = items.filter((item) => item['type'] !== 'spacing' && item['type'] !== 'audio_event')
  const language = message['language_code']
  return {
    type: 'committedWords',
    text: textOf(message),
    words: spoken.map((item) => ({
      text: textIn(item, 'text').trim(),
      startMs: Math.round(numberIn(item, 'start') * 1000),
      endMs: Math.round(numberIn(item, 'end') * 1000),
    })),
    confidence: confidenceOf(spoken),
    language: typeof language === 'string' ? language : undefined,
  }
}

/** The mean of the words' probabilities, which come as logarithms. */
function confidenceOf(words: readonly Fields[]): number | undefined {
  const known = words.map((word) => optionalNumber(word, 'logprob')).filter((one) => one !== undefined)
  return known.length === 0
    ? undefined
    : known.reduce((sum, one) => sum + Math.exp(Math.min(0, one)), 0) / known.length
}

/** Undefined when the session goes on. */
export function scribeError(error: ScribeError): { kind: ProviderErrorKind; message: string } | undefined {
  const kind = ERRORS[error]
  return kind === 'soft' ? undefined : { kind, message: `ElevenLabs ended the session (${error})` }
}
