/**
 * Rime's `/ws3`: its address, its messages. Pure.
 * Written from https://docs.rime.ai/api-reference/coda/websockets-json, …/mistv3/websockets-json and
 * https://docs.rime.ai/docs/websockets-segment, read on 2026-11-25 (D), and from adapters in use (P). Not yet run with
 * real keys. Nothing official speaks it from Node.
 *
 *     ─► {"text":"Hello. "} {"operation":"flush"}      with segment=never this is one utterance, however it is written
 *     ◄─ chunk{data} … timestamps{word_timestamps{words,start,end}} … done
 *     ◄─ error{message}                                 the socket stays open
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { SpokenWord } from '../../stage/tts.ts'
import { type Fields, isFields, messageOf, textIn } from '../message.ts'

export const RIME_FLUSH = '{"operation":"flush"}'
/** What is in the buffer is not spoken. */
export const RIME_CLEAR = '{"operation":"clear"}'

/** The older models know the long codes only; `coda` takes both. */
const LANGUAGES: Readonly<Record<string, string>> = {
  en: 'eng',
  es: 'spa',
  fr: 'fra',
  de: 'deu',
  pt: 'por',
  ja: 'jpn',
  hi: 'hin',
}

export interface VoiceQuery {
  readonly model: string
  readonly voice: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language: string | undefined
  readonly speed: number
}

/** `base` has no slash at its end. */
export function voiceUrl(base: string, { model, voice, format, language, speed }: VoiceQuery): string {
  const params = new URLSearchParams({
    speaker: voice,
    modelId: model,
    audioFormat: format.encoding === 'mulaw' ? 'mulaw' : 'pcm',
    samplingRate: String(format.sampleRateHz),
    // Sentences are cut here, and spoken when we say so.
    segment: 'never',
  })
  const tongue = language?.split('-')[0]?.toLowerCase()
  if (tongue !== undefined) params.set('lang', LANGUAGES[tongue] ?? tongue)
  // Other models have other names for it, and one counts the other way round.
  if (speed !== 1 && model === 'mistv3') params.set('speedAlpha', String(Math.min(2, Math.max(0.5, speed))))
  return `${base}/ws3?${params}`
}

export function rimeText(text: string): string {
  return JSON.stringify({ text: `${text.trimEnd()} ` })
}

export type RimeMessage =
  | { readonly type: 'chunk'; readonly audio: Uint8Array }
  | { readonly type: 'timestamps'; readonly words: readonly SpokenWord[] }
  | { readonly type: 'done' }
  | { readonly type: 'error' }
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readRime(json: string): RimeMessage {
  const message = messageOf(json, 'Rime')
  switch (message.type) {
    case 'chunk':
      return { type: 'chunk', audio: Buffer.from(textIn(message, 'data'), 'base64') }
    case 'timestamps':
      return { type: 'timestamps', words: wordsOf(message) }
    case 'done':
      return { type: 'done' }
    case 'error':
      return { type: 'error' }
    default:
      return { type: 'other' }
  }
}

/** Seconds become milliseconds here. */
function wordsOf(message: Fields): SpokenWord[] {
  const times = message['word_timestamps']
  if (!isFields(times)) return []
  const { words, start, end } = times
  if (!Array.isArray(words) || !Array.isArray(start) || !Array.isArray(end)) return []
  return words.flatMap((text: unknown, i) => {
    const [from, to]: unknown[] = [start[i], end[i]]
    if (typeof text !== 'string' || text.trim() === '') return []
    if (typeof from !== 'number' || typeof to !== 'number') return []
    const startMs = Math.round(from * 1000)
    return [{ text, startMs, endMs: Math.max(startMs, Math.round(to * 1000)) }]
  })
}
