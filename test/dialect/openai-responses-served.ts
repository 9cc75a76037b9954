/** Text of an answer served to the official `openai` SDK from a loopback server, and what each of its events must keep to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { expect } from 'vitest'
import { SseParser } from '../../src/dialect/sse.ts'

export interface Served {
  readonly client: OpenAI
  /** The next answer: an event stream as text, or a JSON body. */
  next(answer: string | object): void
  close(): Promise<void>
}

export async function serve(): Promise<Served> {
  let answer: string | object = ''
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const type = typeof answer === 'string' ? 'text/event-stream' : 'application/json'
      response.writeHead(200, { 'content-type': type })
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    client: new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 }),
    next(given) {
      answer = given
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: events of a stream, whose members the tests ask for by name
export type Loose = Record<string, any>

export function eventsIn(text: string): Loose[] {
  const parser = new SseParser()
  const found = [...parser.push(new TextEncoder().encode(text)), ...parser.end()]
  return found.map(({ event, data }) => {
    const parsed = JSON.parse(data) as Loose
    expect(event).toBe(parsed['type'])
    return parsed
  })
}

interface Item {
  readonly id: string
  readonly type: string
  done: boolean
  readonly text: Map<string, string>
  /** Its part that grows. */
  open: string | null
}

/** The order of the protocol: numbers without a gap, each item and part begun before it grows and ended once, sums equal to what ends them. */
export function keepsOrder(events: readonly Loose[]): void {
  const items = new Map<number, Item>()
  const at = (event: Loose) => {
    const item = items.get(event['output_index'])
    expect(item, `${event['type']} before its item`).toBeDefined()
    expect(item?.done, `${event['type']} after its item`).toBe(false)
    if (event['item_id'] !== undefined) expect(event['item_id']).toBe(item?.id)
    return item!
  }
  events.forEach((event, i) => {
    expect(event['sequence_number']).toBe((events[0] as Loose)['sequence_number'] + i)
    const type = String(event['type'])
    const part = `${event['content_index'] ?? event['summary_index'] ?? 'arguments'}`
    if (type === 'response.output_item.added') {
      const growing = [...items.values()].filter(({ done, type: of }) => !done && of !== 'function_call')
      expect(growing, 'an item before the one before it ended').toEqual([])
      expect(event['output_index']).toBe(items.size)
      expect(event['item'].status).toBe('in_progress')
      items.set(event['output_index'], {
        id: event['item'].id,
        type: event['item'].type,
        done: false,
        text: new Map(),
        open: null,
      })
    } else if (type === 'response.output_item.done') {
      const item = at(event)
      expect(item.open).toBeNull()
      expect(event['item'].id).toBe(item.id)
      item.done = true
    } else if (type.endsWith('part.added')) {
      const item = at(event)
      expect(item.open).toBeNull()
      item.open = part
      item.text.set(part, '')
    } else if (type.endsWith('.delta')) {
      const item = at(event)
      if (part !== 'arguments') expect(item.open).toBe(part)
      item.text.set(part, (item.text.get(part) ?? '') + event['delta'])
    } else if (type.endsWith('_text.done') || type.endsWith('refusal.done')) {
      expect(event['text'] ?? event['refusal']).toBe(at(event).text.get(part))
    } else if (type.endsWith('part.done')) {
      const item = at(event)
      expect(item.open).toBe(part)
      expect(event['part'].text ?? event['part'].refusal).toBe(item.text.get(part))
      item.open = null
    } else if (type === 'response.function_call_arguments.done') at(event)
    else expect(type).toMatch(/^response\.(created|in_progress|completed|incomplete)$/)
  })
  expect([...items.values()].every(({ done }) => done)).toBe(true)
}
