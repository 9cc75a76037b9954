/** Soniox real-time recognition: its address, its messages, its codes. Milliseconds already. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import { type Fields, listIn, objectOf, optionalNumber, textIn } from '../message.ts'
import { Malformed } from '../protocol.ts'
import type { EndpointRules } from './turns.ts'

export const FINALIZE = '{"type":"finalize"}'
export const KEEP_ALIVE = '{"type":"keepalive"}'
/** An empty frame, text as its SDK sends it. */
export const END_OF_AUDIO = ''

const FORMATS = { pcm16: 'pcm_s16le', mulaw: 'mulaw', alaw: 'alaw' } as const

export function streamUrl(base: string): string {
  return `${base}/transcribe-websocket`
}

export interface StartRequest {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
  /** Left out: it ends no turn. */
  readonly endpoints: EndpointRules | undefined
}

/** Without the key, which goes with the connection. */
export function startMessage({ model, format, language, hints, endpoints }: StartRequest): string {
  const primary = language?.toLowerCase().split('-')[0]
  return JSON.stringify({
    model,
    audio_format: FORMATS[format.encoding],
    sample_rate: format.sampleRateHz,
    num_channels: 1,
    enable_language_identification: true,
    enable_endpoint_detection: endpoints !== undefined,
    ...(endpoints?.maxDelayMs !== undefined && { max_endpoint_delay_ms: endpoints.maxDelayMs }),
    ...(endpoints?.sensitivity !== undefined && { endpoint_sensitivity: endpoints.sensitivity }),
    ...(primary !== undefined && { language_hints: [primary] }),
    ...(hints.length > 0 && { context: { terms: hints } }),
  })
}

/** A piece of text, smaller than a word; one that begins with a space begins a word. */
export interface Token {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
  readonly confidence: number | undefined
  readonly language: string | undefined
}

export type SonioxMessage =
  | {
      readonly type: 'tokens'
      /** Said once: they follow what was settled before. */
      readonly settled: readonly Token[]
      /** Instead of those of the message before. */
      readonly unsettled: readonly Token[]
      /** In the order in which they came: the answer to a `finalize`, and an end of turn of its own. */
      readonly marks: readonly Mark[]
    }
  | { readonly type: 'error'; readonly code: number | undefined; readonly name: string | undefined }
  /** The end, asked for by us. */
  | { readonly type: 'finished' }

export interface Mark {
  readonly mark: 'finalized' | 'endpoint'
  /** How many of the settled tokens stand before it. */
  readonly after: number
}

const MARKS: Readonly<Record<string, Mark['mark']>> = { '<fin>': 'finalized', '<end>': 'endpoint' }

/** Throws `Malformed`. */
export function readMessage(json: string): SonioxMessage {
  const message = objectOf(json, 'Soniox')
  if ('error_code' in message || 'error_message' in message) {
    const name = message['error_type']
    return {
      type: 'error',
      code: optionalNumber(message, 'error_code'),
      name: typeof name === 'string' ? name : undefined,
    }
  }
  if ('tokens' in message) return tokensOf(listIn(message, 'tokens'))
  if (message['finished'] === true) return { type: 'finished' }
  throw new Malformed('Soniox sent a message without tokens')
}

function tokensOf(all: readonly Fields[]): SonioxMessage {
  const settled: Token[] = []
  const unsettled: Token[] = []
  const marks: Mark[] = []
  for (const fields of all) {
    const text = textIn(fields, 'text')
    const mark = Object.hasOwn(MARKS, text) ? MARKS[text] : undefined
    if (mark !== undefined) marks.push({ mark, after: settled.length })
    // Nobody asked for a translation; where there is one, it was not said.
    else if (fields['translation_status'] === 'translation') continue
    else (fields['is_final'] === true ? settled : unsettled).push(tokenOf(fields, text))
  }
  return { type: 'tokens', settled, unsettled, marks }
}

function tokenOf(fields: Fields, text: string): Token {
  const language = fields['language']
  const startMs = optionalNumber(fields, 'start_ms')
  const endMs = optionalNumber(fields, 'end_ms')
  if (startMs === undefined || endMs === undefined) throw new Malformed('a token of Soniox has no time')
  return {
    text,
    startMs,
    endMs,
    confidence: optionalNumber(fields, 'confidence'),
    language: typeof language === 'string' ? language : undefined,
  }
}

/** https://soniox.com/docs/api-reference/stt/websocket-api; `name` is the finer `error_type` of newer servers. */
export function errorOf(
  code: number | undefined,
  name: string | undefined,
): { kind: ProviderErrorKind; message: string } {
  return { kind: kindOf(code, name), message: `Soniox ended the session (${code ?? 'no code'})` }
}

function kindOf(code: number | undefined, name: string | undefined): ProviderErrorKind {
  switch (name) {
    case 'max_duration_reached':
    case 'temp_api_key_session_expired':
      return 'expired'
    case 'organization_balance_exhausted':
    case 'organization_monthly_budget_exhausted':
    case 'project_monthly_budget_exhausted':
      return 'quota'
    default:
      break
  }
  switch (code) {
    case 401:
    case 403:
      return 'auth'
    case 402:
      return 'quota'
    case 429:
      return 'rate'
    // Neither audio nor a keep-alive for 20 s.
    case 408:
      return 'expired'
    default:
      return code !== undefined && code >= 400 && code < 500 ? 'bad_request' : 'transient'
  }
}
