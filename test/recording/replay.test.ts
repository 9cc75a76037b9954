/** What was recorded plays again to the byte: whatever happened in the call. */

import { expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import { settled } from '../../src/clock.ts'
import { Secret } from '../../src/config/secret.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { ProviderError } from '../../src/errors.ts'
import { BRIDGE, Call, type CallOptions, PACED } from '../session/call.ts'
import { asks, CRM, crm, Desk } from '../session/desk.ts'
import { SETTINGS } from '../session/story.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { RecordedCall } from './recorded.ts'

/** Nothing differs, and the call did what the test is about. */
async function same(recorded: RecordedCall): Promise<void> {
  const { call } = recorded
  const replayed = await recorded.replayed()
  expect(replayed.difference).toBeNull()
  expect(replayed.outputs).toBe(call.taken.length)
  expect(replayed.turns).toBe(call.count('turn'))
  expect(call.clock.pendingTimers).toBe(0)
}

test('two turns, greeted and with word times', async () => {
  const recorded = await RecordedCall.open({
    greeting: 'Welcome.',
    stt: new FakeStt({ words: ['What is it?', 'And now?'], finalMs: 80 }),
    llm: new FakeLlm({ firstTokenMs: 120, tokenMs: 15 }),
    tts: new FakeTts({ firstAudioMs: 60, wordTimes: true }),
  })
  const { call } = recorded
  await call.wait(2000)
  await call.says()
  await call.wait(4000)
  await call.says(600)
  await call.wait(4000)
  expect(call.count('responseDone')).toBe(3)
  await same(recorded)
})

test('an interruption over a paced wire that can be cleared', async () => {
  const recorded = await RecordedCall.open({ caps: BRIDGE, llm: new FakeLlm({ firstTokenMs: 50 }) })
  const { call } = recorded
  await call.says()
  await call.wait(700)
  await call.speak(500)
  await call.silent(700)
  await call.wait(3000)
  expect(call.count('outputCleared')).toBeGreaterThan(0)
  const records = await call.records()
  expect(records.some(({ heard }) => heard?.interrupted)).toBe(true)
  await same(recorded)
})

test('a pause that was judged, by a judge who takes his time', async () => {
  const clockMs: number[] = []
  const recorded = await RecordedCall.open({
    settings: { turnDetection: { ...SETTINGS.turnDetection!, type: 'semantic_vad', eagerness: 'high' } },
    endOfTurn: {
      judge: async ({ samples }) => {
        clockMs.push(samples.length / 16)
        await settled()
        return { probability: samples.length > 2_500 * 16 ? 0.9 : 0.05, by: 'model' }
      },
    },
  })
  const { call } = recorded
  await call.speak(1000)
  await call.silent(900)
  await call.speak(800)
  await call.silent(2_000)
  await call.wait(3000)
  expect(clockMs.length).toBeGreaterThan(2)
  expect(call.count('responseDone')).toBe(1)
  await same(recorded)
})

test('a turn that its recogniser ended, and one that it was lost in', async () => {
  const stt = new FakeStt({ endOfTurn: 'model' })
  const recorded = await RecordedCall.open({
    settings: { turnDetection: { ...SETTINGS.turnDetection!, type: 'semantic_vad', eagerness: 'auto' } },
    stt,
    endOfTurn: { judge: async () => ({ probability: 0.9, by: 'model' }) },
  })
  const { call } = recorded
  await call.speak(1500)
  await call.silent(700)
  stt.streams[0]!.endsTurn('hello')
  await call.silent(100)
  await call.wait(5000)
  await call.speak(1000)
  await call.silent(700)
  stt.streams[0]!.breaks()
  await call.silent(600)
  await call.wait(5000)
  expect((await call.records()).map(({ endedBy }) => endedBy)).toEqual(['recogniser', 'model'])
  await same(recorded)
})

test('a caller who is asked whether they are there, until the session ends', async () => {
  const idle = { afterMs: 5_000, say: ['Hello?'], hangUpAfter: 1 }
  const recorded = await RecordedCall.open({ settings: { idle }, greeting: 'Welcome.' })
  await recorded.call.wait(20_000)
  expect(recorded.call.count('responseDone')).toBe(2)
  await same(recorded)
})

test('a model that fails, another that takes over, and a recogniser that breaks', async () => {
  const llm = new FakeLlm()
  llm.next = new ProviderError({
    provider: 'fake',
    stage: 'llm',
    kind: 'rate',
    message: 'slow down',
    retryAfterMs: 3000,
  })
  const recorded = await RecordedCall.open({
    settings: { maxRevisions: 0 },
    llm,
    spare: { llm: new FakeLlm({ answer: () => 'The spare one answers.' }) },
  })
  const { call } = recorded
  await call.speak(600)
  call.stt.streams[0]!.breaks()
  await call.says(500)
  await call.wait(4000)
  expect(call.transcript).toContain('The spare one')
  expect(call.stt.streams.length).toBe(2)
  await same(recorded)
})

test('a hedge, won by the second', async () => {
  const llm = new FakeLlm()
  llm.next = 'stall'
  const recorded = await RecordedCall.open({
    settings: { maxRevisions: 0 },
    llm,
    spare: { llm: new FakeLlm({ answer: () => 'The second answers.', firstTokenMs: 100 }) },
    hedge: { after: { ms: 500 }, share: new HedgeShare(1) },
  })
  await recorded.call.says()
  await recorded.call.wait(5000)
  expect(recorded.call.transcript.trim()).toBe('The second answers.')
  await same(recorded)
})

test('a tool call, its result, and typed text', async () => {
  const calls: ModelEvent[] = [
    { type: 'text', text: 'Let me look. ' },
    { type: 'toolCall', call: { callId: 'c1', name: 'f', arguments: '{"a":1}' } },
    { type: 'usage', usage: { inputTokens: 10, outputTokens: 4 } },
    { type: 'finish', reason: 'tool_calls' },
  ]
  const recorded = await RecordedCall.open({
    caps: PACED,
    settings: { tools: [{ name: 'f', parameters: { $ref: '#/x' } }] },
    llm: new FakeLlm({
      answer: ({ messages }) => (messages.at(-1)?.role === 'tool' ? 'It is done.' : calls),
    }),
  })
  const { call } = recorded
  await call.says()
  await call.wait(3000)
  call.send({
    type: 'createItem',
    item: { id: '', type: 'toolResult', callId: 'c1', output: 'x', status: 'completed' },
    after: null,
  })
  await call.respond()
  await call.wait(3000)
  await call.text('Typed.')
  await call.respond({ modality: 'text' })
  await call.wait(1000)
  expect(call.count('toolCalled')).toBeGreaterThan(0)
  expect(call.transcript).toContain('It is done.')
  await same(recorded)
})

test('a recorded call is the call it would have been: the same outputs at the same times', async () => {
  const options = (): CallOptions => ({
    caps: BRIDGE,
    stt: new FakeStt({ words: ['What is it?', 'Stop.', 'And now?'], finalMs: 80 }),
    llm: new FakeLlm({ firstTokenMs: 120, tokenMs: 15 }),
    tts: new FakeTts({ firstAudioMs: 60, wordTimes: true }),
  })
  const story = async (call: Call) => {
    await call.says()
    await call.wait(900)
    await call.says(500)
    await call.wait(4000)
    call.send({ type: 'settings', patch: { speed: 1.5 } })
    await call.says(700)
    await call.wait(4000)
    return call.taken
  }
  const plain = await story(await Call.open(options()))
  const { call } = await RecordedCall.open(options())
  const taken = await story(call)
  expect(plain.length).toBeGreaterThan(100)
  expect(taken).toEqual(plain)
  await call.hangUp()
})

const PHRASES = { 'One moment.': 800, 'Let me look.': 700, 'Sorry.': 900 }
const LADDER = [
  { rung: 'filler', afterMs: 1200, say: ['One moment.'] },
  { rung: 'apology', say: 'Sorry.' },
] as const

test('phrases while the model is late, and one instead of an answer; an audio that is dropped is dropped there too', async () => {
  for (const audio of ['keep', 'drop'] as const) {
    const llm = new FakeLlm({ firstTokenMs: 2500 })
    const settings = { maxRevisions: 0, apology: 'Sorry.' }
    const recorded = await RecordedCall.open(
      { caps: PACED, settings, llm, ladder: LADDER, phrases: PHRASES },
      { audio, redact: [] },
    )
    const { call } = recorded
    await call.says()
    await call.wait(6000)
    llm.next = new ProviderError({ provider: 'fake', stage: 'llm', kind: 'transient', message: 'dropped' })
    await call.says()
    await call.wait(4000)
    const [first, second] = await call.records()
    expect([first?.budget.degraded, second?.budget.degraded]).toEqual([['filler'], ['apology']])
    await same(recorded)
  }
})

test('a tool that the server ran is not run again', async () => {
  let runs = 0
  const definitions = [{ name: 'hours', server: 'http', filler: 'Let me look.' }]
  const recorded = await RecordedCall.open({
    caps: PACED,
    settings: { maxRevisions: 0, serverTools: definitions },
    phrases: PHRASES,
    tools: {
      definitions,
      run: async () => {
        runs++
        return 'nine to five'
      },
    },
    llm: new FakeLlm({
      answer: ({ messages }): string | ModelEvent[] => {
        const last = messages.at(-1)
        if (last?.role === 'tool') return `We are open ${last.text}.`
        const call = { callId: 'c1', name: 'hours', arguments: '{}' }
        return [
          { type: 'toolCall', call },
          { type: 'finish', reason: 'tool_calls' },
        ]
      },
    }),
  })
  const { call } = recorded
  await call.says()
  await call.wait(6000)
  expect(call.transcript.trim()).toBe('We are open nine to five.')
  await same(recorded)
  expect(runs).toBe(1)
})

test('an MCP server that was named, and a call that was approved, are asked nothing again; no credential is written down', async () => {
  for (const redact of [[], ['text']] as const) {
    const desk = new Desk()
    desk.allowed = [{ ...CRM, clientCredentials: 'forward' }]
    const recorded = await RecordedCall.open(
      {
        caps: PACED,
        settings: { maxRevisions: 0, mcpServers: desk.allowed },
        tools: desk,
        llm: new FakeLlm({
          answer: ({ messages }) => {
            const last = messages.at(-1)
            return last?.role === 'tool' ? `So ${last.text}.` : asks('c1', 'erase', '{"id":12,"all":true}')
          },
        }),
      },
      { audio: 'keep', redact },
    )
    const { call } = recorded
    const credentials = new Secret('{"authorization":"Bearer tok-client"}')
    call.send({
      type: 'settings',
      patch: { tools: [crm({ credentials, secretMembers: ['authorization'] })] },
    })
    await call.wait(50)
    await call.says()
    await call.wait(3000)
    const facts = { requestId: call.last('approvalRequested').item.id, decision: 'approved' } as const
    const item = {
      id: '',
      type: 'approvalResponse',
      explanation: 'fine',
      status: 'completed',
      ...facts,
    } as const
    call.send({ type: 'createItem', item, after: null })
    await call.wait(4000)
    expect(desk.calls).toHaveLength(1)
    expect(call.count('serverAnswered')).toBe(1)
    await same(recorded)
    expect(desk.calls).toHaveLength(1)
    expect(desk.listings).toHaveLength(1)
    expect(recorded.text).not.toMatch(/tok-client/)
    if (redact.length > 0) expect(recorded.text).not.toMatch(/"fine"/)
  }
})

test.each(['turns', 'events'] as const)(
  'keys of a telephone as %s play again, and with words left out no key is in the file',
  async (as) => {
    for (const redact of [[], ['text']] as const) {
      const recorded = await RecordedCall.open(
        {
          caps: PACED,
          settings: {
            maxRevisions: 0,
            dtmf: { as, endOn: '#', afterMs: 2_000, maxDigits: 32, interrupts: 'first' },
          },
          llm: new FakeLlm({ answer: () => 'Fine.' }),
        },
        { audio: 'keep', redact },
      )
      const { call } = recorded
      await call.says()
      await call.wait(3_000)
      for (const digit of '7788#') call.send({ type: 'digit', digit })
      await call.wait(3_000)
      await call.says()
      await call.wait(3_000)
      await same(recorded)
      const told = /"digit":"[78]"|"7788#"|Keypad: 7788/
      if (redact.length > 0) expect(recorded.text).not.toMatch(told)
      else expect(recorded.text).toMatch(told)
    }
  },
)
