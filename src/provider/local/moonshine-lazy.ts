/** A recogniser that is here but loads its model only when the first stream opens. */
import { orAborted } from '../../cancel.ts'
import { ProviderError } from '../../errors.ts'
import type { SttCaps } from '../../stage/stt.ts'
import type { Moonshine } from './moonshine/index.ts'

/** A start that failed is tried again by the next stream. */
export function lazyMoonshine(id: string, caps: SttCaps, start: () => Promise<Moonshine>): Moonshine {
  let started: Promise<Moonshine> | undefined
  let closed = false
  return {
    id,
    caps,
    async open(options) {
      if (closed) throw failure('the recogniser is closed')
      started ??= start().catch((error: unknown) => {
        started = undefined
        throw failure('the recogniser could not be started', error)
      })
      return (await orAborted(started, options.signal)).open(options)
    },
    async close() {
      closed = true
      const moonshine = await started?.catch(() => undefined)
      await moonshine?.close()
    },
  }
}

function failure(message: string, cause?: unknown): ProviderError {
  const facts = { provider: 'local', stage: 'stt', kind: 'transient', message } as const
  return new ProviderError(cause === undefined ? facts : { ...facts, cause })
}
