/** What the caller heard, told at the moment of an interruption. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeardLedger } from '../../src/playout/heard.ts'
import type { SpokenWord } from '../../src/stage/tts.ts'

const FIRST = 'Hello there, my friend. '
const SECOND = 'The shop opens at nine. '

/** Both sentences made (1,000 and 2,000 ms) and taken by the wire at once, at clock time 0. */
function twoSentences(options = { reportsPlayed: false }): HeardLedger {
  const ledger = new HeardLedger(options)
  ledger.sentence(0, FIRST)
  ledger.sentence(1, SECOND)
  for (const [index, ms] of [
    [0, 1000],
    [1, 2000],
  ] as const) {
    ledger.synthesised(index, ms)
    ledger.sentenceDone(index)
    ledger.sent(index, ms, 0)
  }
  return ledger
}

function wordTimes(text: string, msEach: number): SpokenWord[] {
  return text
    .trim()
    .split(' ')
    .map((word, i) => ({ text: word, startMs: i * msEach, endMs: (i + 1) * msEach }))
}

describe('by the clock', () => {
  test('nothing sent is nothing heard', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, FIRST)
    ledger.synthesised(0, 500)
    expect(ledger.heard(9999)).toEqual({ ms: 0, text: '' })
    expect(ledger.playbackEndsAt).toBeNull()
  })

  test('the share of each sentence’s own measured length, back to the end of a word', () => {
    const ledger = twoSentences()
    expect(ledger.heard(0)).toEqual({ ms: 0, text: '' })
    expect(ledger.heard(500)).toEqual({ ms: 500, text: 'Hello there,' })
    expect(ledger.heard(1000)).toEqual({ ms: 1000, text: 'Hello there, my friend.' })
    expect(ledger.heard(2000).text).toBe('Hello there, my friend. The shop')
    expect(ledger.heard(60_000)).toEqual({ ms: 3000, text: (FIRST + SECOND).trim() })
    expect(ledger.playbackEndsAt).toBe(3000)
    expect(ledger.sentText).toBe((FIRST + SECOND).trim())
  })

  test('after an underrun the clock starts anew with the next chunk', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, FIRST)
    ledger.sent(0, 200, 0)
    expect(ledger.heard(900).ms).toBe(200)
    ledger.sent(0, 200, 1000)
    expect(ledger.heard(1100).ms).toBe(300)
    expect(ledger.playbackEndsAt).toBe(1200)
  })

  test('paused, nothing more is heard; resumed, the rest plays', () => {
    const ledger = twoSentences()
    ledger.paused(400)
    expect(ledger.heard(5000).ms).toBe(400)
    expect(ledger.playbackEndsAt).toBeNull()
    ledger.resumed(6000)
    expect(ledger.heard(6100).ms).toBe(500)
    expect(ledger.playbackEndsAt).toBe(8600)
  })

  test('a bridge that cleared its buffer at the pause is sent the rest again from the heard position', () => {
    const ledger = twoSentences()
    ledger.paused(1200)
    ledger.resumed(4000, 1200)
    expect(ledger.sentMs).toBe(1200)
    expect(ledger.heard(9000).ms).toBe(1200)
    ledger.sent(1, 1800, 9000)
    expect(ledger.heard(9300).ms).toBe(1500)
    expect(ledger.heard(99_000)).toEqual({ ms: 3000, text: (FIRST + SECOND).trim() })
  })
})

describe('by reports of the far side', () => {
  test('marks win over the clock', () => {
    const ledger = twoSentences({ reportsPlayed: true })
    expect(ledger.heard(3000)).toEqual({ ms: 0, text: '' })
    ledger.played(500)
    expect(ledger.heard(3000)).toEqual({ ms: 500, text: 'Hello there,' })
    ledger.played(250)
    expect(ledger.heard(3000).ms).toBe(500)
  })

  test('a client that begins to report wins over the clock from then on', () => {
    const ledger = twoSentences()
    ledger.played(250)
    expect(ledger.heard(2000).ms).toBe(250)
  })

  test('no report makes more heard than was sent', () => {
    const ledger = new HeardLedger({ reportsPlayed: true })
    ledger.sentence(0, FIRST)
    ledger.sent(0, 300, 0)
    ledger.played(60_000)
    expect(ledger.heard(0).ms).toBe(300)
  })
})

describe('word times', () => {
  test('only words that ended count, and the mark after a word is part of it', () => {
    const ledger = twoSentences()
    ledger.words(0, wordTimes(FIRST, 250))
    expect(ledger.heard(240).text).toBe('')
    expect(ledger.heard(250).text).toBe('Hello')
    expect(ledger.heard(510).text).toBe('Hello there,')
  })

  test('words of the speakable text are found in the source with its markup', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    const text = 'It is **really** [open](https://example.com/hours) at 9. '
    ledger.sentence(0, text)
    ledger.synthesised(0, 1400)
    ledger.sent(0, 1400, 0)
    ledger.words(0, wordTimes('It is really open at nine', 200))
    expect(ledger.heard(600).text).toBe('It is **really**')
    expect(ledger.heard(1100).text).toBe('It is **really** [open](https://example.com/hours) at')
    ledger.sentenceDone(0)
    expect(ledger.heard(1400).text).toBe(text.trim())
  })

  test('a short word is not found inside a longer one', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, 'We have 5 and a 6 today. ')
    ledger.sent(0, 1400, 0)
    ledger.words(0, wordTimes('We have five and a six', 200))
    expect(ledger.heard(850).text).toBe('We have 5 and')
    expect(ledger.heard(1000).text).toBe('We have 5 and a')
  })

  test('times that come late and in parts', () => {
    const ledger = twoSentences()
    const words = wordTimes(FIRST, 250)
    ledger.words(0, words.slice(0, 2))
    expect(ledger.heard(900).text).toBe('Hello there,')
    ledger.words(0, words.slice(2))
    expect(ledger.heard(800).text).toBe('Hello there, my')
  })
})

describe('a sentence still being made', () => {
  test('goes by the pace so far', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, 'aaaa aaaa aaaa aaaa ')
    ledger.synthesised(0, 2000)
    ledger.sentenceDone(0)
    ledger.sent(0, 2000, 0)
    ledger.sentence(1, 'bbbb bbbb bbbb bbbb ')
    ledger.synthesised(1, 600)
    ledger.sent(1, 600, 0)
    expect(ledger.heard(2600).text).toBe('aaaa aaaa aaaa aaaa bbbb')
  })

  test('goes by an ordinary pace when it is the first', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, 'Good morning and welcome to the museum of the sea. ')
    ledger.sent(0, 1000, 0)
    expect(ledger.heard(1000).text).toBe('Good morning')
  })
})

test('Chinese breaks at characters, and never inside one', () => {
  const ledger = new HeardLedger({ reportsPlayed: false })
  ledger.sentence(0, '今天天气很好。')
  ledger.synthesised(0, 1400)
  ledger.sentenceDone(0)
  ledger.sent(0, 1400, 0)
  expect(ledger.heard(700).text).toBe('今天天')
})

describe('what makes no sound', () => {
  test('a code block is part of what was heard once what follows it is heard', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, 'Try this: ')
    ledger.sentence(1, '```\nls\n```\n')
    ledger.sentence(2, 'It lists files.')
    for (const index of [0, 2]) {
      ledger.synthesised(index, 1000)
      ledger.sentenceDone(index)
      ledger.sent(index, 1000, 0)
    }
    expect(ledger.heard(500).text).toBe('Try')
    expect(ledger.heard(2000).text).toBe('Try this: ```\nls\n```\nIt lists files.')
  })

  test('at the front it is not heard before anything is', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, '```\nls\n```\n')
    ledger.sentenceDone(0)
    expect(ledger.heard(1000).text).toBe('')
  })
})

describe('a voice that broke off', () => {
  test('its sentence said again: no word is lost, none is doubled', () => {
    const ledger = new HeardLedger({ reportsPlayed: false })
    ledger.sentence(0, FIRST)
    ledger.sentence(1, SECOND)
    ledger.synthesised(0, 500)
    ledger.sent(0, 500, 0)
    ledger.restarted(0)
    for (const [index, ms] of [
      [0, 1000],
      [1, 2000],
    ] as const) {
      ledger.synthesised(index, ms)
      ledger.sentenceDone(index)
      ledger.sent(index, ms, 0)
    }
    const early = ledger.heard(400).text
    expect(FIRST.startsWith(early) && early.length > 0).toBe(true)
    expect(ledger.heard(1500).text).toBe(FIRST.trim())
    expect(ledger.heard(3500)).toEqual({ ms: 3500, text: (FIRST + SECOND).trim() })
  })
})

describe('cut', () => {
  test('late chunks, words and mark echoes do not extend it', () => {
    const ledger = twoSentences()
    const cut = ledger.cut(500)
    expect(cut).toEqual({ ms: 500, text: 'Hello there,' })
    ledger.sent(1, 5000, 500)
    ledger.played(3000)
    ledger.words(0, wordTimes(FIRST, 10))
    ledger.sentence(2, 'More.')
    ledger.sentenceDone(2)
    expect(ledger.heard(99_999)).toEqual(cut)
    expect(ledger.sentMs).toBe(3000)
  })

  test('a later truncate amends it, never beyond what was sent', () => {
    const ledger = twoSentences()
    ledger.cut(500)
    expect(ledger.amend(2000).text).toBe('Hello there, my friend. The shop')
    expect(ledger.heard(0).ms).toBe(2000)
    expect(ledger.amend(99_999)).toEqual({ ms: 3000, text: (FIRST + SECOND).trim() })
    expect(ledger.amend(-5)).toEqual({ ms: 0, text: '' })
  })
})

type Step =
  | { readonly do: 'sent'; readonly ms: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'pause' | 'resume' | 'next' }
  | { readonly do: 'played'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('sent' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 800 }) }),
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'next' as const) }),
  fc.record({ do: fc.constant('played' as const), ms: fc.integer({ min: 0, max: 3000 }) }),
)

test.each([true, false])(
  'whatever happens (reports: %s), heard only grows, is sent, is a prefix',
  (reports) => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '3', '*', '天', '。', '🙂'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), fc.array(step), (texts, steps) => {
        const ledger = new HeardLedger({ reportsPlayed: reports })
        let now = 0
        let index = 0
        let heardMs = 0
        ledger.sentence(0, texts[0]!)
        for (const one of steps) {
          if (one.do === 'sent') {
            ledger.synthesised(index, one.ms)
            ledger.sent(index, one.ms, now)
          } else if (one.do === 'wait') now += one.ms
          else if (one.do === 'pause') ledger.paused(now)
          else if (one.do === 'resume') ledger.resumed(now)
          else if (one.do === 'played' && reports) ledger.played(one.ms)
          else if (one.do === 'next' && index < texts.length - 1) {
            ledger.sentenceDone(index)
            ledger.sentence(++index, texts[index]!)
          }
          const heard = ledger.heard(now)
          expect(heard.ms).toBeGreaterThanOrEqual(heardMs)
          expect(heard.ms).toBeLessThanOrEqual(ledger.sentMs)
          expect(ledger.text.startsWith(heard.text)).toBe(true)
          expect(() => encodeURIComponent(heard.text)).not.toThrow()
          expect(ledger.sentText.startsWith(heard.text)).toBe(true)
          heardMs = heard.ms
        }
        // With nothing new known, time alone only adds words.
        let before = ledger.heard(now).text
        for (let later = now; later < now + 3000; later += 170) {
          const { text: heard } = ledger.heard(later)
          expect(heard.startsWith(before)).toBe(true)
          before = heard
        }
        const cut = ledger.cut(now)
        ledger.sent(index, 1000, now)
        expect(ledger.heard(now + 10_000)).toEqual(cut)
      }),
      { numRuns: 300 },
    )
  },
)

test('a paced wire takes what broke off when it is being said again: each take has its own sound', () => {
  const ledger = new HeardLedger({ reportsPlayed: false })
  ledger.sentence(0, FIRST)
  ledger.words(0, wordTimes(FIRST, 250))
  ledger.synthesised(0, 500)
  ledger.restarted(0)
  ledger.words(0, wordTimes(FIRST, 250))
  ledger.synthesised(0, 500)
  ledger.restarted(0)
  // Only now is any of it sent; then nobody is left to say the rest.
  ledger.sent(0, 1000, 0)
  ledger.abandon()
  expect(ledger.heard(250).text).toBe('Hello')
  expect(ledger.heard(1000).text).toBe('Hello there,')
})

test('a filler that came when the sentences were known already does not count them as heard', () => {
  const ledger = new HeardLedger({ reportsPlayed: false })
  ledger.sentence(0, FIRST)
  ledger.sentence(1, SECOND)
  ledger.lead(-1)
  ledger.synthesised(-1, 300)
  ledger.sentenceDone(-1)
  ledger.sent(-1, 300, 0)
  ledger.synthesised(0, 1000)
  ledger.sentenceDone(0)
  ledger.sent(0, 1000, 300)
  expect(ledger.heard(300)).toEqual({ ms: 300, text: '' })
  expect(ledger.heard(1300)).toEqual({ ms: 1300, text: 'Hello there, my friend.' })
})
