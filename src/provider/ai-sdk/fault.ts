/** What packages throw, as our one provider error. Their classes are known by the marks they bear, since each package may bring its own. */
import type { Clock } from '../../clock.ts'
import { RequestFault, StreamFault } from '../../dialect/faults.ts'
import { errorOfStatus, isRecord } from '../../dialect/openai-error.ts'
import { ProviderError, type ProviderErrorKind } from '../../errors.ts'
import { failure, withoutSecrets } from '../http-exchange.ts'
import { retryAfterMs } from '../retry-after.ts'

export interface FaultContext {
  readonly provider: string
  readonly clock: Clock
  /** What must not be told to anybody, wherever a provider quotes it. */
  readonly secrets: () => readonly string[]
}

export function providerErrorOf(error: unknown, context: FaultContext): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof StreamFault) {
    const { kind, message, declined } = error
    return failure(context, kind, message, declined && { declined })
  }
  if (error instanceof RequestFault) {
    const { message, code, param } = error
    return failure(context, 'bad_request', 'the request cannot be said in its dialect', {
      told: { status: 400, message, code, ...(param !== null && { param }) },
    })
  }
  if (is(error, 'APICallError')) return callError(error, context)
  if (is(error, 'LoadAPIKeyError') || is(error, 'LoadSettingError'))
    return failure(context, 'auth', 'the package found no key, or lacks another setting')
  if (is(error, 'NoSuchModelError')) return failure(context, 'bad_request', 'the package knows no such model')
  for (const name of ['UnsupportedFunctionalityError', 'InvalidPromptError', 'InvalidArgumentError']) {
    if (!is(error, name)) continue
    return failure(context, 'bad_request', `the package refused the request (${name})`, {
      told: { status: 400, message: withoutSecrets(context.secrets(), messageOf(error)) },
    })
  }
  if (is(error, 'JSONParseError') || is(error, 'TypeValidationError'))
    return failure(context, 'transient', 'the stream held an event that cannot be read')
  return lost(error, context)
}

/** A refusal with its status, an answer that makes no sense, or no answer at all. */
function callError(error: Record<string, unknown>, context: FaultContext): ProviderError {
  const { statusCode, responseHeaders, responseBody } = error
  if (typeof statusCode !== 'number') return lost(error, context)
  if (statusCode < 300) return failure(context, 'transient', 'the answer cannot be read')
  const { kind, message, declined, told } = errorOfStatus(statusCode, parsed(responseBody))
  const headers = isRecord(responseHeaders) ? (responseHeaders as Record<string, string>) : {}
  const after = retryAfterMs(headers, context.clock.wallMs())
  return failure(context, kind, message, {
    ...(after !== undefined && { retryAfterMs: after }),
    ...(declined && { declined }),
    ...(told && {
      told: { ...told, message: withoutSecrets(context.secrets(), told.message), status: statusCode },
    }),
  })
}

const LATE = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']
const CAUSES = 8

/** The code lies some causes deep. */
function lost(error: unknown, context: FaultContext): ProviderError {
  let at = error
  for (let depth = 0; depth < CAUSES && isRecord(at); depth++) {
    const { code, cause } = at
    if (typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code)) return broken(code, context)
    if (at instanceof StreamFault) return providerErrorOf(at, context)
    at = cause
  }
  return broken(error instanceof Error && /^[\w$]{1,40}$/.test(error.name) ? error.name : 'failed', context)
}

function broken(what: string, context: FaultContext): ProviderError {
  const kind: ProviderErrorKind = LATE.includes(what) ? 'timeout' : 'transient'
  // Without the cause: it holds the request.
  return failure(context, kind, `the connection failed (${what})`)
}

function is(error: unknown, name: string): error is Record<string, unknown> {
  return isRecord(error) && error[Symbol.for(`vercel.ai.error.AI_${name}`) as never] === true
}

function messageOf({ message }: Record<string, unknown>): string {
  return typeof message === 'string' ? message.slice(0, 2_000) : ''
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    return undefined
  }
}
