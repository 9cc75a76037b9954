/** Errors of an HTTP endpoint, whoever they come from, in the shape its callers know. */
import type { FastifyError } from 'fastify'
import type { FailFacts } from '../dialect/codec.ts'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { failFactsOf } from './failure.ts'

/** `onFault` is told of a fault of ours, for the log. */
export function factsOfError(error: unknown, onFault: (error: unknown) => void): FailFacts {
  const facts = failFactsOf(error) ?? httpFacts((error as FastifyError).statusCode)
  if (facts) return facts
  onFault(error)
  return of('internal_error', 'The server failed.')
}

/** What Fastify refused before the handler. */
function httpFacts(status: number | undefined): FailFacts | undefined {
  if (status === 413) return of('payload_too_large', 'The body is larger than this server takes.')
  if (status === 415) {
    return of('unsupported_media_type', 'The body must be JSON: send Content-Type: application/json.')
  }
  return status !== undefined && status >= 400 && status < 500
    ? of('invalid_json', 'The request is not well formed.')
    : undefined
}

function of(code: ErrorCode, message: string): FailFacts {
  const { status, type } = ERRORS[code]
  return { status, type, code, message, param: null }
}
