/** A whole response out of neutral events. Pure. */
import type { AnswerHead } from '../codec.ts'
import type { ModelEvent } from '../neutral.ts'
import { ResponsesWriter } from './writer.ts'

/** The same as the last event of the stream would hold. */
export function encodeResponsesAnswer(
  events: readonly ModelEvent[],
  head: AnswerHead,
  body: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const writer = new ResponsesWriter(head, body)
  for (const event of events) writer.write(event)
  return writer.response()
}
