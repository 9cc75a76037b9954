/** A model that is late: the second is asked too, one of them is heard, and no call is made twice. */
import { expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { FakeLlm } from '../support/stages.ts'
import { Call } from './call.ts'

const NO_GUESS = { maxRevisions: 0 }
const hedge = (maxShare = 1) => ({ after: { ms: 500 }, share: new HedgeShare(maxShare) })

async function tried(call: Call) {
  const record = (await call.records()).at(-1)
  const of = record?.attempts.filter(({ stage }) => stage === 'llm') ?? []
  return of.map(({ provider, status, hedge }) => [provider, status, hedge])
}

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
}

test('the second answers a stalled turn, and the first is closed at that moment', async () => {
  const llm = new FakeLlm()
  llm.next = 'stall'
  const spare = new FakeLlm({ answer: () => 'The second answers.', firstTokenMs: 100 })
  const rule = hedge()
  const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare }, hedge: rule })
  await call.says()
  await call.wait(420)
  expect([spare.requests.length, llm.aborted]).toEqual([1, 0])
  await call.wait(100)
  expect(llm.aborted).toBe(1)
  await call.wait(5000)
  expect(call.transcript.trim()).toBe('The second answers.')
  expect(spare.requests[0]).toEqual(llm.requests[0])
  expect(await tried(call)).toEqual([
    ['fake', 'cancelled', false],
    ['spare', 'ok', true],
  ])
  expect(rule.share.read()).toMatchObject({ calls: 1, hedges: 1, won: 1 })
  await ends(call)
})

test('a first that is late but first is heard, and the second closed', async () => {
  const llm = new FakeLlm({ answer: () => 'The first answers.', firstTokenMs: 700 })
  const spare = new FakeLlm({ firstTokenMs: 700 })
  const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare }, hedge: hedge() })
  await call.says()
  await call.wait(5000)
  expect(call.transcript.trim()).toBe('The first answers.')
  expect(spare.aborted).toBe(1)
  expect(await tried(call)).toEqual([
    ['fake', 'ok', false],
    ['spare', 'cancelled', true],
  ])
  await ends(call)
})

test('a tool that both models call is called once', async () => {
  const calling = (callId: string): readonly ModelEvent[] => [
    { type: 'toolCall', call: { callId, name: 'book', arguments: '{}' } },
    { type: 'finish', reason: 'tool_calls' },
  ]
  // Both in one moment.
  const llm = new FakeLlm({ answer: () => calling('first'), firstTokenMs: 700 })
  const spare = new FakeLlm({ answer: () => calling('second'), firstTokenMs: 200 })
  const settings = { ...NO_GUESS, tools: [{ name: 'book' }] }
  const call = await Call.open({ settings, llm, spare: { llm: spare }, hedge: hedge() })
  await call.says()
  await call.wait(3000)
  expect([llm.requests.length, spare.requests.length]).toEqual([1, 1])
  expect(call.all('toolCalled').map(({ item }) => item.callId)).toEqual(['first'])
  await ends(call)
})

test('a caller who hangs up while both are asked leaves neither running', async () => {
  const [llm, spare] = [new FakeLlm(), new FakeLlm()]
  llm.next = 'stall'
  spare.next = 'stall'
  const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare }, hedge: hedge() })
  await call.says()
  await call.wait(600)
  expect(spare.requests).toHaveLength(1)
  await ends(call)
  expect([llm.aborted, spare.aborted]).toEqual([1, 1])
})

test('beyond its share nobody is asked twice', async () => {
  const llm = new FakeLlm({ firstTokenMs: 700 })
  const spare = new FakeLlm()
  const rule = hedge(0.5)
  const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare }, hedge: rule })
  for (const turn of [1, 2, 3]) {
    await call.text(`Turn ${turn}`)
    await call.respond()
    await call.wait(8000)
  }
  expect(rule.share.read()).toMatchObject({ calls: 3, hedges: 1, denied: 2 })
  expect(spare.requests).toHaveLength(1)
  await ends(call)
})
