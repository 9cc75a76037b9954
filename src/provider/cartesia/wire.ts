/**
 * Cartesia's text to speech over its WebSocket: what is sent, what comes back, what an error means.
 * The provider's pages: https://docs.cartesia.ai/api-reference/tts/websocket and, beside it, contexts, buffering, and
 * context flushing. Read 2026-11-22, from the types of @cartesia/cartesia-js 4.2.0 (S), from adapters in use (P) and
 * the pages (D). Not yet run with real keys.
 *
 *     ─► {…settings,"context_id":C,"transcript":"Hello. ","continue":true}
 *     ─► {…settings,"context_id":C,"transcript":"","continue":true,"flush":true}     a flush has no words of its own
 *     ◄─ chunk{data,flush_id} … timestamps{word_timestamps} … flush_done{flush_id}
 *     ─► {…settings,"context_id":C,"transcript":"","continue":false}                  the end
 *     ◄─ done
 *     ─► {"context_id":C,"cancel":true}                                               stops only what has not begun
 *     ◄─ error{title,message,error_code,status_code,context_id}                       older: {error}
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { SpokenWord } from '../../stage/tts.ts'
import { kindOfCloseCode, kindOfStatus } from '../dial.ts'

/** The version whose types were read. */
export const CARTESIA_VERSION = '2026-08-14'

/** `baseUrl` has no slash at its end. */
export function urlOf(baseUrl: string): string {
  return `${baseUrl}/tts/websocket?cartesia_version=${CARTESIA_VERSION}`
}

export interface VoiceRequest {
  readonly model: string
  readonly voice: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language?: string
  readonly speed?: number
}

/** Fields that must be the same in every message of a context. */
export type ContextFields = Readonly<Record<string, unknown>>

export function contextFields({ model, voice, format, language, speed }: VoiceRequest): ContextFields {
  const encoding = { pcm16: 'pcm_s16le', mulaw: 'pcm_mulaw', alaw: 'pcm_alaw' }[format.encoding]
  return {
    model_id: model,
    voice: { mode: 'id', id: voice },
    output_format: { container: 'raw', encoding, sample_rate: format.sampleRateHz },
    ...(language !== undefined && { language: language.split('-')[0]!.toLowerCase() }),
    ...(speed !== undefined &&
      speed !== 1 && { generation_config: { speed: Math.min(1.5, Math.max(0.6, speed)) } }),
    add_timestamps: true,
    // The words as we sent them, not as they are pronounced: they are looked up in the text.
    use_normalized_timestamps: false,
    // Whole sentences are sent: the default would wait 3 s for more.
    max_buffer_delay_ms: 0,
  }
}

/** Transcripts are joined as they are, so each brings its space. */
export function speakText(fields: ContextFields, context: string, text: string): string {
  return JSON.stringify({ ...fields, context_id: context, transcript: `${text.trimEnd()} `, continue: true })
}

export function flushContext(fields: ContextFields, context: string): string {
  return JSON.stringify({ ...fields, context_id: context, transcript: '', continue: true, flush: true })
}

export function endContext(fields: ContextFields, context: string): string {
  return JSON.stringify({ ...fields, context_id: context, transcript: '', continue: false })
}

export function cancelContext(context: string): string {
  return JSON.stringify({ context_id: context, cancel: true })
}

export type ServerMessage =
  | {
      readonly type: 'chunk'
      readonly context: string
      readonly audio: Uint8Array
      readonly flushId: number | undefined
    }
  | {
      readonly type: 'timestamps'
      readonly context: string
      readonly words: readonly SpokenWord[]
      readonly flushId: number | undefined
    }
  | { readonly type: 'flushDone'; readonly context: string; readonly flushId: number | undefined }
  | { readonly type: 'done'; readonly context: string }
  | {
      readonly type: 'error'
      readonly context: string | undefined
      readonly kind: ProviderErrorKind
      /** Our words and the provider's codes, never its message, which may quote the text. */
      readonly message: string
    }
  | { readonly type: 'other' }

/** Undefined: not what this protocol speaks. */
export function parseMessage(text: string): ServerMessage | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(raw)) return undefined
  const context = typeof raw['context_id'] === 'string' ? raw['context_id'] : undefined
  const flushId = typeof raw['flush_id'] === 'number' ? raw['flush_id'] : undefined
  const type = raw['type'] ?? (raw['error'] === undefined ? undefined : 'error')
  if (type === 'error') return errorOf(raw, context)
  if (context === undefined) return { type: 'other' }
  switch (type) {
    case 'chunk': {
      const { data } = raw
      return typeof data === 'string'
        ? { type: 'chunk', context, flushId, audio: Buffer.from(data, 'base64') }
        : undefined
    }
    case 'timestamps':
      return { type: 'timestamps', context, flushId, words: wordsOf(raw['word_timestamps']) }
    case 'flush_done':
      return { type: 'flushDone', context, flushId }
    case 'done':
      return { type: 'done', context }
    default:
      return { type: 'other' }
  }
}

/** Seconds become milliseconds here. */
function wordsOf(raw: unknown): SpokenWord[] {
  if (!isRecord(raw)) return []
  const { words, start, end } = raw
  if (!Array.isArray(words) || !Array.isArray(start) || !Array.isArray(end)) return []
  return words.flatMap((word: unknown, i) => {
    const [from, to]: unknown[] = [start[i], end[i]]
    if (typeof word !== 'string' || typeof from !== 'number' || typeof to !== 'number') return []
    const startMs = Math.round(from * 1000)
    return [{ text: word, startMs, endMs: Math.max(startMs, Math.round(to * 1000)) }]
  })
}

function errorOf(raw: Record<string, unknown>, context: string | undefined): ServerMessage {
  const status = typeof raw['status_code'] === 'number' ? raw['status_code'] : 0
  const named = raw['error_code']
  const code = typeof named === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(named) ? named : undefined
  const message = `the provider says ${[code, status || undefined].filter(Boolean).join(' ') || 'error'}`
  return { type: 'error', context, kind: kindOfCode(code ?? '') ?? kindOfStatus(status), message }
}

function kindOfCode(code: string): ProviderErrorKind | undefined {
  if (/quota|credit/.test(code)) return 'quota'
  if (/concurren|rate_limit/.test(code)) return 'rate'
  if (/expired/.test(code)) return 'expired'
  return undefined
}

/** What a close while something was owed means to the router. */
export function kindOfClose(code: number, reason: string): ProviderErrorKind {
  if (/idle/i.test(reason)) return 'expired'
  return kindOfCloseCode(code)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
