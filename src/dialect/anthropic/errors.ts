/**
 * Anthropic's errors: theirs into our kinds, and ours in their shape. Pure. Types and codes are of `@anthropic-ai/sdk` 1.13. Its page says that
 * wording may change, so only where no code exists is a sentence looked at, and never repeated but to the request's sender.
 */
import type { ProviderErrorKind } from '../../errors.ts'
import type { ErrorFacts, FailFacts, Told } from '../codec.ts'
import { isRecord } from '../openai-error.ts'

const TOLD_CHARACTERS = 2_000

/** Of an HTTP answer that is not 2xx; `body` as parsed, anything otherwise. */
export function errorOfStatus(status: number, body: unknown): ErrorFacts {
  const { type, code, sentence } = partsOf(body)
  const name = code || type
  const message = `HTTP ${status}${name === '' ? '' : ` (${name})`}`
  const kind = kindOfCode(code) ?? kindOfStatus(status)
  if (kind !== 'bad_request') return { kind, message }
  // A spent balance and a spend limit come as 400 without a code.
  if (/credit balance is too low|usage limits|spend limit/i.test(sentence)) return { kind: 'quota', message }
  const told = toldOf(sentence, type, code)
  return { kind, message, ...declinedBy(status, sentence), ...(told && { told }) }
}

/** Of an `error` event inside a stream that began with 200. */
export function errorOfEvent(body: unknown): Omit<ErrorFacts, 'told'> {
  const { type, code, sentence } = partsOf(body)
  const name = code || type
  const kind = kindOfCode(code) ?? kindOfType(type) ?? 'transient'
  const message = `the stream reported an error${name === '' ? '' : ` (${name})`}`
  return { kind, message, ...(kind === 'bad_request' && declinedBy(0, sentence)) }
}

function kindOfStatus(status: number): ProviderErrorKind {
  if (status === 401 || status === 403) return 'auth'
  if (status === 402) return 'quota'
  if (status === 429) return 'rate'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 409 || status === 425) return 'transient'
  // 529 says that everybody's requests are too many.
  return status >= 500 ? 'transient' : 'bad_request'
}

function kindOfType(type: string): ProviderErrorKind | undefined {
  switch (type) {
    case 'authentication_error':
    case 'permission_error':
      return 'auth'
    case 'billing_error':
      return 'quota'
    case 'rate_limit_error':
      return 'rate'
    case 'timeout_error':
      return 'timeout'
    case 'invalid_request_error':
    case 'not_found_error':
    case 'request_too_large':
      return 'bad_request'
    case 'api_error':
    case 'overloaded_error':
    case 'conflict_error':
      return 'transient'
    default:
      return undefined
  }
}

/** Those whose status says something else. */
function kindOfCode(code: string): ProviderErrorKind | undefined {
  switch (code) {
    case 'contract_spend_limit_reached':
    case 'enforced_spend_limit_reached':
      return 'quota'
    case 'organization_on_hold':
    case 'cmek_key_disabled':
    case 'cmek_key_network_blocked':
    case 'claude_code_key_creator_not_member':
      return 'auth'
    default:
      return undefined
  }
}

function declinedBy(status: number, sentence: string): Pick<ErrorFacts, 'declined'> {
  const long = /prompt is too long|exceeds? (the )?context (limit|window)|input is too long/i.test(sentence)
  return status === 413 || long ? { declined: 'context_overflow' } : {}
}

function toldOf(sentence: string, type: string, code: string): Told | undefined {
  if (sentence === '') return undefined
  const told = { message: sentence.slice(0, TOLD_CHARACTERS) }
  return { ...told, ...(type !== '' && { type }), ...(code !== '' && { code }) }
}

function partsOf(body: unknown): { type: string; code: string; sentence: string } {
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
  const details = isRecord(error['details']) ? error['details'] : {}
  const { message } = error
  return {
    type: nameOf(error['type']),
    code: nameOf(details['error_code']),
    sentence: typeof message === 'string' ? message : '',
  }
}

/** If it looks like a name, and not like a sentence. */
function nameOf(value: unknown): string {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : ''
}

/** `details.error_code` is our own code: the SDK gives it as `errorCode`. */
export function errorBody({ status, code, message, param }: FailFacts): Record<string, unknown> {
  const details = { error_code: code, ...(param !== null && { param }) }
  return { type: 'error', error: { type: typeOfStatus(status), message, details }, request_id: null }
}

function typeOfStatus(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 402:
      return 'billing_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 409:
      return 'conflict_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 408:
    case 504:
      return 'timeout_error'
    case 503:
    case 529:
      return 'overloaded_error'
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error'
  }
}
