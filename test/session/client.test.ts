import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, msToBytes, PCM16_24K } from '../../src/audio/format.ts'
import { settled } from '../../src/clock.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { FakeLlm, FakeStt, FakeTts, sound } from '../support/stages.ts'
import { BRIDGE, Call, formatted, PACED } from './call.ts'

const ANSWER = 'Hello there. How can I help you today?'
const SPOKEN_MS = (ANSWER.length - 1) * 50
const MANUAL = { turnDetection: null }
const toolCall = (callId: string): ModelEvent => ({
  type: 'toolCall',
  call: { callId, name: 'hours', arguments: '{"day":"monday"}' },
})
const finish = (reason: 'stop' | 'tool_calls'): ModelEvent => ({ type: 'finish', reason })

/** Asks a tool first, answers once its result is there. */
function toolModel(words = ''): FakeLlm {
  return new FakeLlm({
    answer: ({ messages }) => {
      const result = messages.findLast(({ role }) => role === 'tool')
      if (result && result.text !== 'No result yet.') return `We open at ${result.text}.`
      const events = [toolCall(`c${messages.length}`), finish('tool_calls')]
      return words === '' ? events : [{ type: 'text', text: words }, ...events]
    },
  })
}

describe('a client that commits by hand', () => {
  test('is heard from the first byte to the commit', async () => {
    const call = await Call.open({ settings: MANUAL })
    await call.silent(3000)
    await call.speak(2000)
    expect(call.stt.streams).toHaveLength(0)
    call.send({ type: 'commit' })
    await call.wait(100)
    expect(call.stt.streams[0]!.heardMs).toEqual([5000])
    expect(call.types).toEqual(['committed', 'itemAdded', 'itemDone', 'transcriptDelta', 'transcript'])
    await call.respond()
    await call.wait(5000)
    expect(call.transcript).toBe(ANSWER)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('asks for the answer before the words are known, and gets it once they are', async () => {
    const call = await Call.open({ settings: MANUAL, stt: new FakeStt({ finalMs: 300 }) })
    await call.speak(1000)
    call.send({ type: 'commit' })
    await call.respond()
    await call.wait(200)
    expect(call.count('responseCreated')).toBe(1)
    expect(call.llm.requests).toHaveLength(0)
    await call.wait(200)
    expect(call.llm.requests).toHaveLength(1)
    expect(call.prompt).toEqual(['user: hello'])
    await call.wait(6000)
    const [record] = await call.records()
    expect(record!.marks.sttFinal).toBe(300)
    expect(record).toMatchObject({ outcome: 'said', heard: { text: ANSWER } })
  })

  test('who clears has only what came after', async () => {
    const call = await Call.open({ settings: MANUAL })
    await call.speak(2000)
    call.send({ type: 'clear' })
    await call.speak(700)
    call.send({ type: 'commit' })
    await call.wait(10)
    expect(call.stt.streams[0]!.heardMs).toEqual([700])
  })

  test('is refused a commit of nothing', async () => {
    const call = await Call.open({ settings: MANUAL })
    await call.speak(80)
    const ref = call.send({ type: 'commit' })
    await settled()
    expect(call.last('refused')).toMatchObject({ code: 'input_audio_buffer_commit_empty', ref })
  })

  test('of a buffer longer than is kept loses its beginning', async () => {
    const call = await Call.open({ settings: MANUAL })
    call.session.audio(sound(PCM16_24K, 150_000, 'speech'))
    call.send({ type: 'commit' })
    await call.wait(10)
    expect(call.stt.streams[0]!.heardMs).toEqual([120_000])
  })

  test('under voice detection takes the words in progress', async () => {
    const call = await Call.open()
    await call.speak(1000)
    call.send({ type: 'commit' })
    await call.silent(700)
    expect(call.count('committed')).toBe(1)
    expect(call.count('transcript')).toBe(1)
    expect(call.count('responseCreated')).toBe(0)
    await call.says(600)
    await call.wait(100)
    expect(call.count('committed')).toBe(2)
    expect(call.prompt).toEqual(['user: hello hello'])
  })
})

describe('settings that change in the middle', () => {
  test('of formats: what follows is of the new one', async () => {
    const call = await Call.open()
    await call.says(600)
    await call.wait(5000)
    call.send({ type: 'settings', patch: formatted(MULAW_8K) })
    await call.silent(400)
    await call.says(1000)
    await call.wait(5000)
    const audio = call
      .all('answerAudio')
      .filter(({ responseId }) => responseId === call.last('responseCreated').response.id)
    const bytes = audio.reduce((sum, { audio: one }) => sum + one.length, 0)
    expect(bytes).toBe(msToBytes(MULAW_8K, SPOKEN_MS))
    expect(call.stt.streams[0]!.heardMs[1]).toBeGreaterThan(300 + 1000 + 450)
    expect(call.stt.streams[0]!.heardMs[1]).toBeLessThan(300 + 1000 + 600)
  })

  test('of the input format while the caller speaks lose none of it', async () => {
    const call = await Call.open({ settings: { maxRevisions: 0 } })
    await call.speak(1000)
    call.send({ type: 'settings', patch: { inputFormat: ALAW_8K } })
    await call.speak(1000)
    await call.silent(640)
    const [heardMs] = call.stt.streams[0]!.heardMs
    expect(heardMs).toBeGreaterThan(2000 + 450)
    expect(heardMs).toBeLessThan(2000 + 300 + 600)
  })

  test('of the output format while an answer is spoken leave that answer as it began', async () => {
    const call = await Call.open({ caps: PACED })
    await call.says(600)
    await call.wait(500)
    call.send({ type: 'settings', patch: { outputFormat: MULAW_8K } })
    await call.wait(5000)
    const bytes = call.all('answerAudio').reduce((sum, { audio }) => sum + audio.length, 0)
    expect(Math.abs(bytes - msToBytes(PCM16_24K, SPOKEN_MS))).toBeLessThanOrEqual(msToBytes(PCM16_24K, 20))
    expect((await call.records())[0]!.heard).toMatchObject({ text: ANSWER, ms: SPOKEN_MS })
  })

  test('to commits by hand drop the utterance in progress', async () => {
    const call = await Call.open()
    await call.speak(1000)
    call.send({ type: 'settings', patch: MANUAL })
    await call.silent(1000)
    expect(call.count('committed')).toBe(0)
    call.send({ type: 'commit' })
    await call.respond()
    await call.wait(5000)
    expect(call.transcript).toBe(ANSWER)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('to a lead: the next answer comes at the pace of listening', async () => {
    const call = await Call.open()
    call.send({ type: 'settings', patch: { leadMs: 300 } })
    await call.says(600)
    await call.wait(500)
    expect(call.audioMs).toBeLessThan(500 + 300 + 200)
    await call.wait(5000)
    expect(call.audioMs).toBe(SPOKEN_MS + 10)
  })

  test('of the language reach the next stream, those not allowed are refused', async () => {
    const call = await Call.open({ clientMay: ['tools'] })
    const ref = call.send({ type: 'settings', patch: { instructions: 'Be rude.' } })
    await settled()
    expect(call.last('refused')).toMatchObject({
      code: 'override_not_allowed',
      ref,
      param: 'session.instructions',
    })
    expect(call.session.settings.instructions).toBe('Be brief.')
  })
})

describe('a greeting', () => {
  test('is spoken at once, is a turn, and is part of the conversation', async () => {
    const call = await Call.open({ greeting: 'Hello, how can I help?' })
    await call.wait(3000)
    expect(call.types).toEqual([
      'responseCreated',
      'answerStarted',
      'answerText',
      'answerAudio',
      'answerDone',
      'responseDone',
      'turn',
    ])
    expect((await call.records())[0]).toMatchObject({
      outcome: 'said',
      heard: { text: 'Hello, how can I help?' },
    })
    await call.says(600)
    await call.wait(100)
    expect(call.prompt).toEqual(['assistant: Hello, how can I help?', 'user: hello'])
  })

  test('can be interrupted', async () => {
    const call = await Call.open({ greeting: 'Hello, how can I help you on this fine day, dear caller?' })
    await call.silent(600)
    await call.says(600)
    await call.wait(100)
    expect(call.prompt[0]).toMatch(/^assistant: Hello.* \[interrupted\]$/)
  })
})

describe('a truncate', () => {
  async function spokenAnswer(): Promise<Call> {
    const call = await Call.open({ tts: new FakeTts({ wordTimes: true }) })
    await call.says(600)
    await call.wait(100)
    return call
  }
  const cutAt = (call: Call, audioEndMs: number) =>
    call.send({ type: 'truncateItem', itemId: call.last('answerDone').itemId, contentIndex: 0, audioEndMs })

  test('at the very end and a millisecond beyond is accepted, more is refused', async () => {
    for (const [beyond, accepted] of [
      [0, true],
      [1, true],
      [2, false],
    ] as const) {
      const call = await spokenAnswer()
      cutAt(call, SPOKEN_MS + beyond)
      await settled()
      expect(call.count('itemTruncated')).toBe(accepted ? 1 : 0)
      if (!accepted) {
        expect(call.last('refused')).toMatchObject({
          code: 'invalid_value',
          message: `Audio content of ${SPOKEN_MS}ms is already shorter than ${SPOKEN_MS + beyond}ms`,
        })
      }
    }
  })

  test('tells the model what was heard, and the record too', async () => {
    const call = await spokenAnswer()
    cutAt(call, 1200)
    await call.says(600)
    await call.wait(100)
    expect(call.prompt[1]).toBe('assistant: Hello there. How can I [interrupted]')
    expect((await call.records())[0]!.heard).toEqual({
      ms: 1200,
      text: 'Hello there. How can I',
      interrupted: true,
    })
  })

  test('of an answer played long ago goes by its length', async () => {
    const call = await Call.open()
    for (let i = 0; i < 10; i++) {
      await call.says(600)
      await call.wait(6000)
    }
    const { itemId } = call.all('answerDone')[0]!
    call.send({ type: 'truncateItem', itemId, contentIndex: 0, audioEndMs: SPOKEN_MS / 2 })
    call.send({ type: 'retrieveItem', itemId })
    await settled()
    expect(call.count('itemTruncated')).toBe(1)
    expect(call.last('itemRetrieved').audio!.length).toBe(msToBytes(PCM16_24K, SPOKEN_MS / 2))
    await call.says(600)
    await call.wait(100)
    expect(call.prompt[1]).toMatch(/^assistant: Hello there\. .* \[interrupted\]$/)
  })

  test('before the final: the late words are answered once', async () => {
    const call = await spokenAnswer()
    Object.assign(call.stt.options, { finalMs: 400 })
    await call.speak(600)
    cutAt(call, 600)
    await call.silent(640)
    await call.wait(1000)
    expect(call.llm.requests.length).toBeLessThanOrEqual(4)
    expect(call.prompt[1]).toBe('assistant: Hello there. [interrupted]')
    expect(call.count('responseCreated')).toBe(2)
  })
})

describe('items', () => {
  test('give their audio back in full', async () => {
    const call = await Call.open()
    await call.says(1000)
    await call.wait(6000)
    call.send({ type: 'retrieveItem', itemId: call.last('answerDone').itemId })
    await settled()
    expect(call.last('itemRetrieved').audio!.length).toBe(msToBytes(PCM16_24K, SPOKEN_MS))
    call.send({ type: 'retrieveItem', itemId: call.last('committed').itemId })
    await settled()
    const ms = call.last('itemRetrieved').audio!.length / 48
    expect(ms).toBeGreaterThan(1450)
    expect(ms).toBeLessThan(1000 + 600)
  })

  test('of noise that interrupted nothing leave no audio behind', async () => {
    const call = await Call.open({ caps: BRIDGE, stt: new FakeStt({ words: ['hi', ''] }) })
    await call.says(600)
    await call.wait(300)
    await call.says(600)
    await call.wait(10_000)
    expect(call.count('committed')).toBe(1)
    expect(await call.records()).toHaveLength(1)
  })
})

describe('tools', () => {
  test('a call, its result, an answer: one turn', async () => {
    const call = await Call.open({ llm: toolModel(), settings: { maxRevisions: 0 } })
    await call.says(600)
    await call.wait(100)
    const { item } = call.last('toolCalled')
    expect(item).toMatchObject({ name: 'hours', arguments: '{"day":"monday"}' })
    expect(call.count('answerStarted')).toBe(0)
    await result(call, item.callId, 'nine')
    await call.wait(3000)
    expect(call.transcript).toBe('We open at nine.')
    const records = await call.records()
    expect(records).toHaveLength(1)
    expect(records[0]!.responseIds).toHaveLength(2)
    expect(records[0]).toMatchObject({ outcome: 'said', heard: { text: 'We open at nine.' } })
  })

  test('words before a call are heard first, and both are in the record', async () => {
    const call = await Call.open({
      llm: toolModel('Let me look that up for you. '),
      settings: { maxRevisions: 0 },
    })
    await call.says(600)
    await call.wait(100)
    await result(call, call.last('toolCalled').item.callId, 'nine')
    await call.wait(4000)
    const [record] = await call.records()
    expect(record).toMatchObject({
      outcome: 'said',
      heard: {
        text: 'Let me look that up for you. We open at nine.',
        interrupted: false,
        ms: 28 * 50 + 16 * 50,
      },
      text: { said: 'Let me look that up for you. We open at nine.' },
    })
  })

  test('an interruption of the words before, while the answer is already sent: neither is heard in full', async () => {
    const call = await Call.open({
      llm: toolModel('Let me look that up for you. '),
      tts: new FakeTts({ wordTimes: true }),
      settings: { maxRevisions: 0 },
    })
    await call.says(600)
    await call.wait(100)
    await result(call, call.last('toolCalled').item.callId, 'nine')
    await call.silent(200)
    expect(call.transcript).toBe('Let me look that up for you. We open at nine.')
    await call.speak(300)
    await call.silent(640)
    await call.wait(100)
    const told = call.prompt.filter((line) => line.startsWith('assistant'))
    expect(told).toEqual(['assistant: Let me look [interrupted]'])
    const [record] = await call.records()
    expect(record!.heard).toMatchObject({ text: 'Let me look', interrupted: true })
  })

  test('the caller speaks again while the tool is out: answered, and the result is taken once', async () => {
    const call = await Call.open({
      llm: toolModel(),
      stt: new FakeStt({ words: ['When do you open?', 'Are you there?'] }),
      settings: { maxRevisions: 0 },
    })
    await call.says(600)
    await call.wait(200)
    const { callId } = call.last('toolCalled').item
    await call.says(600)
    await call.wait(200)
    expect(call.llm.requests).toHaveLength(2)
    expect(call.llm.requests[1]!.messages.some((m) => m.role === 'tool' && m.text === 'No result yet.')).toBe(
      true,
    )
    await result(call, callId, 'nine')
    await call.wait(3000)
    await result(call, callId, 'ten')
    expect(call.last('refused')).toMatchObject({ code: 'invalid_tool_call_id' })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  async function result(call: Call, callId: string, output: string): Promise<void> {
    const item = { id: '', type: 'toolResult', callId, output, status: 'completed' } as const
    call.send({ type: 'createItem', item, after: null })
    await call.respond()
  }
})

describe('responses', () => {
  test('a written conversation', async () => {
    const call = await Call.open({ settings: { modality: 'text' } })
    await call.text('Hi')
    await call.respond()
    await call.wait(100)
    expect(call.types).toEqual(
      [
        'itemAdded',
        'itemDone',
        'responseCreated',
        'answerStarted',
        'answerText',
        'answerDone',
        'responseDone',
        'turn',
      ].sort(byTaken(call)),
    )
    expect(call.last('answerDone').item.parts).toEqual([{ type: 'text', text: ANSWER }])
    const [record] = await call.records()
    expect(record).toMatchObject({
      outcome: 'said',
      text: { user: 'Hi', said: ANSWER },
      budget: { actualMs: null },
    })
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('out of band beside a spoken one touch nothing of it', async () => {
    const call = await Call.open()
    await call.says(600)
    await call.wait(50)
    await call.respond({
      conversation: 'none',
      modality: 'text',
      instructions: 'Classify.',
      metadata: { topic: 'x' },
    })
    await call.wait(6000)
    expect(call.count('responseDone')).toBe(2)
    const side = call.all('responseDone').find(({ response }) => !response.inConversation)!
    expect(side.response).toMatchObject({ metadata: { topic: 'x' }, modality: 'text' })
    await call.says(600)
    await call.wait(100)
    expect(call.prompt).toEqual(['user: hello', `assistant: ${ANSWER}`, 'user: hello'])
    const outcomes = (await call.records()).map(({ outcome }) => outcome)
    expect(outcomes.sort()).toEqual(['open', 'said', 'said'])
  })

  test('cancelled by the client stop at once and end as cancelled', async () => {
    const call = await Call.open({ caps: PACED })
    await call.says(600)
    await call.wait(500)
    call.send({ type: 'cancelResponse', responseId: null })
    await call.wait(0)
    const before = call.audioMs
    await call.wait(3000)
    expect(call.audioMs).toBe(before)
    expect(call.last('responseDone').response.ending).toEqual({
      status: 'cancelled',
      reason: 'client_cancelled',
    })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })
})

/** Keeps a list of kinds in the order they were taken: control may overtake. */
function byTaken(call: Call) {
  return (a: string, b: string) => call.types.indexOf(a as never) - call.types.indexOf(b as never)
}
