/** A caller who says nothing, and one whose pauses are judged. */
import { describe, expect, test } from 'vitest'
import { FakeLlm, FakeStt } from '../support/stages.ts'
import { Call } from './call.ts'
import { SETTINGS } from './story.ts'

const server = { ...SETTINGS.turnDetection!, idleTimeoutMs: 6_000 }
const IDLE = { afterMs: 5_000, say: ['Are you still there?', 'Hello?'], hangUpAfter: 3 }

describe('idle_timeout_ms', () => {
  test('makes an empty turn of the silence after an answer was played, and the model speaks', async () => {
    const call = await Call.open({ settings: { turnDetection: server } })
    await call.says(1000)
    await call.silent(4_000)
    const done = call.taken.find(({ output }) => output.type === 'responseDone')!
    const playedAt = done.at + call.audioMs
    await call.silent(10_000)
    const timeout = call.taken.find(({ output }) => output.type === 'timeoutTriggered')!
    expect(timeout.at - playedAt).toBeGreaterThan(5_500)
    expect(timeout.at - playedAt).toBeLessThan(6_500)
    const types = call.types
    const from = types.indexOf('timeoutTriggered')
    expect(types.slice(from, from + 5)).toEqual([
      'timeoutTriggered',
      'committed',
      'itemAdded',
      'itemDone',
      'responseCreated',
    ])
    const { output } = timeout
    const committed = call.last('committed')
    expect(output).toMatchObject({ itemId: committed.itemId })
    expect(output.type === 'timeoutTriggered' && output.audioEndMs - output.audioStartMs).toBe(6_000)
    expect(call.llm.requests.at(-1)?.messages[0]).toMatchObject({
      text: expect.stringMatching(/said nothing for 6 seconds/),
    })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('does not run while the caller speaks, nor under semantic_vad, nor before anything was said', async () => {
    const quiet = await Call.open({ settings: { turnDetection: server } })
    await quiet.wait(20_000)
    expect(quiet.types).not.toContain('timeoutTriggered')
    const semantic = await Call.open({ settings: { turnDetection: { ...server, type: 'semantic_vad' } } })
    await semantic.says(1000)
    await semantic.wait(20_000)
    expect(semantic.types).not.toContain('timeoutTriggered')
    const talks = await Call.open({ settings: { turnDetection: server } })
    for (let i = 0; i < 4; i++) {
      await talks.says(1000)
      await talks.wait(6_500)
    }
    expect(talks.types).not.toContain('timeoutTriggered')
  })
})

describe('idle prompts', () => {
  test('are said one after the other, and then the session ends', async () => {
    const call = await Call.open({ settings: { idle: IDLE }, greeting: 'Hello.' })
    await call.wait(60_000)
    const said = call.taken.flatMap(({ output }) => (output.type === 'answerDone' ? [output.text] : []))
    expect(said).toEqual(['Hello.', 'Are you still there?', 'Hello?', 'Are you still there?'])
    expect(call.outputsEnded).toBe(true)
    expect([call.closed, call.session.closedFor]).toEqual([1, 'idle'])
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('begin anew once the caller has spoken', async () => {
    const call = await Call.open({ settings: { idle: IDLE }, greeting: 'Hello.' })
    await call.wait(16_000)
    await call.says(1000)
    await call.wait(18_000)
    const said = call.taken.flatMap(({ output }) => (output.type === 'answerDone' ? [output.text] : []))
    const prompts = said.filter((text) => IDLE.say.includes(text))
    expect(prompts.slice(0, 2)).toEqual(IDLE.say)
    expect(prompts.slice(2, 4)).toEqual(IDLE.say)
    expect(call.outputsEnded).toBe(false)
    await call.hangUp()
  })
})

describe('semantic_vad', () => {
  const semantic = { ...SETTINGS.turnDetection!, type: 'semantic_vad', eagerness: 'auto' } as const

  test('waits out a pause in a sentence, thinks in it, and commits what was thought at the true end', async () => {
    const heard: (string | null)[] = []
    const call = await Call.open({
      settings: { turnDetection: semantic },
      stt: new FakeStt({ words: ['Two adults and three children'] }),
      llm: new FakeLlm({ firstTokenMs: 100 }),
      endOfTurn: {
        judge: async ({ words, samples }) => {
          heard.push(words)
          return { probability: samples.length > 2_500 * 16 ? 0.9 : 0.05, by: 'model' }
        },
      },
    })
    await call.speak(1000)
    await call.silent(900)
    expect(call.types).not.toContain('speechStopped')
    // On the pause the model was asked already.
    expect(call.llm.requests.length).toBe(1)
    await call.speak(800)
    await call.silent(3_000)
    await call.wait(10_000)
    expect(call.types.filter((type) => type === 'committed')).toHaveLength(1)
    expect(call.types.filter((type) => type === 'responseDone')).toHaveLength(1)
    expect(heard).toContain('Two adults and three children')
    await call.hangUp()
  })
})
