import { describe, expect, test } from 'vitest'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { BRIDGE, Call, PACED, UNPACED } from './call.ts'

const ANSWER = 'Hello there. How can I help you today?'

describe('a whole spoken turn', () => {
  test('comes out in order, its words and its sound complete', async () => {
    const call = await Call.open({ stt: new FakeStt({ words: ['Good morning'] }) })
    await call.says(1000)
    await call.wait(10_000)
    expect(call.types).toEqual([
      'speechStarted',
      'speechStopped',
      'committed',
      'itemAdded',
      'itemDone',
      'transcriptDelta',
      'transcript',
      'responseCreated',
      'answerStarted',
      'answerText',
      'answerAudio',
      'answerText',
      'answerAudio',
      'answerDone',
      'responseDone',
      'turn',
    ])
    expect(call.transcript).toBe(ANSWER)
    expect(call.last('answerDone').text).toBe(ANSWER)
    expect(call.last('transcript').transcript).toBe('Good morning')
    expect(call.audioMs).toBe((ANSWER.length - 1) * 50)
    expect(call.prompt).toEqual(['user: Good morning'])
    expect(call.tts.voices).toEqual(['fake-warm'])
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('leaves a record: marks in order, budget, attempts, all words heard', async () => {
    const call = await Call.open({
      stt: new FakeStt({ words: ['Good morning'], finalMs: 40 }),
      llm: new FakeLlm({ firstTokenMs: 100 }),
      tts: new FakeTts({ firstAudioMs: 60 }),
      settings: { maxRevisions: 0 },
    })
    await call.says(1000)
    await call.wait(10_000)
    const [record] = await call.records()
    const { marks } = record!
    expect(record).toMatchObject({
      outcome: 'said',
      revision: 1,
      heard: { text: ANSWER, interrupted: false, ms: (ANSWER.length - 1) * 50 },
      text: { user: 'Good morning', said: ANSWER },
      underruns: 0,
    })
    expect(record!.attempts.map(({ stage, status, reason }) => [stage, status, reason])).toEqual([
      ['stt', 'ok', 'first'],
      ['llm', 'ok', 'first'],
      ['tts', 'ok', 'first'],
    ])
    const order = [
      'speechStart',
      'speechEnd',
      'committed',
      'sttFinal',
      'llmFirstToken',
      'firstSentence',
    ] as const
    const times = [...order, 'ttsFirstAudio' as const, 'firstAudioSent' as const, 'end' as const].map(
      (name) => marks[name] ?? Number.NaN,
    )
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(marks.speechEnd).toBe(0)
    expect(marks.sttFinal! - marks.committed!).toBe(40)
    expect(marks.llmFirstToken! - marks.sttFinal!).toBe(100)
    expect(marks.ttsFirstAudio! - marks.firstSentence!).toBe(60)
    expect(record!.budget.actualMs).toBe(marks.firstAudioSent)
    const sent = call.at('answerAudio') - call.spokeUntil
    expect(Math.abs(sent - record!.budget.actualMs!)).toBeLessThanOrEqual(64)
    expect(call.last('responseDone').record).toMatchObject({ outcome: 'open', text: { said: ANSWER } })
    expect(call.last('turn').record).toEqual(record)
  })

  for (const [name, caps] of Object.entries({ UNPACED, PACED, BRIDGE })) {
    test(`three in a row are three records and one conversation (${name})`, async () => {
      const call = await Call.open({ caps, stt: new FakeStt({ words: ['One', 'Two', 'Three'] }) })
      for (let i = 0; i < 3; i++) {
        await call.says(600)
        await call.wait(6000)
      }
      expect(call.prompt).toEqual([
        'user: One',
        `assistant: ${ANSWER}`,
        'user: Two',
        `assistant: ${ANSWER}`,
        'user: Three',
      ])
      const records = await call.records()
      expect(records.map(({ outcome, heard }) => [outcome, heard?.text, heard?.interrupted])).toEqual(
        Array(3).fill(['said', ANSWER, false]),
      )
      await call.hangUp()
      expect(call.clock.pendingTimers).toBe(0)
      expect(call.listeners).toBe(0)
    })
  }

  test('the recogniser gets the caller from the padding before the first word to the commit', async () => {
    const call = await Call.open()
    await call.silent(2000)
    await call.says(1000)
    await call.wait(100)
    const [stream] = call.stt.streams
    const heardMs = stream!.heardMs[0]!
    expect(heardMs).toBeGreaterThan(300 + 1000 + 450)
    expect(heardMs).toBeLessThan(300 + 1000 + 600)
    expect(stream!.audioMs).toBe(0)
  })
})

describe('speculation', () => {
  const stages = () => ({
    stt: new FakeStt({ words: ['What is the time?'], finalMs: 20 }),
    llm: new FakeLlm({ firstTokenMs: 80 }),
    tts: new FakeTts({ firstAudioMs: 30 }),
  })

  test('calls the model inside the silence window and says nothing before the commit', async () => {
    const call = await Call.open(stages())
    await call.speak(1000)
    await call.silent(440)
    expect(call.llm.requests).toHaveLength(1)
    expect(call.tts.said).toEqual([])
    expect(call.types).toEqual(['speechStarted'])
    await call.silent(200)
    await call.wait(100)
    expect(call.llm.requests).toHaveLength(1)
    expect(call.count('responseCreated')).toBe(1)
    const spentMs = call.at('answerAudio') - call.at('committed')
    expect(spentMs).toBe(20 + 30)
    const [record] = await call.records()
    expect(record!.attempts.map(({ stage, reason, status }) => [stage, reason, status])).toEqual([
      ['llm', 'revision 1', 'ok'],
      ['stt', 'first', 'ok'],
      ['tts', 'first', 'ok'],
    ])
    expect(record!.marks.speculated).toBeLessThan(record!.marks.committed!)
  })

  test('is dropped when the caller goes on, and made anew', async () => {
    const call = await Call.open({ ...stages(), llm: new FakeLlm({ firstTokenMs: 500 }) })
    await call.speak(1000)
    await call.silent(300)
    expect(call.llm.requests).toHaveLength(1)
    await call.speak(400)
    expect(call.llm.aborted).toBe(1)
    expect(call.count('responseCreated')).toBe(0)
    await call.silent(640)
    await call.wait(4000)
    expect(call.llm.requests).toHaveLength(2)
    expect(call.count('responseCreated')).toBe(1)
    expect(call.transcript).toBe(ANSWER)
    const [record] = await call.records()
    expect(record!.attempts.filter(({ stage }) => stage === 'llm').map(({ status }) => status)).toEqual([
      'cancelled',
      'ok',
    ])
  })

  test('on words that prove to be others is dropped for the right ones', async () => {
    const stt = new FakeStt({ words: ['What is the thyme?', 'x'], finalMs: 20 })
    const call = await Call.open({ ...stages(), stt })
    await call.speak(1000)
    await call.silent(300)
    stt.utterances = 1
    await call.silent(340)
    await call.wait(4000)
    expect(call.llm.requests).toHaveLength(2)
    expect(call.prompt).toEqual(['user: x'])
    expect(call.transcript).toBe(ANSWER)
  })

  test('keeps tool calls back until the commit', async () => {
    const call = { callId: 'c1', name: 'clock', arguments: '{}' }
    const llm = new FakeLlm({
      answer: () => [
        { type: 'toolCall', call },
        { type: 'finish', reason: 'tool_calls' },
      ],
    })
    const phone = await Call.open({ ...stages(), llm })
    await phone.speak(1000)
    await phone.silent(440)
    expect(llm.requests).toHaveLength(1)
    expect(phone.count('toolCalled')).toBe(0)
    await phone.silent(200)
    expect(phone.count('toolCalled')).toBe(1)
    expect(phone.last('responseDone').response).toMatchObject({ ending: { status: 'completed' } })
  })

  test('that fails is forgotten, and the committed words are answered', async () => {
    const { ProviderError } = await import('../../src/errors.ts')
    const call = await Call.open(stages())
    call.llm.next = new ProviderError({ provider: 'fake', stage: 'llm', kind: 'rate', message: 'slow down' })
    await call.says(1000)
    await call.wait(4000)
    expect(call.llm.requests).toHaveLength(2)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(call.transcript).toBe(ANSWER)
  })
})
