/**
 * A streamed answer to a client: headers with the first useful output, so that what fails before is an ordinary error; a client that
 * does not read stops the reading upstream; our record in the last event.
 */
import type { FastifyReply } from 'fastify'
import { idOf } from '../../attempt/failure.ts'
import { isCancelled } from '../../cancel.ts'
import type { AnswerWriter } from '../../dialect/codec.ts'
import { drained, type Patience } from '../drained.ts'
import { failFactsOf } from '../failure.ts'
import type { RequestRecord } from '../record.ts'
import type { Batch } from './run.ts'

export interface StreamReply extends Patience {
  readonly reply: FastifyReply
  readonly writer: AnswerWriter
  readonly record: RequestRecord
  /** More headers, known when the first byte is sent. */
  readonly headers: () => Readonly<Record<string, string>>
  /** Somebody's answer is whole: `provider/model`. */
  readonly answered: (target: string) => void
  /** More members of the closing event. */
  readonly trailer: () => Readonly<Record<string, unknown>>
}

/** Throws what `batches` throws, as long as nothing was sent; after that it ends the answer in the client's dialect. */
export async function replyStreamed(
  batches: AsyncIterable<Batch>,
  options: StreamReply,
): Promise<'said' | 'failed'> {
  const { reply, writer, record, signal } = options
  const out = reply.raw
  let state: 'waiting' | 'sending' = 'waiting'
  let last: Batch['target'] | undefined
  try {
    for await (const { frames, passed, target } of batches) {
      last = target
      let text = ''
      for (const frame of frames) {
        if (passed === 'passed') text += writer.pass(frame)
        else for (const event of frame.events) text += writer.write(event)
      }
      if (text === '') continue
      if (state === 'waiting') {
        state = 'sending'
        record.first()
        begin(options)
      }
      if (!out.write(text)) await drained(out, options)
    }
    if (state === 'waiting') begin(options)
    if (last) options.answered(idOf(last))
    out.end(writer.end(options.trailer()))
    return 'said'
  } catch (error) {
    if (state === 'waiting' || left(signal)) throw error
    const facts = failFactsOf(error)
    if (!facts) {
      out.destroy()
      throw error
    }
    out.end(writer.fail(facts, options.trailer()))
    return 'failed'
  }
}

function begin({ reply, headers }: StreamReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    // What access allowed to pages of other origins.
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // Proxies in front shall not wait for more.
    'x-accel-buffering': 'no',
    ...headers(),
  })
}

/** The client; a deadline is told to who is still there. */
function left({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(isCancelled(reason) && reason.reason === 'deadline')
}
