/** What is said of an error code, wherever the code is listed. */

/** The classes of errors, as OpenAI's clients know them. */
export type ErrorType = 'invalid_request_error' | 'rate_limit_error' | 'server_error'

export interface ErrorFacts {
  /** Of the HTTP answer; on a Realtime socket the error is an event and this is what HTTP would have said. */
  readonly status: number
  readonly type: ErrorType
  /** The same request may succeed later without being changed. */
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
}

export const INVALID = 'invalid_request_error'
export const SERVER = 'server_error'
export const LIMIT = 'rate_limit_error'

export function fact(
  status: number,
  type: ErrorType,
  again: 'retry' | 'final',
  meaning: string,
  remedy: string,
): ErrorFacts {
  return { status, type, retryable: again === 'retry', meaning, remedy }
}
