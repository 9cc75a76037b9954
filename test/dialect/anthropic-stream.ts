/** Streams of Messages as text, for tests: taken apart, checked for their order, and made from neutral events. */
import { MessagesDecoder } from '../../src/dialect/anthropic/decode.ts'
import { anthropicClient } from '../../src/dialect/anthropic/index.ts'
import type { AnswerWriter, Frame } from '../../src/dialect/codec.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { type SseEvent, SseParser } from '../../src/dialect/sse.ts'

export const HEAD = { id: 'msg_ours', model: 'ours', createdS: 1 }
export const TRAILER = { parley: { attempts: 1 } }

export function newWriter(): AnswerWriter {
  return anthropicClient.writer(HEAD, {})
}

export function writtenOf(events: readonly ModelEvent[]): string {
  const writer = newWriter()
  return events.map((event) => writer.write(event)).join('') + writer.end(TRAILER)
}

export function eventsOf(text: string): SseEvent[] {
  const parser = new SseParser()
  return [...parser.push(Buffer.from(text)), ...parser.end()]
}

/** As the transport gives them to the gateway. */
export function framesOf(text: string): Frame[] {
  const decoder = new MessagesDecoder({ newCallId: () => 'made', calls: 'streamed' })
  return eventsOf(text).map((raw) => ({ raw, events: decoder.push(raw) }))
}

export function sseText(...events: readonly { readonly type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

interface AnyEvent {
  readonly type: string
  readonly index?: number
  readonly content_block?: { readonly type: string }
  readonly delta?: { readonly type?: string }
}

const DELTAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
}

/** What is wrong with the order of a stream: blocks one after the other, counted from 0, each with deltas of its own kind. */
export function orderMistakes(text: string): string[] {
  const wrong: string[] = []
  let next = 0
  let open: { readonly index: number; readonly type: string } | null = null
  let place: 'before' | 'inside' | 'ending' | 'over' = 'before'
  for (const { event, data } of eventsOf(text)) {
    const { type, index, content_block: block, delta } = JSON.parse(data) as AnyEvent
    const must = (ok: boolean, what: string) => void (ok || wrong.push(`${type}: ${what}`))
    must(event === type, `is named ${event}`)
    if (type === 'ping') continue
    if (type === 'message_start') {
      must(place === 'before', 'not first')
      place = 'inside'
    } else if (type === 'content_block_start') {
      must(place === 'inside' && open === null && index === next, 'not its turn')
      open = { index: next++, type: block?.type ?? '' }
    } else if (type === 'content_block_delta') {
      must(open?.index === index && place === 'inside', 'not inside its block')
      must(DELTAS[open?.type ?? '']?.includes(delta?.type ?? '') ?? false, `${delta?.type} in ${open?.type}`)
    } else if (type === 'content_block_stop') {
      must(open?.index === index, 'not open')
      open = null
    } else if (type === 'message_delta') {
      must(place === 'inside' && open === null, 'too early or twice')
      place = 'ending'
    } else if (type === 'message_stop') {
      must(place === 'ending', 'too early or twice')
      place = 'over'
    } else must(false, 'unknown')
  }
  if (place !== 'over') wrong.push('has no end')
  return wrong
}
