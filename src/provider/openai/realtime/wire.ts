/**
 * OpenAI's realtime transcription sessions: what is sent, what comes back, what an error means. Pure.
 *
 *     ◄─ session.created    ─► session.update    ◄─ session.updated
 *     ─► input_audio_buffer.append{audio} …
 *     ◄─ conversation.item.input_audio_transcription.delta{item_id,delta}        some models: while the audio comes
 *     ─► input_audio_buffer.commit    ◄─ input_audio_buffer.committed{item_id}, or an error
 *     ◄─ ….delta{item_id,delta} … ….completed{item_id,transcript}                items in any order
 */
import type { AudioFormat } from '../../../audio/format.ts'
import type { ProviderErrorKind } from '../../../errors.ts'
import { type Fields, isFields, messageOf, optionalNumber, textIn } from '../../message.ts'

export const COMMIT = '{"type":"input_audio_buffer.commit"}'

export interface SessionRequest {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
}

/** Turns are ended by us. */
export function sessionUpdate({ model, format, language, hints }: SessionRequest): string {
  const primary = language?.toLowerCase().split('-')[0]
  const transcription = {
    model,
    ...(primary !== undefined && { language: primary }),
    ...hintsFor(model, hints),
  }
  const input = { format: formatOf(format), transcription, turn_detection: null }
  return JSON.stringify({ type: 'session.update', session: { type: 'transcription', audio: { input } } })
}

function formatOf({ encoding, sampleRateHz }: AudioFormat): object {
  if (encoding === 'pcm16') return { type: 'audio/pcm', rate: sampleRateHz }
  return { type: encoding === 'mulaw' ? 'audio/pcmu' : 'audio/pcma' }
}

/** A list of words where the model knows one, a text where it does not, or nothing. */
function hintsFor(model: string, hints: readonly string[]): object {
  if (hints.length === 0 || model.startsWith('gpt-realtime-whisper')) return {}
  if (/^(whisper|gpt-4o)/.test(model)) return { prompt: hints.join(', ') }
  return { keywords: hints }
}

export function append(audio: Uint8Array): string {
  const bytes = Buffer.from(audio.buffer, audio.byteOffset, audio.length)
  return JSON.stringify({ type: 'input_audio_buffer.append', audio: bytes.toString('base64') })
}

export type TranscriptionMessage =
  /** `expiresAtMs` since 1970. */
  | { readonly type: 'created' | 'updated'; readonly expiresAtMs: number | undefined }
  | { readonly type: 'committed'; readonly item: string }
  | { readonly type: 'delta'; readonly item: string; readonly text: string }
  | {
      readonly type: 'completed'
      readonly item: string
      readonly text: string
      readonly language: string | undefined
    }
  | { readonly type: 'failed' }
  | { readonly type: 'error'; readonly kind: string; readonly code: string | undefined }
  /** What goes on in the conversation, rate limits, and whatever is invented later. */
  | { readonly type: 'other' }

const TRANSCRIPTION = 'conversation.item.input_audio_transcription'

/** Throws `Malformed`. */
export function readTranscription(json: string): TranscriptionMessage {
  const message = messageOf(json, 'OpenAI')
  switch (message.type) {
    case 'session.created':
    case 'session.updated':
      return {
        type: message.type === 'session.created' ? 'created' : 'updated',
        expiresAtMs: expiryOf(message),
      }
    case 'input_audio_buffer.committed':
      return { type: 'committed', item: textIn(message, 'item_id') }
    case `${TRANSCRIPTION}.delta`: {
      const delta = message['delta']
      return {
        type: 'delta',
        item: textIn(message, 'item_id'),
        text: typeof delta === 'string' ? delta : '',
      }
    }
    case `${TRANSCRIPTION}.completed`:
      return {
        type: 'completed',
        item: textIn(message, 'item_id'),
        text: textIn(message, 'transcript').trim(),
        language: languageOf(message),
      }
    case `${TRANSCRIPTION}.failed`:
      return { type: 'failed' }
    case 'error':
      return errorOf(message)
    default:
      return { type: 'other' }
  }
}

function expiryOf(message: Fields): number | undefined {
  const session = message['session']
  const seconds = isFields(session) ? optionalNumber(session, 'expires_at') : undefined
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000
}

function languageOf(message: Fields): string | undefined {
  const languages = message['languages']
  const first: unknown = Array.isArray(languages) ? languages[0] : undefined
  const code = isFields(first) ? first['code'] : undefined
  return typeof code === 'string' ? code : undefined
}

function errorOf(message: Fields): TranscriptionMessage {
  const error = message['error']
  const type = isFields(error) ? error['type'] : undefined
  const code = isFields(error) ? error['code'] : undefined
  return {
    type: 'error',
    kind: typeof type === 'string' ? type : '',
    code: typeof code === 'string' ? code : undefined,
  }
}

/** A commit of less than it takes. */
export const COMMIT_EMPTY = 'input_audio_buffer_commit_empty'

/** Of an `error` event; its own sentence may quote what it was sent. */
export function transcriptionError(
  kind: string,
  code: string | undefined,
): { kind: ProviderErrorKind; message: string } {
  const named = code !== undefined && /^[a-z_]{1,64}$/.test(code) ? code : 'no code'
  return { kind: kindOf(kind, code), message: `OpenAI reported an error (${named})` }
}

function kindOf(type: string, code: string | undefined): ProviderErrorKind {
  switch (code) {
    case 'session_expired':
      return 'expired'
    case 'invalid_api_key':
    case 'key_revoked':
      return 'auth'
    case 'insufficient_quota':
    case 'billing_hard_limit_reached':
      return 'quota'
    case 'rate_limit_exceeded':
      return 'rate'
    default:
      break
  }
  if (type === 'authentication_error') return 'auth'
  if (type === 'rate_limit_error' || type === 'tokens' || type === 'requests') return 'rate'
  return type === 'invalid_request_error' ? 'bad_request' : 'transient'
}
