/** That `bench:gateway` reads answers however they are cut, and would notice one that is not whole. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  faultOfPlain,
  firstToken,
  firstTokenAt,
  plainAnswer,
  readStream,
  streamEvents,
} from '../../bench/gateway/answer.ts'
import { HttpReader, type Message } from '../../bench/gateway/http-reader.ts'

const EVENTS = streamEvents('gpt').map((event, n) => (n === 1 ? firstToken('gpt', 12.5) : event))
const STREAM = bytesOf(EVENTS.join(''))
const PLAIN = plainAnswer('gpt')

/** A character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function chunked(events: readonly string[]): string {
  const chunks = events.map((event) => `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`)
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
}

function sized(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

describe('a connection is read', () => {
  const wire = Buffer.from(chunked(EVENTS) + sized(PLAIN) + sized('') + chunked(EVENTS.slice(0, 3)))

  test('wherever its bytes are cut', () => {
    const cuts = fc.array(fc.nat({ max: wire.length }), { maxLength: 40 })
    fc.assert(
      fc.property(cuts, (places) => {
        const messages: Message[] = []
        const reader = new HttpReader({ onMessage: (message) => messages.push(message) })
        let from = 0
        for (const to of [...places.sort((a, b) => a - b), wire.length]) {
          if (to > from) reader.push(wire.subarray(from, to))
          from = to
        }
        expect(messages.map(({ body }) => body)).toEqual([
          STREAM,
          bytesOf(PLAIN),
          '',
          bytesOf(EVENTS.slice(0, 3).join('')),
        ])
      }),
    )
  })

  test('byte by byte, and the first token is seen when it comes', () => {
    let seenAfter = ''
    const reader = new HttpReader({
      onMessage: () => {},
      onBody: (body) => {
        if (seenAfter === '' && firstTokenAt(body) >= 0) seenAfter = body
      },
    })
    for (const byte of Buffer.from(chunked(EVENTS))) reader.push(Buffer.of(byte))
    expect(seenAfter.endsWith('"delta":{"content":"1')).toBe(true)
  })
})

describe('a whole answer', () => {
  test('has no fault, and says how long the upstream held its first token', () => {
    expect(readStream(STREAM)).toEqual({ heldMs: 12.5, fault: null })
    expect(faultOfPlain(bytesOf(PLAIN))).toBeNull()
  })

  test('may be written as JSON in another way', () => {
    const spaced = EVENTS.map((event) =>
      event.replaceAll('":"', '": "').replace('"total_tokens": ', '"total_tokens":'),
    )
    const stop = (text: string) => text.replace('"finish_reason": "stop"', '"finish_reason":"stop"')
    expect(readStream(bytesOf(spaced.map(stop).join(''))).fault).toBeNull()
  })
})

describe('an answer is not whole', () => {
  test.each([
    ['without one of its words', (n: number) => n !== 20],
    ['without its finish reason', (n: number) => n !== 48],
    ['without its usage', (n: number) => n !== 49],
    ['without [DONE]', (n: number) => n !== 50],
  ])('%s', (_, keep) => {
    expect(readStream(bytesOf(EVENTS.filter((_, n) => keep(n)).join(''))).fault).not.toBeNull()
  })

  test('with two words in the wrong order, or a letter torn in two', () => {
    const turned = EVENTS.with(10, EVENTS[11]!).with(11, EVENTS[10]!)
    expect(readStream(bytesOf(turned.join(''))).fault).not.toBeNull()
    expect(readStream(bytesOf(EVENTS.join('').replace('größer', 'gr��ßer'))).fault).not.toBeNull()
  })

  test('when a plain one lost words, reason or usage', () => {
    for (const part of [' table2', '"finish_reason":', '"total_tokens":']) {
      expect(PLAIN).toContain(part)
      expect(faultOfPlain(bytesOf(PLAIN.replace(part, part.startsWith(' ') ? '' : '"x":')))).not.toBeNull()
    }
  })
})
