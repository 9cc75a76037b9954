/**
 * The one provider error, and the one table of every error code Parley can answer with.
 * The table is in `error-codes.ts`; `docs/errors.md` mirrors it and a test holds them equal.
 */
import { ERRORS, type ErrorCode } from './error-codes.ts'
import type { ErrorType } from './error-facts.ts'

export { ERRORS, type ErrorCode } from './error-codes.ts'
export type { ErrorFacts, ErrorType } from './error-facts.ts'

/** OpenAI's error shape, which every HTTP answer of ours that is not a success has as its body. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: ErrorType
    readonly param: string | null
    readonly code: ErrorCode
  }
}

/** The body for a code; its status is `ERRORS[code].status`. `message` must hold no secret. */
export function openaiError(code: ErrorCode, message: string, param: string | null = null): ErrorBody {
  return { error: { message, type: ERRORS[code].type, param, code } }
}

/** Anthropic's shape, for who asks in it; read in `@anthropic-ai/sdk` 1.13. */
export interface AnthropicErrorBody {
  readonly type: 'error'
  readonly error: { readonly type: string; readonly message: string }
  readonly request_id: null
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** As `openaiError`. */
export function anthropicError(code: ErrorCode, message: string): AnthropicErrorBody {
  const type = ANTHROPIC_TYPES[ERRORS[code].status] ?? 'api_error'
  return { type: 'error', error: { type, message }, request_id: null }
}

export type StageName = 'stt' | 'llm' | 'tts'

export type ProviderErrorKind =
  | 'auth'
  | 'quota'
  | 'rate'
  | 'bad_request'
  | 'transient'
  | 'timeout'
  | 'expired'
  | 'cancelled'

/**
 * Why a `bad_request` is no fault of ours: this target cannot serve the request, another may. Too long for its context;
 * or against its rules for content.
 */
export type Declined = 'context_overflow' | 'content_refusal'

const RETRYABLE: Record<ProviderErrorKind, boolean> = {
  auth: false,
  quota: false,
  rate: true,
  bad_request: false,
  transient: true,
  timeout: true,
  expired: true,
  cancelled: false,
}

export interface ProviderErrorFacts {
  readonly provider: string
  readonly stage: StageName
  readonly kind: ProviderErrorKind
  readonly message: string
  readonly retryAfterMs?: number
  /** With `bad_request` only. */
  readonly declined?: Declined
  /** With `bad_request` only. */
  readonly told?: ProviderTold
  readonly cause?: unknown
}

/** What the provider said of a request it refused: for its sender alone, whom it may quote. */
export interface ProviderTold {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly code?: string
  readonly param?: string
}

/** What an adapter throws, and the only thing. `message` must hold no secret and no caller's words. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly provider: string
  readonly stage: StageName
  readonly kind: ProviderErrorKind
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly declined: Declined | undefined
  /** Not a property, which a log would write down. */
  readonly #told: ProviderTold | undefined

  constructor(facts: ProviderErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.provider = facts.provider
    this.stage = facts.stage
    this.kind = facts.kind
    this.retryable = RETRYABLE[facts.kind]
    this.retryAfterMs = facts.retryAfterMs
    this.declined = facts.declined
    this.#told = facts.told
  }

  get told(): ProviderTold | undefined {
    return this.#told
  }
}
