/** A small chaos run in `npm test`, and that its judge would notice. See docs/chaos.md. */
import { describe, expect, test } from 'vitest'
import { readWords } from '../../bench/chaos/judge.ts'
import type { HeardWord } from '../../bench/chaos/loudspeaker.ts'
import { runInMemory } from '../../bench/chaos/memory.ts'
import { planRun } from '../../bench/chaos/plan.ts'
import { tableOf } from '../../bench/chaos/table.ts'
import { codeOf, lastQuestion, wordOf } from '../../bench/chaos/words.ts'

const SMALL = { seed: 7, turns: 30, lanes: 4 }

test('thirty spoken turns, most of them broken somewhere: every one ends as it must, and nothing is left', async () => {
  const { verdicts, world, leaks } = await runInMemory(SMALL)
  expect(world.violations).toEqual([])
  expect(leaks).toEqual([])
  expect(verdicts).toHaveLength(30)
  expect(verdicts.filter(({ struck }) => struck.length > 0).length).toBeGreaterThan(15)
})

test('the same seed gives the same table', async () => {
  const [one, other] = [await runInMemory(SMALL), await runInMemory(SMALL)]
  expect(tableOf(one.verdicts)).toEqual(tableOf(other.verdicts))
})

test('every word exists once, and says whose it is', () => {
  for (const code of [
    { turn: 0, place: 0 },
    { turn: 999, place: 41 },
  ]) {
    expect(codeOf(`${wordOf(code)}.`)).toEqual(code)
  }
  expect(codeOf('[interrupted]')).toBeNull()
  const plan = planRun(1, 10, 1).conversations[0]!.turns[0]!
  expect(lastQuestion(plan.question.join(' '))).toEqual({ turn: plan.turn, words: plan.question })
})

describe('the judge', () => {
  const plan = { ...planRun(1, 1, 1).conversations[0]!.turns[0]!, faults: [] }
  const words = plan.sentences.flat()
  const said = (places: readonly number[]): HeardWord[] =>
    places.map((place) => ({ code: { turn: plan.turn, place }, ms: words[place]!.length * 30 }))
  const all = words.map((_, place) => place)
  const first = plan.sentences[0]!.length

  test('lets a whole answer pass, and one whose sentence began again', () => {
    expect(readWords(said(all), plan, false)).toMatchObject({ wrong: [], words: all.length, restarts: 0 })
    expect(readWords(said([0, 1, ...all]), plan, false)).toMatchObject({ wrong: [], restarts: 1 })
  })

  test('notices a lost word, a sentence said twice, a third beginning, and a word of somebody else', () => {
    expect(readWords(said([0, 2, 3]), plan, false).wrong).toEqual(['words 1 to 1 are lost'])
    expect(readWords(said([...all.slice(0, first + 1), 0]), plan, false).wrong[0]).toMatch(
      /complete and is said again/,
    )
    expect(readWords(said([...all.slice(0, first), ...all]), plan, true)).toMatchObject({
      wrong: [],
      untold: 1,
    })
    expect(readWords(said([0, 1, 0, 1, 0]), plan, false).wrong[0]).toMatch(/restarted 2 times/)
    const stranger = [{ code: { turn: 4000, place: 0 }, ms: 180 }]
    expect(readWords(stranger, plan, false).wrong[0]).toMatch(/another turn/)
  })

  test('does not take half a word for one', () => {
    const half = [...said([0, 1]), { code: { turn: plan.turn, place: 2 }, ms: 60 }]
    expect(readWords(half, plan, false)).toMatchObject({ words: 2, maybe: 0 })
  })
})
