import { describe, expect, test } from 'vitest'
import { finishedByWords } from '../../src/listen/unfinished.ts'
import { hearingAndReading, withWords, wordsJudge } from '../../src/listen/words.ts'
import { FakeVad } from '../support/fake-vad.ts'

describe('words that leave a sentence open', () => {
  test.each([
    ['I would like a table for', 'en'],
    ['we are two adults and', 'en-GB'],
    ['my number is', undefined],
    ['Well, um', 'en'],
    ['I need a flight,', 'en'],
    ['so what I mean...', 'en'],
    ['Ich möchte einen Tisch für', 'de'],
    ['ich weiß nicht, ob ich das weil', 'de-AT'],
    ['je voudrais une table pour', 'fr'],
    ['quiero una mesa para', 'es'],
    ['vorrei un tavolo per', 'it'],
    ['quero uma mesa para', 'pt'],
    ['ik wil een tafel voor', 'nl'],
  ])('%s', (text, language) => {
    expect(finishedByWords(text, language)).toBeLessThan(0.2)
  })
})

describe('words that may end a turn', () => {
  test.each([
    ['Where is the station?', 'en', 0.9],
    ['yes', 'en', 0.9],
    ['Nein', 'de', 0.9],
    ['I want to change my order.', 'en', 0.9],
    ['four people on Friday', 'en', 0.5],
    // Each open in another language only.
    ['das ist in der Mitte', 'de', 0.5],
    ['he is a man', 'en', 0.5],
    ['kein Problem mit dem Auto', undefined, 0.5],
    ['日本に行きたい。', 'ja', 0.5],
  ])('%s', (text, language, least) => {
    expect(finishedByWords(text, language)).toBeGreaterThan(least)
  })

  test('a full stop after a word or two says little: recognisers set one at every breath', () => {
    expect(finishedByWords('My brother.')).toBeLessThan(0.9)
  })
})

test('no words, no judgement', async () => {
  expect(finishedByWords(' … ')).toBeUndefined()
  expect(await wordsJudge.judge({ samples: new Int16Array(0), words: null })).toBeUndefined()
})

describe('a model that hears', () => {
  const ask = (heard: number | undefined, words: string | null) => {
    const judgement = heard === undefined ? undefined : ({ probability: heard, by: 'model' } as const)
    return hearingAndReading({ judge: async () => judgement }).judge({ samples: new Int16Array(0), words })
  }

  test('decides, unless the words are open', async () => {
    expect(await ask(0.9, null)).toEqual({ probability: 0.9, by: 'model' })
    expect(await ask(0.1, 'I want to go home.')).toEqual({ probability: 0.1, by: 'model' })
    const open = await ask(0.9, 'my number is')
    expect(open?.by).toBe('words')
    expect(open?.probability).toBeLessThan(0.2)
  })

  test('that cannot say leaves it to the words', async () => {
    const read = await ask(undefined, 'I want to go home.')
    expect(read?.by).toBe('words')
    expect(read?.probability).toBeGreaterThan(0.9)
    expect(await ask(undefined, null)).toBeUndefined()
  })

  test('that is missing is stood in for', async () => {
    const judge = withWords(new FakeVad()).endOfTurn
    expect(await judge?.judge({ samples: new Int16Array(0), words: 'and then' })).toBeDefined()
  })
})
