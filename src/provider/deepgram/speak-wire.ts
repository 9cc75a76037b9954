/**
 * Deepgram's voices over WebSocket: v1 `speak` (Aura) and v2 `speak` (Flux TTS). Addresses and messages. Pure.
 * Written from the types of `@deepgram/sdk` 5.13.0 (S) and, read on 2026-11-25,
 * https://developers.deepgram.com/docs/tts-ws-flush, …/tts-ws-clear and …/flux-tts/state (D). Not yet run with real keys.
 *
 *     v1  ─► Speak{text} Flush            ◄─ sound … Flushed{sequence_id}
 *         ─► Clear                        ◄─ Cleared{sequence_id}      what came before it is old
 *     v2  ─► Speak{text} Flush            ◄─ SpeechStarted sound … SpeechMetadata{speech_id,audio_duration_ms}
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import { messageOf, optionalNumber } from '../message.ts'

export type SpeakVersion = 'v1' | 'v2'

export const SPEAK_FLUSH = '{"type":"Flush"}'
export const SPEAK_CLEAR = '{"type":"Clear"}'
export const SPEAK_CLOSE = '{"type":"Close"}'

const ENCODINGS = { pcm16: 'linear16', mulaw: 'mulaw', alaw: 'alaw' } as const

export interface SpeakQuery {
  readonly version: SpeakVersion
  /** With its voice and language: `aura-2-thalia-en`. */
  readonly model: string
  readonly format: AudioFormat
  readonly speed: number
}

/** `base` is `wss://host`, with a path in front if it has one. */
export function speakUrl(base: string, { version, model, format, speed }: SpeakQuery): string {
  const params = new URLSearchParams({
    model,
    encoding: ENCODINGS[format.encoding],
    sample_rate: String(format.sampleRateHz),
  })
  // Not every voice knows a speed, so it is only sent where one is wanted.
  if (speed !== 1) params.set('speed', String(paceOf(version, speed)))
  return `${base}/${version}/speak?${params}`
}

/** v2 refuses what is no multiple of 0.05. */
function paceOf(version: SpeakVersion, speed: number): number {
  const least = version === 'v1' ? 0.7 : 0.5
  return Math.round(Math.min(1.5, Math.max(least, speed)) * 20) / 20
}

/**
 * Which of Deepgram's models speaks: their names hold the voice. `model` is a family (`aura-2`, `aura-1`, `flux-tts`) or
 * a whole name, `voice` one (`thalia`, `thalia-en`) or a whole name. Undefined: none is named.
 */
export function speakModel(model: string, voice: string, language: string | undefined): string | undefined {
  const whole = /^(aura-2|aura|flux)-[a-z]+-[a-z]{2}(-[a-z]+)?$/i
  if (whole.test(voice)) return voice
  if (whole.test(model)) return model
  if (!/^[a-z]+(-[a-z]{2})?$/i.test(voice)) return undefined
  const family = { 'aura-1': 'aura', 'flux-tts': 'flux' }[model] ?? model
  const tongue = language?.split('-')[0]?.toLowerCase() ?? 'en'
  return voice.includes('-') ? `${family}-${voice}` : `${family}-${voice}-${tongue}`
}

/** Undefined: none of its voices. */
export function speakVersion(model: string): SpeakVersion | undefined {
  if (/^aura(-|$)/.test(model)) return 'v1'
  return /^flux-(?!general)/.test(model) ? 'v2' : undefined
}

export function speakText(text: string): string {
  return JSON.stringify({ type: 'Speak', text })
}

export type SpeakMessage =
  /** A sentence is complete. `id` tells two apart; `soundMs`: how long it is, where that is said. */
  | { readonly type: 'done'; readonly id: string; readonly soundMs: number | undefined }
  | { readonly type: 'cleared' }
  | { readonly type: 'error'; readonly kind: ProviderErrorKind; readonly message: string }
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readSpeak(json: string, version: SpeakVersion): SpeakMessage {
  const message = messageOf(json, 'Deepgram')
  switch (message.type) {
    case 'Flushed':
      if (version === 'v2') return { type: 'other' }
      return { type: 'done', id: String(message['sequence_id']), soundMs: undefined }
    case 'SpeechMetadata': {
      const soundMs = optionalNumber(message, 'audio_duration_ms')
      return { type: 'done', id: String(message['speech_id']), soundMs }
    }
    case 'Cleared':
      return { type: 'cleared' }
    case 'Error':
      return errorOf(message['code'] ?? message['err_code'])
    default:
      return { type: 'other' }
  }
}

function errorOf(said: unknown): SpeakMessage {
  const code = typeof said === 'string' && /^[A-Z]+-\d{4}$/.test(said) ? said : undefined
  const kind = code !== undefined && /^(MESSAGE|DATA|BIG)-/.test(code) ? 'bad_request' : 'transient'
  return { type: 'error', kind, message: `Deepgram says ${code ?? 'error'}` }
}
