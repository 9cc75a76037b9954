/** Speechmatics real-time v2: its first message, its messages, its errors. Seconds become milliseconds here. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, isFields, listIn, numberIn, objectOf, optionalNumber, textIn } from '../message.ts'
import { Malformed } from '../protocol.ts'
import type { SocketClose } from '../socket.ts'

const ENCODINGS = { pcm16: 'pcm_s16le', mulaw: 'mulaw' } as const

export interface Start {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
}

/** Final words come that long after they were said, where nobody forces them: "the optimal trade-off" of its documents. */
const MAX_DELAY_S = 2
/** It goes by ISO 639-3 where we have a tag of two letters. */
const LANGUAGES: Readonly<Record<string, string>> = { zh: 'cmn', nb: 'no', nn: 'no' }
const LOCALES = new Set(['en-GB', 'en-US', 'en-AU'])

/** Undefined when it does not take the format. */
export function startMessage({ model, format, language = 'en', hints }: Start): string | undefined {
  if (format.encoding === 'alaw') return undefined
  const primary = language.toLowerCase().split('-')[0]!
  return JSON.stringify({
    message: 'StartRecognition',
    audio_format: { type: 'raw', encoding: ENCODINGS[format.encoding], sample_rate: format.sampleRateHz },
    transcription_config: {
      language: LANGUAGES[primary] ?? primary,
      ...(LOCALES.has(language) && { output_locale: language }),
      model,
      enable_partials: true,
      max_delay: MAX_DELAY_S,
      // Turns are ended by us: its own end is a stretch of silence, and would stand in the way of what we force.
      conversation_config: { end_of_utterance_silence_trigger: 0 },
      ...(hints.length > 0 && { additional_vocab: hints.map((content) => ({ content })) }),
    },
  })
}

/** The end of the audio that it is about. Without it, what arrived last may be left out. */
export function forceMessage(atMs: number): string {
  return JSON.stringify({ message: 'ForceEndOfUtterance', timestamp: Math.round(atMs) / 1000 })
}

export function endMessage(framesSent: number): string {
  return JSON.stringify({ message: 'EndOfStream', last_seq_no: framesSent })
}

export type SpeechmaticsMessage =
  /** `spacing`: what stands between two words. */
  | { readonly type: 'started'; readonly spacing: string }
  | { readonly type: 'added'; readonly frame: number }
  | { readonly type: 'transcript'; readonly settled: boolean; readonly heard: Transcript }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly name: string }
  /** `Info`, warnings, `EndOfTranscript`, and whatever is invented later. */
  | { readonly type: 'other' }

export interface Transcript {
  readonly startMs: number
  readonly endMs: number
  readonly text: string
  /** Begins with what belongs to the word before. */
  readonly joined: boolean
  /** With their punctuation. */
  readonly words: readonly Word[]
  readonly confidence: number | undefined
  readonly language: string | undefined
}

/** Throws `Malformed`. `spacing`: of the session. */
export function readMessage(json: string, spacing: string): SpeechmaticsMessage {
  const message = objectOf(json, 'Speechmatics')
  switch (textIn(message, 'message')) {
    case 'RecognitionStarted':
      return { type: 'started', spacing: spacingOf(message['language_pack_info']) }
    case 'AudioAdded':
      return { type: 'added', frame: numberIn(message, 'seq_no') }
    case 'AddPartialTranscript':
      return { type: 'transcript', settled: false, heard: transcriptOf(message, spacing) }
    case 'AddTranscript':
      return { type: 'transcript', settled: true, heard: transcriptOf(message, spacing) }
    case 'EndOfUtterance':
      return { type: 'ended' }
    case 'Error':
      return { type: 'failed', name: textIn(message, 'type') }
    case 'Warning':
      // What it hears after that, it leaves out.
      return message['type'] === 'duration_limit_exceeded'
        ? { type: 'failed', name: 'session_timeout' }
        : { type: 'other' }
    default:
      return { type: 'other' }
  }
}

function spacingOf(pack: unknown): string {
  const delimiter = isFields(pack) ? pack['word_delimiter'] : undefined
  return typeof delimiter === 'string' ? delimiter : ' '
}

function transcriptOf(message: Fields, spacing: string): Transcript {
  const metadata = message['metadata']
  if (!isFields(metadata)) throw new Malformed('metadata is no object')
  const results = listIn(message, 'results').map(resultOf)
  const words: Word[] = []
  let text = ''
  let isTied = false
  for (const { word, attaches } of results) {
    const isBound = isTied || attaches === 'previous' || attaches === 'both'
    const last = words.at(-1)
    text += isBound || text === '' ? word.text : spacing + word.text
    if (last && isBound) words[words.length - 1] = { ...last, text: last.text + word.text, endMs: word.endMs }
    else words.push(word)
    isTied = attaches === 'next' || attaches === 'both'
  }
  const [first, last] = [words[0], words.at(-1)]
  const begins = results[0]?.attaches
  return {
    startMs: first?.startMs ?? ms(numberIn(metadata, 'start_time')),
    endMs: last?.endMs ?? ms(numberIn(metadata, 'end_time')),
    text,
    joined: spacing === '' || begins === 'previous' || begins === 'both',
    words,
    confidence: meanOf(results.map(({ confidence }) => confidence)),
    language: results.find(({ language }) => language !== undefined)?.language,
  }
}

interface Result {
  readonly word: Word
  readonly attaches: unknown
  readonly confidence: number | undefined
  readonly language: string | undefined
}

function resultOf(result: Fields): Result {
  const best = result['alternatives'] === undefined ? undefined : listIn(result, 'alternatives')[0]
  const language = best?.['language']
  const isMark = result['type'] === 'punctuation'
  return {
    word: {
      text: best ? textIn(best, 'content') : '',
      startMs: ms(numberIn(result, 'start_time')),
      endMs: ms(numberIn(result, 'end_time')),
    },
    // Older servers do not say it.
    attaches: result['attaches_to'] ?? (isMark ? 'previous' : 'none'),
    confidence: best && !isMark ? optionalNumber(best, 'confidence') : undefined,
    language: typeof language === 'string' ? language : undefined,
  }
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}

/** By the type of its `Error` message. */
export function errorOf(name: string): { kind: ProviderErrorKind; message: string } {
  const shown = /^[a-z_]{1,40}$/.test(name) ? name : 'an unknown error'
  return { kind: kindOf(name), message: `Speechmatics ended the session (${shown})` }
}

function kindOf(name: string): ProviderErrorKind {
  switch (name) {
    case 'not_authorised':
    case 'not_allowed':
      return 'auth'
    // Sessions at once; hours of the month.
    case 'quota_exceeded':
      return 'rate'
    case 'timelimit_exceeded':
      return 'quota'
    case 'idle_timeout':
    case 'session_timeout':
      return 'expired'
    case 'invalid_message':
    case 'invalid_model':
    case 'invalid_language':
    case 'invalid_config':
    case 'invalid_audio_type':
    case 'invalid_output_format':
    case 'protocol_error':
      return 'bad_request'
    default:
      return 'transient'
  }
}

/** Close codes say the same as the error before them, where there was one; only 1008 is documented. */
export function closedBy({ code }: SocketClose): { kind: ProviderErrorKind; message: string } {
  const kind = code === 1008 ? 'expired' : 'transient'
  return { kind, message: `Speechmatics closed the connection (${code})` }
}
