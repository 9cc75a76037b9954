/**
 * OpenAI-shaped errors, as a status with a body or as an object inside a stream, into our kinds. Messages are
 * built from codes alone: a provider's own sentence may quote the key or the caller. Pure.
 */
import type { Declined, ProviderErrorKind } from '../errors.ts'
import type { ErrorFacts, Told } from './codec.ts'

const TOLD_CHARACTERS = 2_000

/** Of an HTTP answer that is not 2xx; `body` as parsed, anything otherwise. */
export function errorOfStatus(status: number, body: unknown): ErrorFacts {
  const code = codeOf(body)
  const byCode = kindOfCode(code)
  // A spent quota comes as 429 like a full minute does; only the code tells them apart.
  const kind = status === 429 && byCode === 'quota' ? 'quota' : kindOfStatus(status)
  const message = `HTTP ${status}${code === '' ? '' : ` (${code})`}`
  if (kind !== 'bad_request') return { kind, message }
  const declined = declinedBy(code)
  const told = toldBy(body)
  return { kind, message, ...(declined && { declined }), ...(told && { told }) }
}

/** Of `{ error: … }` inside a stream that began with 200. */
export function errorOf(body: unknown): ErrorFacts {
  const code = codeOf(body)
  const status = /^[45]\d\d$/.test(code) ? Number(code) : undefined
  const kind =
    kindOfCode(code) ??
    kindOfCode(typeOf(body)) ??
    (status === undefined ? 'transient' : kindOfStatus(status))
  const message = `the stream reported an error${code === '' ? '' : ` (${code})`}`
  const declined = declinedBy(code)
  return declined ? { kind: 'bad_request', message, declined } : { kind, message }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOfStatus(status: number): ProviderErrorKind {
  if (status === 401 || status === 403) return 'auth'
  if (status === 402) return 'quota'
  if (status === 429) return 'rate'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 409 || status === 425) return 'transient'
  return status >= 500 ? 'transient' : 'bad_request'
}

function kindOfCode(code: string): ProviderErrorKind | undefined {
  switch (code) {
    case 'insufficient_quota':
    case 'billing_hard_limit_reached':
    case 'billing_not_active':
      return 'quota'
    case 'rate_limit_exceeded':
    case 'rate_limit_error':
    case 'tokens':
    case 'requests':
      return 'rate'
    case 'invalid_api_key':
    case 'authentication_error':
    case 'permission_error':
      return 'auth'
    case 'invalid_request_error':
    case 'context_length_exceeded':
    case 'model_not_found':
      return 'bad_request'
    case 'server_error':
    case 'overloaded_error':
    case 'service_unavailable':
      return 'transient'
    default:
      return undefined
  }
}

function declinedBy(code: string): Declined | undefined {
  switch (code) {
    case 'context_length_exceeded':
    case 'context_window_exceeded':
    case 'string_above_max_length':
      return 'context_overflow'
    case 'content_filter':
    case 'content_policy_violation':
      return 'content_refusal'
    default:
      return undefined
  }
}

/** Its own sentence, for who sent the request. */
function toldBy(body: unknown): Told | undefined {
  const error = errorObject(body)
  const message = error?.['message']
  if (!error || typeof message !== 'string' || message === '') return undefined
  const member = (name: string) => {
    const value = error[name]
    return typeof value === 'string' && value !== '' ? { [name]: value.slice(0, 200) } : {}
  }
  return {
    message: message.slice(0, TOLD_CHARACTERS),
    ...member('type'),
    ...member('code'),
    ...member('param'),
  }
}

function errorObject(given: unknown): Record<string, unknown> | undefined {
  // Google's compatible server sends a list of one.
  const body = Array.isArray(given) ? given[0] : given
  if (!isRecord(body)) return undefined
  // Hugging Face and some others: the sentence alone.
  if (typeof body['error'] === 'string') return { ...body, message: body['error'] }
  return isRecord(body['error']) ? body['error'] : body
}

/** The code, else the type, if it looks like one and not like a sentence. */
function codeOf(body: unknown): string {
  const error = errorObject(body)
  for (const value of [error?.['code'], error?.['type']]) {
    if (typeof value === 'number') return String(value)
    if (typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)) return value
  }
  return ''
}

function typeOf(body: unknown): string {
  const type = errorObject(body)?.['type']
  return typeof type === 'string' ? type : ''
}
