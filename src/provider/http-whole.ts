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
export async function textOf(body: HttpBody): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length
    if (bytes > WHOLE_BODY_BYTES)
      throw new StreamFault('transient', `the answer is larger than ${WHOLE_BODY_BYTES} bytes`)
    chunks.push(chunk as Buffer)
  }
  return chunks.length === 1 ? (chunks[0] as Buffer).toString('utf8') : Buffer.concat(chunks).toString('utf8')
}
