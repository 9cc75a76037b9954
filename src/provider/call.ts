/**
 * The face of providers' own SDKs that adapters speak through, so that their tests run in memory and on the virtual clock: a
 * connection, and calls on it that stream both ways.
 */
import type { ProviderErrorKind } from '../errors.ts'

export interface Rpc {
  /** Resolves when the connection is open. Rejects with the signal's reason, or with what the SDK says. */
  ready(signal: AbortSignal): Promise<void>
  call(hearing: CallHearing): RpcCall
  close(): Promise<void>
}

export interface RpcCall {
  /** `taken`: the network has it. */
  write(request: object, taken: () => void): void
  /** Nothing more is written; what is left is answered. */
  end(): void
  /** Nothing more is heard. Idempotent. */
  cancel(): void
}

/** Nothing comes after `ended` or `failed`. */
export interface CallHearing {
  message(response: unknown): void
  ended(): void
  failed(fault: RpcFault): void
}

export interface RpcFault {
  readonly kind: ProviderErrorKind
  /** Of ours: no provider's sentence. */
  readonly message: string
  readonly retryAfterMs?: number
}
