import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { complexity, countWords } from '../../src/route/complexity.ts'

const OFFER =
  'We have two offers for the new phone system, one hosted and one in our own cellar. Could you compare both, ' +
  'explain the difference in running costs over five years step by step, and say which you would take, and why?'

describe('turn.complexity', () => {
  test.each([
    ['Yes.', 0, 0.03],
    ['What time do you open tomorrow?', 0.08, 0.16],
    ['I would like to change my booking from Friday to Saturday, please, and bring my dog.', 0.2, 0.4],
    [OFFER, 0.7, 1],
    ['Warum ist die Rechnung höher, und was ist der Unterschied zum Vormonat?', 0.35, 0.6],
    ['Pourquoi la facture est-elle plus élevée ? Comparez-la étape par étape.', 0.35, 0.6],
    ['12 * 14 = ?', 0.1, 0.4],
  ])('%s', (text, least, most) => {
    expect(complexity(text)).toBeGreaterThanOrEqual(least)
    expect(complexity(text)).toBeLessThanOrEqual(most)
  })

  test('is 0 without words and never leaves 0–1', () => {
    expect(complexity('')).toBe(0)
    expect(complexity('… !?')).toBe(0)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(complexity(text)).toBeGreaterThanOrEqual(0)
        expect(complexity(text)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('more of the same is not less', () => {
    for (let n = 1; n < 40; n++) {
      expect(complexity('please '.repeat(n + 1))).toBeGreaterThanOrEqual(complexity('please '.repeat(n)))
    }
  })

  test('a word that merely holds a cue is none', () => {
    expect(complexity('the plane lands at seven')).toBe(complexity('the train stops at seven'))
  })

  test('words are counted where there are no spaces, too', () => {
    expect(countWords("I'd like a twenty-one inch one")).toBe(6)
    expect(countWords('明日の天気を教えてください')).toBe(7)
    expect(countWords('')).toBe(0)
  })
})
