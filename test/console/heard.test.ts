import { describe, expect, test } from 'vitest'
import { heardChars, spokenChars } from '../../src/console/web/talk/heard.ts'

describe('which words were heard', () => {
  test('the record’s words end where they end in the transcript, with their punctuation', () => {
    const text = 'Yes, of course. We open at nine.'
    expect(text.slice(0, heardChars([text], 'yes of course')?.[0])).toBe('Yes, of course.')
  })

  test('markdown and spaces that the voice never got do not matter', () => {
    const text = 'Take **two** tablets — daily.'
    expect(text.slice(0, heardChars([text], 'Take two  tablets')?.[0])).toBe('Take **two** tablets')
  })

  test('a turn of two answers is cut in the second', () => {
    const texts = ['One moment.', 'It is raining.']
    expect(heardChars(texts, 'One moment. It is')).toEqual([11, 5])
    expect(heardChars(texts, 'One')).toEqual([3, 0])
  })

  test('nothing heard is nothing, and words that are not its beginning are not guessed at', () => {
    expect(heardChars(['Hello there'], '')).toEqual([0])
    expect(heardChars(['Hello there'], 'Good morning')).toBeNull()
    expect(heardChars(['Hello'], 'Hello there')).toBeNull()
  })

  test('without a record, each sentence’s own sound says how far it was', () => {
    const text = 'First part. Second part here.'
    const stretches = [
      { charStart: 0, msStart: 0 },
      { charStart: 12, msStart: 1000 },
    ]
    expect(spokenChars(stretches, text, 3000, 0)).toBe(0)
    expect(spokenChars(stretches, text, 3000, 1000)).toBe(12)
    expect(text.slice(0, spokenChars(stretches, text, 3000, 2000))).toBe('First part. Second')
    expect(spokenChars(stretches, text, 3000, 3000)).toBe(text.length)
    // Sound is as long as its samples, the player counts whole milliseconds: the last word does not stay unheard.
    expect(spokenChars(stretches, text, 3000.8, 3000)).toBe(text.length)
  })

  test('a word is heard whole or not at all', () => {
    const text = 'Extraordinary weather'
    const stretches = [{ charStart: 0, msStart: 0 }]
    expect(spokenChars(stretches, text, 2100, 700)).toBe(0)
    expect(spokenChars(stretches, text, 2100, 1800)).toBe(13)
  })
})
