import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLAUSE_CHARACTERS, clausesOf, speakable } from '../../../src/provider/local/flite/text.ts'
import { trimSpeech } from '../../../src/provider/local/flite/trim.ts'

describe('text for an English, ASCII voice', () => {
  test.each([
    ['It’s “fine” — really…', "It's fine, really."],
    ['Café Zoë, Straße', 'Cafe Zoe, Strasse'],
    ['€5.50 & 20% at 30°', '5.50 euros and 20 percent at 30 degrees'],
    ['1914–1918', '1914 1918'],
    ['Hello 你好', 'Hello'],
    ['a\u0000b\nc', 'a b c'],
  ])('%j is said as %j', (text, said) => {
    expect(speakable(text)).toBe(said)
  })
  test.each(['', '   ', '…', '?!', '你好。', '— —'])('%j has nothing to say', (text) => {
    expect(clausesOf(text)).toEqual([])
  })
  test('pauses follow the marks', () => {
    const pauses = ['One.', 'One,', 'One;', 'One', 'He said "one."'].map(
      (text) => clausesOf(text)[0]?.pauseMs,
    )
    expect(pauses).toEqual([250, 110, 160, 160, 250])
  })
  test('long text is cut after a sentence, else a phrase, else a word', () => {
    const sentences = clausesOf(`${'One two three. '.repeat(20)}`)
    expect(sentences.every((c) => c.text.endsWith('three.'))).toBe(true)
    const words = clausesOf('word '.repeat(60))
    expect(words.slice(0, -1).every((c) => c.pauseMs === 10)).toBe(true)
  })
  test('whatever comes in, clauses are short, ASCII, and lose no word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
        const clauses = clausesOf(text)
        const squeezed = (s: string) => s.replace(/[^a-z0-9]/gi, '')
        expect(
          clauses.every((c) => c.text.length <= CLAUSE_CHARACTERS && /^[\x20-\x7e]+$/.test(c.text)),
        ).toBe(true)
        expect(squeezed(clauses.map((c) => c.text).join(''))).toBe(squeezed(speakable(text)))
      }),
      { numRuns: 300 },
    )
  })
})

describe('silence around a clause', () => {
  const rate = 16_000
  const at = (ms: number) => (ms * rate) / 1000
  function speech(leadMs: number, loudMs: number, trailMs: number): Int16Array {
    const samples = new Int16Array(at(leadMs + loudMs + trailMs))
    for (let i = at(leadMs); i < at(leadMs + loudMs); i++) samples[i] = 8_000 * Math.sin(i / 5)
    return samples
  }
  test('200 ms in front become 25, and the pause is what was asked, shorter or longer than it was', () => {
    for (const pauseMs of [10, 250]) {
      const trimmed = trimSpeech(speech(200, 500, 100), rate, pauseMs)
      expect((trimmed.length / rate) * 1000).toBeCloseTo(25 + 500 + 40 + pauseMs, -1)
      expect(trimmed.findIndex((s) => Math.abs(s) > 1000) / at(1)).toBeLessThan(30)
    }
  })
  test('a quiet end, as of an f or an s, is kept', () => {
    const samples = speech(100, 300, 200)
    for (let i = at(400); i < at(500); i++) samples[i] = i % 2 === 0 ? 200 : -200
    const trimmed = trimSpeech(samples, rate, 0)
    expect((trimmed.length / rate) * 1000).toBeCloseTo(25 + 300 + 100 + 40, -1)
  })
  test('nothing but silence is nothing', () => {
    expect(trimSpeech(new Int16Array(8000), rate, 250)).toHaveLength(0)
  })
})
