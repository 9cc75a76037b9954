/** Back-pressure: a client that does not read stops who writes to it. */
import type { ServerResponse } from 'node:http'

/** Resolves when `out` takes more. Rejects with the signal's reason. */
export function drained(out: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
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
