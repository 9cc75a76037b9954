/** How long a recogniser is waited for when others were lost lately, or the speech may be none. */
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { VirtualClock } from '../../src/clock.ts'
import { utteranceFrom } from '../../src/session/spoken-utterance.ts'
import { StableWords } from '../../src/session/stable-words.ts'
import { SttChoice } from '../../src/session/stt-choice.ts'
import { FakeStt } from '../support/stages.ts'

const candidate = (model: string) => ({ adapter: new FakeStt(), provider: 'p', model, route: 'any' })

function setUp(slackMs = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock()
  const [a, b] = [candidate('a'), candidate('b')]
  const health = new Health({ clock })
  const candidates = () => [a, b]
  const choice = new SttChoice({ candidates, clock, health, language: () => 'en', slackMs: () => slackMs })
  const utterance = utteranceFrom('turn', 0, new StableWords(clock, () => {}))
  utterance.endMs = 1_000
  return { choice, utterance, a, b }
}

test('a recogniser that was lost lately is next still, so the one before it is not waited for as if it were the last', () => {
  const { choice, utterance, a, b } = setUp(1_000)
  const fresh = choice.window(utterance, a)
  choice.lost(b, 'transient')
  expect(choice.window(utterance, a)).toEqual(fresh)
  expect(fresh.next).toBe(b)
  expect(fresh.ms).toBeLessThan(2_000)
})

test('the last one has five seconds where the turn has no deadline and another was waited for already', () => {
  const { choice, utterance, a, b } = setUp()
  choice.lost(a, 'transient')
  utterance.losses = 1
  expect(choice.window(utterance, b)).toEqual({ ms: 5_000, next: null })
})

test('a recogniser whose key is refused is asked with the next key; one that is down is left for another', () => {
  const clock = new VirtualClock()
  const [one, two] = [
    { ...candidate('a'), credential: 'one' },
    { ...candidate('a'), credential: 'two' },
  ] as const
  const b = candidate('b')
  const choiceOf = () =>
    new SttChoice({
      candidates: () => [one, two, b],
      clock,
      health: new Health({ clock }),
      language: () => 'en',
    })
  const refused = choiceOf()
  refused.lost(one, 'auth')
  expect(refused.choose(one)).toBe(two)
  const down = choiceOf()
  down.lost(one, 'transient')
  expect(down.choose(one)).toBe(b)
})
