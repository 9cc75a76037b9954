/** Back-pressure: a client that does not read stops who writes to it, and after a while loses its connection. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'

export interface Patience {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long a client may read nothing: without an end its request, and the one upstream, would be held for ever. */
  readonly readerMs: number
}

/** Resolves when `out` takes more. Rejects with the signal's reason, which the end of a connection brings. */
export function drained(out: ServerResponse, { clock, signal, readerMs }: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(readerMs, () => void out.destroy())
    const settle = (done: () => void) => {
      timer.cancel()
      out.off('drain', onDrain)
      signal.removeEventListener('abort', onAbort)
      done()
    }
    const onDrain = () => settle(resolve)
    const onAbort = () => settle(() => reject(signal.reason))
    out.once('drain', onDrain)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}
