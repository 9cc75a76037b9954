/** AssemblyAI Universal-Streaming v3: its address, its messages, its codes. Milliseconds already. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, listIn, messageOf, numberIn, optionalNumber, textIn } from '../message.ts'
import type { TurnRules } from './turns.ts'

export const FORCE_ENDPOINT = '{"type":"ForceEndpoint"}'
export const KEEP_ALIVE = '{"type":"KeepAlive"}'
export const TERMINATE = '{"type":"Terminate"}'

const ENCODINGS = { pcm16: 'pcm_s16le', mulaw: 'pcm_mulaw' } as const

export interface StreamQuery {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
  readonly turns: TurnRules
}

/** Undefined when it does not take the format. */
export function streamUrl(base: string, query: StreamQuery): string | undefined {
  const { model, format, language, hints, turns } = query
  if (format.encoding === 'alaw') return undefined
  const params = new URLSearchParams({
    speech_model: model,
    encoding: ENCODINGS[format.encoding],
    sample_rate: String(format.sampleRateHz),
    // A formatted turn comes a second time and later; the newer models format by themselves.
    format_turns: 'false',
    end_of_turn_confidence_threshold: String(turns.confidence),
    min_turn_silence: String(turns.minSilenceMs),
    max_turn_silence: String(turns.maxSilenceMs),
    // Its only sign of life while nobody speaks.
    session_heartbeat: 'true',
  })
  if (language !== undefined && /^universal-3-[56]/.test(model)) {
    params.set('language_codes', JSON.stringify([language.toLowerCase().split('-')[0]]))
  }
  // Only then it tells which it heard.
  if (model !== 'universal-streaming-english') params.set('language_detection', 'true')
  if (hints.length > 0) params.set('keyterms_prompt', JSON.stringify(hints))
  return `${base}/v3/ws?${params}`
}

export type AssemblyAiMessage =
  | { readonly type: 'Begin'; readonly expiresAtMs: number | undefined }
  | {
      readonly type: 'Turn'
      readonly order: number
      readonly text: string
      readonly endOfTurn: boolean
      readonly isFormatted: boolean
      /** What was said up to a pause that it noticed, but for words before an earlier one; '' in all other messages. */
      readonly pausedAfter: string
      /** The words of `text` that will not change, in order. */
      readonly stable: string
      readonly words: readonly Word[]
      readonly confidence: number | undefined
      readonly language: string | undefined
    }
  | { readonly type: 'Error'; readonly code: number | undefined }
  | {
      readonly type: 'Heartbeat'
      /** Audio it has. */
      readonly receivedMs: number
      /** 0…1, of what it heard lately. */
      readonly speech: number
    }
  /** Warnings, silence, and whatever is invented later. */
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readMessage(json: string): AssemblyAiMessage {
  const message = messageOf(json, 'AssemblyAI')
  switch (message.type) {
    case 'Begin': {
      const seconds = optionalNumber(message, 'expires_at')
      return { type: 'Begin', expiresAtMs: seconds === undefined ? undefined : seconds * 1000 }
    }
    case 'Turn':
      return turnOf(message)
    case 'Heartbeat':
      return {
        type: 'Heartbeat',
        receivedMs: numberIn(message, 'total_audio_received_ms'),
        speech: optionalNumber(message, 'max_speech_probability') ?? 1,
      }
    case 'Error':
      return { type: 'Error', code: optionalNumber(message, 'error_code') }
    default:
      return { type: 'other' }
  }
}

function turnOf(message: Fields): AssemblyAiMessage {
  const words = listIn(message, 'words')
  const open = words.findIndex((word) => word['word_is_final'] !== true)
  const settled = open < 0 ? words : words.slice(0, open)
  const language = message['language_code']
  return {
    type: 'Turn',
    order: numberIn(message, 'turn_order'),
    text: textIn(message, 'transcript').trim(),
    endOfTurn: message['end_of_turn'] === true,
    isFormatted: message['turn_is_formatted'] === true,
    pausedAfter: message['utterance'] === undefined ? '' : textIn(message, 'utterance').trim(),
    stable: settled.map((word) => textIn(word, 'text')).join(' '),
    words: words.map(wordOf),
    confidence: meanOf(words),
    language: typeof language === 'string' ? language : undefined,
  }
}

function wordOf(word: Fields): Word {
  return {
    text: textIn(word, 'text'),
    startMs: Math.round(numberIn(word, 'start')),
    endMs: Math.round(numberIn(word, 'end')),
  }
}

function meanOf(words: readonly Fields[]): number | undefined {
  const known = words.map((word) => optionalNumber(word, 'confidence')).filter((one) => one !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length
}

/** Of an `Error` message and of a close. https://www.assemblyai.com/docs/api-reference/streaming-api */
export function reasonOf(
  code: number | undefined,
  reason = '',
): { kind: ProviderErrorKind; message: string } {
  return { kind: kindOf(code, reason), message: `AssemblyAI ended the session (${code ?? 'no code'})` }
}

function kindOf(code: number | undefined, reason: string): ProviderErrorKind {
  switch (code) {
    case 4001:
      return 'auth'
    case 4002:
    case 4003:
      return 'quota'
    case 3009:
    case 4029:
    case 4102:
      return 'rate'
    case 3006:
    case 3007:
    case 4000:
    case 4004:
    case 4032:
    case 4033:
    case 4034:
    case 4101:
      return 'bad_request'
    case 3008:
    case 4008:
    case 4010:
    case 4031:
      return 'expired'
    // Refused at the door, for an unknown key or for too many new sessions a minute; only the words differ.
    case 1008:
      return /too many/i.test(reason) ? 'rate' : 'auth'
    default:
      return 'transient'
  }
}
