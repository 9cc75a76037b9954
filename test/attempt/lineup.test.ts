import { expect, test } from 'vitest'
import { firstOf, NoCandidate } from '../../src/attempt/lineup.ts'

test('the first candidate serves, and a stage without any says which', () => {
  const facts = { provider: 'p', model: 'm', route: 'r' }
  const candidates = [
    { adapter: 1, ...facts },
    { adapter: 2, ...facts },
  ]
  expect(firstOf('tts', candidates).adapter).toBe(1)
  expect(() => firstOf('tts', [])).toThrow(NoCandidate)
  expect(() => firstOf('tts', [])).toThrow(/no tts target/)
})
