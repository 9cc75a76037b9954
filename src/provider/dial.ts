/** Opening a provider's socket within a time limit, its refusals as `ProviderError`s. Never tries again. */
import { openScope, orAborted } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { ProviderError, type ProviderErrorKind, type StageName } from '../errors.ts'
import { retryAfterMs } from './retry-after.ts'
import { type Connect, type Socket, UpgradeRefused } from './socket.ts'

export interface Call {
  readonly connect: Connect
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly provider: string
  readonly stage: StageName
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Name, TCP, TLS and upgrade together. */
  readonly connectMs: number
}

/** Throws `ProviderError`, or the signal's reason when it aborts first. */
export async function dial(call: Call): Promise<Socket> {
  const { connect, url, headers, provider, stage, signal, clock, connectMs } = call
  signal.throwIfAborted()
  const scope = openScope(signal)
  let late = false
  const timer = clock.setTimer(connectMs, () => {
    late = true
    scope.cancel('deadline')
  })
  const opening = connect({ url, headers, signal: scope.signal })
  try {
    return await orAborted(opening, scope.signal)
  } catch (error) {
    // One that opens after all is not left standing.
    opening.then((socket) => socket.terminate()).catch(() => {})
    signal.throwIfAborted()
    if (late) {
      const message = `no connection within ${connectMs} ms`
      throw new ProviderError({ provider, stage, kind: 'timeout', message })
    }
    throw refusalOf(call, error)
  } finally {
    timer.cancel()
    scope.release()
  }
}

/** What an HTTP status means to the router. */
export function kindOfStatus(status: number): ProviderErrorKind {
  if (status === 401 || status === 403) return 'auth'
  if (status === 402) return 'quota'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 429) return 'rate'
  return status >= 400 && status < 500 ? 'bad_request' : 'transient'
}

/** What the code of a close means to the router: refused (1003, 1007, 1008, 1009), or broken. */
export function kindOfCloseCode(code: number): ProviderErrorKind {
  return code === 1008 || code === 1003 || code === 1007 || code === 1009 ? 'bad_request' : 'transient'
}

function refusalOf({ provider, stage, clock }: Call, error: unknown): ProviderError {
  if (error instanceof UpgradeRefused) {
    const after = retryAfterMs(error.headers, clock.wallMs())
    return new ProviderError({
      provider,
      stage,
      kind: kindOfStatus(error.status),
      // Not its body: a provider may quote the key in it.
      message: `the connection was refused with status ${error.status}`,
      ...(after !== undefined && { retryAfterMs: after }),
    })
  }
  const code = (error as { code?: unknown } | undefined)?.code
  const what = typeof code === 'string' ? code : error instanceof Error ? error.name : 'failed'
  const message = `the connection failed (${what})`
  return new ProviderError({ provider, stage, kind: 'transient', message, cause: error })
}
