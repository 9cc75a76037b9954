import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SSE_EVENT_CHARACTERS, type SseEvent, SseParser, SseTooLarge } from '../../src/dialect/sse.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function parse(...chunks: Uint8Array[]): SseEvent[] {
  const parser = new SseParser()
  return [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()]
}

test('names, several data lines, comments, unknown fields, a space or none', () => {
  const text =
    ': hi\nevent: a\nid: 7\ndata: one\ndata:two\nretry: 5\n\ndata\n\n\nevent: lonely\n\ndata: x\n\n'
  expect(parse(bytes(text))).toEqual([
    { event: 'a', data: 'one\ntwo' },
    { event: 'message', data: '' },
    { event: 'message', data: 'x' },
  ])
})

test('a byte order mark in front is not part of the first field', () => {
  expect(parse(bytes('\ufeffdata: x\n\n'))).toEqual([{ event: 'message', data: 'x' }])
})

test('the last event counts even without its blank line', () => {
  expect(parse(bytes('data: x'))).toEqual([{ event: 'message', data: 'x' }])
})

test('wherever the bytes are cut, and however lines end, the events are the same', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((s) => s.replace(/[\r\n]/g, '')),
        { minLength: 1 },
      ),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.integer({ min: 0, max: 400 })),
      (data, end, cuts) => {
        const whole = bytes(data.map((d) => `data: ${d}${end}${end}`).join(''))
        const places = [0, ...cuts.filter((c) => c < whole.length).sort((a, b) => a - b), whole.length]
        const chunks = places.slice(1).map((place, i) => whole.subarray(places[i], place))
        expect(parse(...chunks).map((e) => e.data)).toEqual(data)
      },
    ),
  )
})

test('one line, or many in one event, beyond the bound is refused', () => {
  const parser = new SseParser()
  const block = bytes('x'.repeat(100_000))
  expect(() => {
    for (let i = 0; i <= SSE_EVENT_CHARACTERS / 100_000; i++) parser.push(block)
  }).toThrow(SseTooLarge)
  expect(() => parse(bytes(`data: ${'x'.repeat(999)}\n`.repeat(1_001)))).toThrow(SseTooLarge)
  // Many events of any total size are fine.
  expect(parse(bytes(`data: ${'x'.repeat(999)}\n\n`.repeat(2_000)))).toHaveLength(2_000)
})
