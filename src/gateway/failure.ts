/** What went wrong, as an answer to the caller: a status, and OpenAI's words for it, which each dialect puts into its own shape. */
import { AttemptsFailed } from '../attempt/failure.ts'
import { NoCandidate } from '../attempt/lineup.ts'
import { isCancelled } from '../cancel.ts'
import type { FailFacts } from '../dialect/codec.ts'
import { RequestFault } from '../dialect/faults.ts'
import { ERRORS, type ErrorCode, type ProviderTold } from '../errors.ts'
import { PreferenceError } from './preferences/index.ts'

/** Refused before anybody was asked. `message` holds no secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message)
  }
}

/** Undefined: a fault of ours, which is thrown on. */
export function failFactsOf(error: unknown): FailFacts | undefined {
  if (error instanceof Refusal) return of(error.code, error.message, error.param)
  if (error instanceof RequestFault) {
    const { code, message, param } = error
    return { status: 400, type: 'invalid_request_error', code, message, param }
  }
  if (error instanceof PreferenceError)
    return of(error.code, `'${error.param}' ${error.message}.`, error.param)
  if (isCancelled(error) && error.reason === 'deadline')
    return of('timeout', 'The answer was not whole in the time the request gave it.')
  if (error instanceof NoCandidate) return of('no_target', ERRORS.no_target.meaning)
  if (!(error instanceof AttemptsFailed)) return undefined
  const told = lastTold(error)
  if (told) return toldFacts(told)
  return of(error.kind === null || error.kind === 'cancelled' ? 'no_target' : error.kind, error.message)
}

/** What the last provider that refused the request said of it: all others had their say before. */
function lastTold({ attempts, kind }: AttemptsFailed): ProviderTold | undefined {
  if (kind !== 'bad_request') return undefined
  return attempts.findLast(({ error }) => error?.told)?.error?.told
}

function toldFacts({ status, message, type, code, param }: ProviderTold): FailFacts {
  return {
    status: status >= 400 && status < 500 ? status : 400,
    type: type ?? 'invalid_request_error',
    code: code ?? 'bad_request',
    message,
    param: param ?? null,
  }
}

function of(code: ErrorCode, message: string, param: string | null = null): FailFacts {
  const { status, type } = ERRORS[code]
  return { status, type, code, message, param }
}
