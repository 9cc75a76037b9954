/** OpenAI's request for speech, read. */

import { RequestFault } from '../../dialect/faults.ts'
import { asNumber, asOneOf, asText, type Json, optional, required, wrong } from '../../dialect/json-path.ts'
import { isRecord } from '../../dialect/openai-error.ts'
import { Refusal } from '../failure.ts'

export type SpeechFormat = 'wav' | 'opus' | 'pcm'

export interface SpeechRequest {
  readonly model: string
  readonly input: string
  readonly voice: AskedVoice
  readonly format: SpeechFormat
  readonly speed: number
  readonly delivery: 'audio' | 'sse'
  /** Members that were given and that no voice here takes. */
  readonly ignored: readonly string[]
}

/** `id`: the provider's own, whatever it is called here. */
export type AskedVoice =
  | { readonly type: 'name' | 'id'; readonly voice: string }
  | { readonly type: 'default' }

const FORMATS = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] as const
const MADE: readonly SpeechFormat[] = ['wav', 'opus', 'pcm']
const SLOWEST = 0.25
const FASTEST = 4
const MAX_VOICE_CHARS = 256

/** Throws `RequestFault`, or `Refusal` for an `input` of more than `maxChars`. */
export function readSpeech(body: Json, maxChars: number): SpeechRequest {
  const model = required(body, '', 'model', asText)
  const input = required(body, '', 'input', asText)
  if (input.length > maxChars) {
    const message = `Invalid 'input': text too long. Expected at most ${maxChars} characters, got ${input.length}.`
    throw new Refusal('string_above_max_length', message, 'input')
  }
  return {
    model,
    input,
    voice: optional(body, '', 'voice', asVoice) ?? { type: 'default' },
    format: optional(body, '', 'response_format', asFormat) ?? 'wav',
    speed: optional(body, '', 'speed', asSpeed) ?? 1,
    delivery: optional(body, '', 'stream_format', asOneOf(['audio', 'sse'])) ?? 'audio',
    ignored: optional(body, '', 'instructions', asText) ? ['instructions'] : [],
  }
}

function asVoice(value: unknown, at: string): AskedVoice {
  const id = isRecord(value) ? value['id'] : undefined
  const voice = typeof value === 'string' ? value : id
  if (typeof voice !== 'string') return wrong(at, 'a string or an object with an id', value)
  if (voice === '' || voice.length > MAX_VOICE_CHARS)
    throw new RequestFault(at, `Invalid '${at}': expected 1 to ${MAX_VOICE_CHARS} characters.`)
  return { type: id === undefined ? 'name' : 'id', voice }
}

function asFormat(value: unknown, at: string): SpeechFormat {
  const format = asOneOf(FORMATS)(value, at)
  const made = MADE.find((one) => one === format)
  if (made) return made
  const there = MADE.map((one) => `'${one}'`).join(', ')
  throw new RequestFault(
    at,
    `Unsupported value: '${at}' does not support '${format}' here. Supported values are: ${there}.`,
    'unsupported_value',
  )
}

function asSpeed(value: unknown, at: string): number {
  const speed = asNumber(value, at)
  if (speed >= SLOWEST && speed <= FASTEST) return speed
  throw new RequestFault(at, `Invalid '${at}': expected a number from ${SLOWEST} to ${FASTEST}.`)
}
