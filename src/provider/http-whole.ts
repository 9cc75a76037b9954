/** A whole answer of a model's HTTP server. */
import { openScope } from '../cancel.ts'
import { StreamFault } from '../dialect/faults.ts'
import type { ModelEvent } from '../dialect/neutral.ts'
import type { WholeAnswer } from '../stage/llm.ts'
import { asProviderError, exchange, type HttpBody, type HttpExchange } from './http-exchange.ts'

/** Far above any answer, images among them; below what hurts. */
const WHOLE_BODY_BYTES = 32 * 1024 * 1024

export interface WholeExchange extends HttpExchange {
  /** Throws `StreamFault`. */
  readonly read: (body: unknown) => ModelEvent[]
}

/** Throws `ProviderError`, or the signal's reason. */
export async function wholeOf(call: WholeExchange, signal: AbortSignal): Promise<WholeAnswer> {
  signal.throwIfAborted()
  const scope = openScope(signal)
  try {
    const { body } = await exchange(call, scope)
    const text = await textOf(body)
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      throw new StreamFault('transient', 'the answer is malformed JSON')
    }
    const events = call.read(parsed)
    scope.release()
    return { text, events }
  } catch (error) {
    scope.cancel('done')
    signal.throwIfAborted()
    throw asProviderError(call, error)
  }
}

/** Throws `StreamFault` when it is too large. */
export /** By its events: a body read as an iterable costs as much again as all else of a short answer. */
function textOf(body: HttpBody): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= WHOLE_BODY_BYTES) return void chunks.push(chunk)
      reject(new StreamFault('transient', `the answer is larger than ${WHOLE_BODY_BYTES} bytes`))
      body.destroy()
    })
    body.on('end', () => {
      const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      resolve(whole.toString('utf8'))
    })
    body.on('error', reject)
    // A body destroyed by an abort may close without an error; after its end this says nothing.
    body.on('close', () => reject(new StreamFault('transient', 'the connection closed')))
  })
}
