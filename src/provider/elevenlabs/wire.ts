/**
 * ElevenLabs' multi-context text to speech, `multi-stream-input`: what is sent, what comes back, what an error means.
 * The provider's page: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
 * Read 2026-11-22, from the types of @elevenlabs/elevenlabs-js 2.73.0 (S) and from adapters in use (P). Not yet run
 * with real keys.
 *
 *     ─► {"text":" ","context_id":C,"voice_settings":…}          opens a context
 *     ─► {"text":"… ","context_id":C,"flush":true}               text ends with a space
 *     ─► {"context_id":C,"close_context":true}                   flushed text is still spoken
 *     ◄─ {"audio":b64,"alignment":{…},"contextId":C} … {"isFinal":true,"contextId":C}
 *     ─► {"text":"","context_id":C}                              keeps a context (20 s) alive; it must have been opened
 *     ◄─ {"error":…,"message":…,"code":1008}                     may lack contextId, and then the socket closes
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Alignment } from '../aligned-words.ts'
import { kindOfCloseCode } from '../dial.ts'

export interface Opening {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly voice: string
  readonly model: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language?: string
}

/** The socket's address fixes voice, model, format and language. */
export function urlOf({ baseUrl, voice, model, format, language }: Opening): string {
  const url = new URL(`${baseUrl}/v1/text-to-speech/${encodeURIComponent(voice)}/multi-stream-input`)
  url.searchParams.set('model_id', model)
  url.searchParams.set('output_format', outputFormat(format))
  // Each message then holds the alignment of its own sound.
  url.searchParams.set('sync_alignment', 'true')
  // Whole sentences are sent: no waiting for a schedule of characters.
  url.searchParams.set('auto_mode', 'true')
  // Only these models can be held to a language; others refuse the parameter.
  if (language !== undefined && /_v2_5$/.test(model)) {
    url.searchParams.set('language_code', language.split('-')[0]!.toLowerCase())
  }
  return url.href
}

function outputFormat({ encoding, sampleRateHz }: AudioFormat): string {
  const name = { pcm16: 'pcm', mulaw: 'ulaw', alaw: 'alaw' }[encoding]
  return `${name}_${sampleRateHz}`
}

/** Undefined keeps the voice's own settings, which any settings sent would replace as a whole. */
export function voiceSettings(speed: number | undefined): { readonly speed: number } | undefined {
  if (speed === undefined || speed === 1) return undefined
  return { speed: Math.min(1.2, Math.max(0.7, speed)) }
}

export type VoiceSettings = ReturnType<typeof voiceSettings>

export function openContext(context: string, settings: VoiceSettings): string {
  return JSON.stringify({
    text: ' ',
    context_id: context,
    ...(settings === undefined ? {} : { voice_settings: settings }),
  })
}

export function speakText(context: string, text: string): string {
  return JSON.stringify({ text: `${text.trimEnd()} `, context_id: context, flush: true })
}

export function keepContext(context: string): string {
  return JSON.stringify({ text: '', context_id: context })
}

export function closeContext(context: string): string {
  return JSON.stringify({ context_id: context, close_context: true })
}

export const CLOSE_SOCKET = JSON.stringify({ close_socket: true })

export interface ServerMessage {
  readonly context: string | undefined
  readonly audio: Uint8Array | undefined
  readonly alignment: Alignment | undefined
  readonly final: boolean
  /** The provider's code of the error, or `unknown`. */
  readonly error: string | undefined
}

/** Undefined: not what this protocol speaks. Unknown messages are messages with nothing in them. */
export function parseMessage(text: string): ServerMessage | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(raw)) return undefined
  const context = raw['contextId'] ?? raw['context_id']
  const { audio, error } = raw
  if (audio !== undefined && audio !== null && typeof audio !== 'string') return undefined
  // The alignment of the text as we sent it; the normalized one spells numbers out.
  const alignment = alignmentOf(raw['alignment']) ?? alignmentOf(raw['normalizedAlignment'])
  const failed = error !== undefined && error !== null
  return {
    context: typeof context === 'string' ? context : undefined,
    audio: typeof audio === 'string' && audio !== '' ? Buffer.from(audio, 'base64') : undefined,
    alignment,
    final: raw['isFinal'] === true,
    error: failed ? codeOf(error) : undefined,
  }
}

function alignmentOf(raw: unknown): Alignment | undefined {
  if (!isRecord(raw)) return undefined
  const { chars } = raw
  const startsMs = raw['charStartTimesMs'] ?? raw['charsStartTimesMs']
  const durationsMs = raw['charDurationsMs'] ?? raw['charsDurationsMs']
  if (!isList(chars, 'string') || !isList(startsMs, 'number') || !isList(durationsMs, 'number'))
    return undefined
  if (chars.length === 0 || startsMs.length < chars.length || durationsMs.length < chars.length)
    return undefined
  return { chars, startsMs, durationsMs } as Alignment
}

function isList(value: unknown, of: 'string' | 'number'): value is unknown[] {
  return Array.isArray(value) && value.every((one) => typeof one === of)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Codes only: a message may quote the text or the key. */
function codeOf(error: unknown): string {
  return typeof error === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(error) ? error : 'unknown'
}

const KINDS: Readonly<Record<string, ProviderErrorKind>> = {
  auth_error: 'auth',
  authentication_error: 'auth',
  invalid_api_key: 'auth',
  missing_permissions: 'auth',
  needs_authorization: 'auth',
  quota_exceeded: 'quota',
  insufficient_credits: 'quota',
  rate_limited: 'rate',
  rate_limit_exceeded: 'rate',
  max_active_conversations: 'rate',
  too_many_concurrent_requests: 'rate',
  concurrent_limit_exceeded: 'rate',
  system_busy: 'transient',
  queue_overflow: 'transient',
  resource_exhausted: 'transient',
  internal_error: 'transient',
  internal_server_error: 'transient',
  input_timeout_exceeded: 'expired',
}

/** What an error message means to the router. */
export function kindOfCode(code: string): ProviderErrorKind {
  const kind = KINDS[code]
  if (kind) return kind
  return /^(input_error|invalid_|voice_|model_|unsupported_|policy_|text_)/.test(code)
    ? 'bad_request'
    : 'transient'
}

/** What a close while something was owed means to the router. */
export function kindOfClose(code: number, reason: string): ProviderErrorKind {
  if (/inactiv|input_timeout|idle/i.test(reason)) return 'expired'
  if (/quota|credits/i.test(reason)) return 'quota'
  if (/simultaneous|concurren|rate.?limit|too many/i.test(reason)) return 'rate'
  if (/api.?key|unauthori|authenti/i.test(reason)) return 'auth'
  return kindOfCloseCode(code)
}

/** The status a refused upgrade should have had: an exhausted quota comes as 401 with a code in the body. */
export function honestStatus(status: number, body: string): number {
  return status === 401 && /quota_exceeded|insufficient_credits/.test(body) ? 402 : status
}
