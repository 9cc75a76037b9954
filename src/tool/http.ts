/**
 * A tool behind an HTTP address of the operator's: the arguments are posted as JSON, the body of the answer is the result.
 * `Idempotency-Key` carries the call's id, so that the far side can tell a repeated call. Redirects are not followed.
 */
import { request } from 'undici'
import { ToolError } from '../stage/tools.ts'

/** Of the result; a model's prompt takes no more. */
const MAX_RESULT_BYTES = 64 * 1024

export interface HttpCall {
  readonly url: string
  readonly callId: string
  /** JSON text that was checked. */
  readonly body: string
  readonly signal: AbortSignal
}

/** Throws `ToolError`, or the signal's reason. */
export async function callHttp({ url, callId, body, signal }: HttpCall): Promise<string> {
  signal.throwIfAborted()
  const answer = await request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/plain',
      'idempotency-key': callId,
    },
    body,
    signal,
  }).catch(() => {
    signal.throwIfAborted()
    throw new ToolError('unreachable', 'The tool cannot be reached.')
  })
  if (answer.statusCode < 200 || answer.statusCode > 299) {
    await answer.body.dump({ limit: MAX_RESULT_BYTES, signal }).catch(() => {})
    throw new ToolError('status', `The tool answered with status ${answer.statusCode}.`)
  }
  return read(answer.body, signal)
}

async function read(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  signal: AbortSignal,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > MAX_RESULT_BYTES) {
        body.destroy()
        throw new ToolError('too_large', `The tool's answer is larger than ${MAX_RESULT_BYTES} bytes.`)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ToolError) throw error
    throw new ToolError('unreachable', "The tool's answer broke off.")
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}
