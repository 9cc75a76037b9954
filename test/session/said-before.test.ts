/** What was said before is said without asking a voice: in order with what has to be asked for, and when nobody answers. */
import { expect, test } from 'vitest'
import { PhraseCache } from '../../src/attempt/phrases.ts'
import { SentenceCache } from '../../src/attempt/sentence-cache.ts'
import { VirtualClock } from '../../src/clock.ts'
import { ProviderError } from '../../src/errors.ts'
import { FakeLlm, FakeTts, fixedRouter as fixed } from '../support/stages.ts'
import { Call } from './call.ts'

async function talking(answers: readonly string[], tts = new FakeTts()) {
  const clock = new VirtualClock()
  const cache = new PhraseCache({ clock })
  const sentences = new SentenceCache({ cache, after: 2, keep: 'memory' })
  let n = 0
  const call = await Call.open({
    clock,
    tts,
    llm: new FakeLlm({ answer: () => answers[n++ % answers.length]! }),
    settings: { maxRevisions: 0 },
    router: (lineup) => ({ ...fixed(lineup, clock), sentences }),
  })
  const turn = async () => {
    await call.says()
    await call.wait(6_000)
  }
  return { call, tts, turn, cache, sentences }
}

test('an answer that was said often is said from memory: nobody is asked, and the record says so', async () => {
  const { call, tts, turn } = await talking(['What is your name?'], new FakeTts({ firstAudioMs: 200 }))
  for (let i = 0; i < 3; i++) await turn()
  expect(tts.said).toEqual(['What is your name?', 'What is your name?'])
  const [asked, , cached] = await call.records()
  const voices = (record: typeof asked) => record!.attempts.filter(({ stage }) => stage === 'tts')
  expect(voices(asked)).toMatchObject([{ reason: 'first', status: 'ok' }])
  expect(voices(cached)).toMatchObject([{ reason: 'cached', status: 'ok', costUsd: 0 }])
  const [{ startMs, firstOutputMs } = { startMs: 0, firstOutputMs: null }] = voices(cached)
  expect(firstOutputMs! - startMs).toBe(0)
  expect(cached!.marks.ttsFirstAudio).toBeLessThan(asked!.marks.ttsFirstAudio!)
  expect(cached!.heard?.text).toBe('What is your name?')
  const heard = call.all('answerAudio')
  const perTurn = ['first', 'last'].map((end) => {
    const of = (end === 'first' ? heard[0] : heard.at(-1))!.responseId
    return heard
      .filter(({ responseId }) => responseId === of)
      .reduce((sum, { audio }) => sum + audio.length, 0)
  })
  expect(perTurn[1]).toBe(perTurn[0])
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
})

test('a sentence from memory comes first, and what the voice says meanwhile comes after it', async () => {
  const opener = 'I can help you with that today. '
  const { call, tts, turn } = await talking([
    `${opener}First.`,
    `${opener}Second.`,
    `${opener}And something else.`,
  ])
  for (let i = 0; i < 3; i++) await turn()
  expect(tts.said.at(-1)).toBe('And something else.')
  expect(tts.said.filter((text) => text === opener.trim())).toHaveLength(2)
  const record = (await call.records()).at(-1)!
  expect(record.attempts.filter(({ stage }) => stage === 'tts').map(({ reason }) => reason)).toEqual([
    'cached',
    'first',
  ])
  expect(record.heard?.text).toBe(`${opener}And something else.`)
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
})

test('with every voice down, what was said before is said all the same', async () => {
  let state: 'up' | 'down' = 'up'
  const tts = new FakeTts()
  const { open } = tts
  tts.open = (options) => {
    if (state === 'up') return open.call(tts, options)
    throw new ProviderError({ provider: 'fake', stage: 'tts', kind: 'transient', message: 'down' })
  }
  const { call, turn } = await talking(['Please hold on.'], tts)
  await turn()
  await turn()
  state = 'down'
  await turn()
  expect((await call.records()).map(({ outcome }) => outcome)).toEqual(['said', 'said', 'said'])
  expect(call.count('fault')).toBe(0)
  await call.hangUp()
})

test('a caller who interrupts a sentence from memory stops it', async () => {
  const long =
    'This is a rather long sentence that goes on and on until somebody says something against it, at last.'
  const { call, turn } = await talking([long])
  await turn()
  await call.wait(10_000)
  await turn()
  await call.wait(10_000)
  await call.says()
  await call.wait(300)
  await call.speak(1_000)
  await call.silent(640)
  await call.wait(10_000)
  const cut = (await call.records())[2]!
  expect(cut.heard).toMatchObject({ interrupted: true })
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
})
