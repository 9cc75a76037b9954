/** Which words may stand for an utterance's final ones when those are late. */
import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { StableWords } from '../../src/session/stable-words.ts'

function listening() {
  const clock = new VirtualClock()
  const told: string[] = []
  const words: StableWords = new StableWords(clock, () => told.push(words.standing))
  return { clock, words, told }
}

test('a recogniser that lags is not taken at its first word: words still coming in do not stand', async () => {
  const { clock, words, told } = listening()
  words.silent()
  for (const text of ['now', 'now what', 'now what is', 'now what is it']) {
    words.heard(text, 'more')
    expect(words.standing).toBe('')
    await clock.advance(200)
  }
  await clock.advance(200)
  expect(told).toEqual(['now what is it'])
})

test('words from long before the caller fell silent are not all that was said', async () => {
  const { clock, words } = listening()
  words.heard('now', 'more')
  await clock.advance(1000)
  words.silent()
  await clock.advance(1000)
  expect(words.standing).toBe('')
  words.heard('now then', 'more')
  await clock.advance(400)
  expect(words.standing).toBe('now then')
})

test('words that the recogniser calls complete stand at once', () => {
  const { clock, words, told } = listening()
  words.silent()
  words.heard('now then', 'all')
  expect(told).toEqual(['now then'])
  expect(clock.pendingTimers).toBe(0)
})

test('words that had not stood yet when their recogniser was lost never will', async () => {
  const { clock, words, told } = listening()
  words.silent()
  words.heard('now', 'more')
  await clock.advance(200)
  words.anew()
  await clock.advance(1000)
  expect(words.standing).toBe('')
  expect(told).toEqual([])
})

test('the first word of a replay does not stand because it was heard before', async () => {
  const { clock, words } = listening()
  words.heard('now', 'more')
  await clock.advance(1000)
  words.silent()
  await clock.advance(1000)
  words.anew()
  words.heard('now', 'more')
  expect(words.standing).toBe('')
  await clock.advance(200)
  words.heard('now then', 'more')
  await clock.advance(400)
  expect(words.standing).toBe('now then')
})
