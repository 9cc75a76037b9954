/** Deepgram v2 `listen` (Flux): its address and its messages. Seconds become milliseconds here. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, listIn, messageOf, numberIn, optionalNumber, textIn } from '../message.ts'
import type { FluxRules } from './flux-turns.ts'

const ENCODINGS = { pcm16: 'linear16', mulaw: 'mulaw', alaw: 'alaw' } as const

export interface FluxQuery {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
  readonly turns: FluxRules
}

/** `base` is `wss://host`, with a path in front if it has one. */
export function fluxUrl(base: string, query: FluxQuery): string {
  const { model, format, language, hints, turns } = query
  const params = new URLSearchParams({
    model,
    encoding: ENCODINGS[format.encoding],
    sample_rate: String(format.sampleRateHz),
    eot_threshold: String(turns.sure),
    eot_timeout_ms: String(turns.timeoutMs),
  })
  if (turns.eager !== undefined) params.set('eager_eot_threshold', String(turns.eager))
  // The English model refuses it.
  if (language !== undefined && model === 'flux-general-multi') {
    params.set('language_hint', language.toLowerCase().split('-')[0]!)
  }
  for (const hint of hints) params.append('keyterm', hint)
  return `${base}/v2/listen?${params}`
}

export type FluxMessage =
  | { readonly type: 'Connected' }
  | {
      readonly type: 'TurnInfo'
      /** `Update`, `StartOfTurn`, and whatever is invented later: the words so far. */
      readonly event: 'EagerEndOfTurn' | 'TurnResumed' | 'EndOfTurn' | 'words'
      readonly turn: number
      /** The audio it is about, and that it has heard. */
      readonly startMs: number
      readonly endMs: number
      /** All of the turn. */
      readonly text: string
      /** With their times; empty where it does not tell them. */
      readonly words: readonly Word[]
      readonly confidence: number | undefined
      readonly language: string | undefined
    }
  | { readonly type: 'Error'; readonly code: string }
  /** Warnings, answers to `Configure`, and whatever is invented later. */
  | { readonly type: 'other' }

const EVENTS = ['EagerEndOfTurn', 'TurnResumed', 'EndOfTurn'] as const

/** Throws `Malformed`. */
export function readFlux(json: string): FluxMessage {
  const message = messageOf(json, 'Deepgram')
  switch (message.type) {
    case 'Connected':
      return { type: 'Connected' }
    case 'TurnInfo':
      return turnInfo(message)
    case 'Error':
      return { type: 'Error', code: textIn(message, 'code') }
    default:
      return { type: 'other' }
  }
}

function turnInfo(message: Fields): FluxMessage {
  const words = listIn(message, 'words')
  const languages = message['languages']
  const first: unknown = Array.isArray(languages) ? languages[0] : undefined
  return {
    type: 'TurnInfo',
    event: EVENTS.find((name) => name === message['event']) ?? 'words',
    turn: numberIn(message, 'turn_index'),
    startMs: ms(numberIn(message, 'audio_window_start')),
    endMs: ms(numberIn(message, 'audio_window_end')),
    text: textIn(message, 'transcript').trim(),
    words: words.every(isTimed) ? words.map(wordOf) : [],
    confidence: meanOf(words),
    language: typeof first === 'string' ? first : undefined,
  }
}

function isTimed(word: Fields): boolean {
  return optionalNumber(word, 'start') !== undefined && optionalNumber(word, 'end') !== undefined
}

function wordOf(word: Fields): Word {
  return {
    text: textIn(word, 'word'),
    startMs: ms(numberIn(word, 'start')),
    endMs: ms(numberIn(word, 'end')),
  }
}

function meanOf(words: readonly Fields[]): number | undefined {
  const known = words.flatMap((word) => optionalNumber(word, 'confidence') ?? [])
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length
}

/** Of an `Error`. Its codes are not listed anywhere: what blames the client's message is ours, the rest may pass. */
export function fluxError(code: string): { kind: ProviderErrorKind; message: string } {
  const named = /^[A-Z_]{1,60}$/.test(code) ? code : 'no code'
  const kind = /UNPARSABLE|INVALID|BAD_|UNSUPPORTED/.test(code) ? 'bad_request' : 'transient'
  return { kind, message: `Deepgram ended the session (${named})` }
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}
