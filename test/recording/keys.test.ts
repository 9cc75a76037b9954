/** A recorded session asks each key of a target by its own adapter, and the file names the keys by id. */
import { expect, test } from 'vitest'
import type { Router, StageFacts } from '../../src/attempt/lineup.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { Edge } from '../../src/recording/edge.ts'
import { routerOverEdge } from '../../src/recording/router.ts'
import { FACTS } from '../route/facts.ts'
import { FakeLlm } from '../support/stages.ts'

const facts: StageFacts = () => FACTS

test('two keys are two adapters, the same ones at every lineup', () => {
  const clock = new VirtualClock()
  const told: unknown[] = []
  const edge: Edge = {
    clock,
    tell: () => {},
    ask: (_kind, _detail, answer) => {
      const given = answer()
      told.push(given)
      return given
    },
    run: (_kind, _detail, _signal, start) => start(),
    hash: () => '',
  }
  const of = (credential: string) => ({
    adapter: new FakeLlm(),
    provider: 'a',
    model: 'm',
    credential,
    route: 'any',
  })
  const llm = [of('one'), of('two')]
  const real = {
    lineup: () => ({ stt: [], llm, tts: [], voice: () => undefined }),
    health: {},
  } as unknown as Router
  const router = routerOverEdge(edge, { router: real, clock, judging: () => {} })
  const [one, two] = router.lineup(facts, { voice: null }).llm
  expect([one?.credential, two?.credential]).toEqual(['one', 'two'])
  expect(one?.adapter).not.toBe(two?.adapter)
  expect(router.lineup(facts, { voice: null }).llm[1]?.adapter).toBe(two?.adapter)
  expect(JSON.stringify(told)).toContain('"credential":"two"')
})
