/** Who is exposed to a variant: those who were answered by it, and not those for whom it only guessed. */
import { expect, test } from 'vitest'
import { ExperimentBook } from '../../src/experiment/book.ts'
import { FakeStt, fixedRouter } from '../support/stages.ts'
import { Call } from './call.ts'

const PLAN = { name: 'greeting', variants: ['control', 'candidate'], guardrails: [] }

test('a guess that is dropped exposes nobody; the answer that is let go does, once a conversation', async () => {
  const told: string[] = []
  const experiments = new ExperimentBook({ onExposed: ({ variant }) => told.push(variant) })
  experiments.load([PLAN])
  const exposure = { experiment: 'greeting', variant: 'candidate' }
  const call = await Call.open({
    stt: new FakeStt({ words: ['hello', 'hello again', 'and more'] }),
    experiments,
    router: (lineup, clock) =>
      fixedRouter({ ...lineup, exposure: (stage) => (stage === 'llm' ? exposure : null) }, clock),
  })
  await call.speak(800)
  await call.silent(400)
  expect(call.llm.requests.length).toBeGreaterThan(0)
  expect(told).toEqual([])
  await call.speak(600)
  await call.silent(640)
  await call.wait(6000)
  await call.says()
  await call.wait(6000)
  expect(told).toEqual(['candidate'])
  const records = await call.records()
  expect(records.map(({ experiments: of }) => of)).toEqual([[exposure], [exposure]])
  await call.hangUp()
  const variants = experiments.get('greeting')?.variants
  expect(variants).toMatchObject([{ variant: 'candidate', conversations: 1, turns: 2 }])
})
