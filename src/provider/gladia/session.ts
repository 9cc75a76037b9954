/** A new live session: one request over HTTP, whose answer is the address to connect to. */
import type { Dispatcher } from 'undici'
import { openScope } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import { errorOfStatus } from '../../dialect/openai-error.ts'
import { asProviderError, failure, post } from '../http-exchange.ts'
import { textOf } from '../http-whole.ts'
import { Malformed } from '../protocol.ts'
import { sessionUrl } from './wire.ts'

export interface NewSession {
  readonly provider: string
  readonly dispatcher: Dispatcher
  /** `ws:` or `wss:`, as everywhere. */
  readonly baseUrl: string
  readonly apiKey: string
  readonly body: string
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly withinMs: number
}

/** Throws `ProviderError`, or the signal's reason. */
export async function newSession(session: NewSession): Promise<string> {
  const { provider, dispatcher, baseUrl, apiKey, body, signal, clock, withinMs } = session
  const call = {
    provider,
    stage: 'stt',
    dispatcher,
    codec: { errorOf: errorOfStatus },
    clock,
    secrets: [apiKey],
    success: 201,
  } as const
  const url = new URL(`${baseUrl.replace(/^ws/, 'http')}/v2/live`)
  const target = {
    origin: url.origin,
    path: url.pathname,
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-gladia-key': apiKey },
  }
  signal.throwIfAborted()
  const scope = openScope(signal)
  let isLate = false
  const timer = clock.setTimer(withinMs, () => {
    isLate = true
    scope.cancel('deadline')
  })
  try {
    const answer = await post(call, target, body, scope.signal)
    return sessionUrl(await textOf(answer.body), baseUrl.startsWith('wss:') ? 'wss:' : 'ws:')
  } catch (error) {
    scope.cancel('done')
    signal.throwIfAborted()
    if (isLate) throw failure(call, 'timeout', `no session within ${withinMs} ms`)
    if (error instanceof Malformed) throw failure(call, 'transient', error.message)
    throw asProviderError(call, error)
  } finally {
    timer.cancel()
    scope.release()
  }
}
