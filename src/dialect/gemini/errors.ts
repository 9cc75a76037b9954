/**
 * Google's errors (`google.rpc.Status`), as the body of an answer or as an event of a stream, into our kinds. Messages are built from
 * codes alone; Google's own sentence is read only to know a prompt that is too long. Pure.
 */
import type { ProviderErrorKind } from '../../errors.ts'
import type { ErrorFacts } from '../codec.ts'
import { isRecord } from '../openai-error.ts'

const TOLD_CHARACTERS = 2_000
const LONGEST_RETRY_MS = 3_600_000

interface Status {
  /** Such as `INVALID_ARGUMENT`; empty where there is none. */
  readonly status: string
  readonly message: string
  readonly details: readonly Record<string, unknown>[]
}

/** Of an HTTP answer that is not 2xx. */
export function geminiErrorOf(httpStatus: number, body: unknown): ErrorFacts {
  const told = statusOf(body)
  const kind = kindOf(httpStatus, told)
  const message = `HTTP ${httpStatus}${told.status === '' ? '' : ` (${told.status})`}`
  const after = kind === 'rate' ? retryOf(told) : undefined
  if (kind !== 'bad_request') return { kind, message, ...(after !== undefined && { retryAfterMs: after }) }
  return {
    kind,
    message,
    ...(isTooLong(told.message) && { declined: 'context_overflow' }),
    ...(told.message !== '' && {
      told: {
        message: told.message.slice(0, TOLD_CHARACTERS),
        ...(told.status !== '' && { code: told.status }),
      },
    }),
  }
}

/** Of an event `{ error }` in a stream that began with 200. */
export function geminiStreamError(event: Record<string, unknown>): ErrorFacts {
  const told = statusOf(event)
  const code = isRecord(event['error']) ? event['error']['code'] : undefined
  const kind = kindOf(typeof code === 'number' ? code : 500, told)
  return { kind, message: `the stream reported an error${told.status === '' ? '' : ` (${told.status})`}` }
}

/** Answers that are no event streams come as a list with the error in it. */
function statusOf(body: unknown): Status {
  const first = Array.isArray(body) ? body[0] : body
  const error = isRecord(first) && isRecord(first['error']) ? first['error'] : {}
  const { status, message, details } = error
  return {
    status: typeof status === 'string' && /^[A-Z_]{1,40}$/.test(status) ? status : '',
    message: typeof message === 'string' ? message : '',
    details: Array.isArray(details) ? details.filter(isRecord) : [],
  }
}

function kindOf(code: number, told: Status): ProviderErrorKind {
  switch (told.status) {
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return 'auth'
    case 'INVALID_ARGUMENT':
      // A wrong key of AI Studio comes as 400.
      return told.details.some(({ reason }) => reason === 'API_KEY_INVALID') ? 'auth' : 'bad_request'
    // The country or the plan: no other request would do better.
    case 'FAILED_PRECONDITION':
      return 'auth'
    case 'RESOURCE_EXHAUSTED':
      return code === 402 || isSpent(told) ? 'quota' : 'rate'
    case 'DEADLINE_EXCEEDED':
      return 'timeout'
    case 'UNAVAILABLE':
    case 'INTERNAL':
    case 'ABORTED':
    case 'CANCELLED':
    case 'UNKNOWN':
      return 'transient'
    default:
      return kindOfCode(code)
  }
}

function kindOfCode(code: number): ProviderErrorKind {
  if (code === 401 || code === 403) return 'auth'
  if (code === 402) return 'quota'
  if (code === 429) return 'rate'
  if (code === 408 || code === 504) return 'timeout'
  return code >= 500 || code === 409 || code === 499 ? 'transient' : 'bad_request'
}

/** A day's share is gone; a minute's comes again soon. */
function isSpent({ details }: Status): boolean {
  return details.some(({ violations }) => {
    const all = Array.isArray(violations) ? violations.filter(isRecord) : []
    return all.some(({ quotaId }) => typeof quotaId === 'string' && quotaId.includes('PerDay'))
  })
}

/** `google.rpc.RetryInfo`, such as `34.5s`. */
function retryOf({ details }: Status): number | undefined {
  for (const { retryDelay } of details) {
    const seconds =
      typeof retryDelay === 'string' ? /^(\d{1,7}(?:\.\d{1,9})?)s$/.exec(retryDelay)?.[1] : undefined
    if (seconds !== undefined) return Math.min(LONGEST_RETRY_MS, Math.round(Number(seconds) * 1000))
  }
  return undefined
}

function isTooLong(message: string): boolean {
  return /input token count.{0,60}exceeds the maximum/is.test(message)
}
