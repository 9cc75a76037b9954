/** What the chaos run found, each as the caller lived it. */
import { expect, test } from 'vitest'
import type { Rung } from '../../src/budget/ladder.ts'
import { FakeStt } from '../support/stages.ts'
import { BRIDGE, Call } from './call.ts'

const NO_GUESS = { maxRevisions: 0 }
const SORRY = 'Sorry, could you say that again?'
const APOLOGY: Rung = { rung: 'apology', say: SORRY }
const NEVER_MS = 1e7

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
}

test('a recogniser that falls silent is left for the next one while the caller still waits', async () => {
  const stt = new FakeStt({ finalMs: NEVER_MS })
  const spare = new FakeStt({ words: ['what time is it'] })
  const call = await Call.open({ settings: NO_GUESS, stt, spare: { stt: spare } })
  await call.says()
  await call.wait(3000)
  expect(call.last('transcript').transcript).toBe('what time is it')
  const attempts = (await call.records()).at(-1)?.attempts.filter(({ stage }) => stage === 'stt')
  expect(attempts?.map(({ provider, status, kind }) => [provider, status, kind])).toEqual([
    ['fake', 'failed', 'timeout'],
    ['spare', 'ok', null],
  ])
  await ends(call)
})

test('when all recognisers are silent, the apology comes within the budget and one idle deadline', async () => {
  const silent = () => new FakeStt({ finalMs: NEVER_MS })
  const call = await Call.open({
    settings: { ...NO_GUESS, apology: SORRY },
    stt: silent(),
    spare: { stt: silent() },
    ladder: [APOLOGY],
    phrases: { [SORRY]: 1500 },
  })
  await call.says()
  await call.wait(12_000)
  expect(call.transcript.trim()).toBe(SORRY)
  expect(call.at('answerAudio') - call.spokeUntil).toBeLessThanOrEqual(6_500)
  await ends(call)
})

test('a question into an answer that no recogniser can tell is apologised for, once the answer has ended', async () => {
  const hearing = { words: ['hello'], finalMs: 0 }
  const call = await Call.open({
    settings: { ...NO_GUESS, apology: SORRY },
    caps: BRIDGE,
    stt: new FakeStt(hearing),
    ladder: [APOLOGY],
    phrases: { [SORRY]: 1500 },
  })
  await call.says()
  await call.wait(700)
  hearing.finalMs = NEVER_MS
  await call.says()
  expect(call.count('outputCleared')).toBe(1)
  await call.wait(15_000)
  expect(call.count('transcriptFailed')).toBe(1)
  expect(call.transcript).toContain(SORRY)
  expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
  await ends(call)
})
