/** Tools that the server runs: called once, answered as data, whatever the caller does meanwhile. */
import { expect, test } from 'vitest'
import { type Clock, delay } from '../../src/clock.ts'
import type { ModelEvent, ToolCall } from '../../src/dialect/neutral.ts'
import { type ServerTool, type ServerTools, ToolError } from '../../src/stage/tools.ts'
import { FakeLlm } from '../support/stages.ts'
import { Call, type CallOptions, PACED } from './call.ts'

const LOOK = 'Let me look.'

/** Answers after `ms`; keeps what it was asked. */
class Desk implements ServerTools {
  readonly calls: ToolCall[] = []
  aborted = 0
  fails: ToolError | undefined
  constructor(
    readonly ms: number,
    readonly filler: string | null = null,
  ) {}

  get definitions(): readonly ServerTool[] {
    return [{ name: 'hours', server: 'http', filler: this.filler, parameters: { type: 'object' } }]
  }

  async run(call: ToolCall, { signal, clock }: { signal: AbortSignal; clock: Clock }): Promise<string> {
    this.calls.push(call)
    try {
      await delay(clock, this.ms, signal)
    } catch (error) {
      this.aborted++
      throw error
    }
    if (this.fails) throw this.fails
    return 'nine to five'
  }
}

const asks = (callId: string): readonly ModelEvent[] => [
  { type: 'toolCall', call: { callId, name: 'hours', arguments: '{"day":"monday"}' } },
  { type: 'finish', reason: 'tool_calls' },
]

/** Asks the tool once; then says what it was told. */
function model(before = ''): FakeLlm {
  let calls = 0
  return new FakeLlm({
    answer: ({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `We are open ${last.text}.`
      const said: ModelEvent[] = before === '' ? [] : [{ type: 'text', text: before }]
      return [...said, ...asks(`call_${++calls}`)]
    },
  })
}

function open(desk: Desk, options: CallOptions = {}): Promise<Call> {
  const settings = { maxRevisions: 0, serverTools: desk.definitions, ...options.settings }
  return Call.open({ llm: model(), caps: PACED, tools: desk, ...options, settings })
}

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
}

test('the tool is asked, the model is told, and the caller hears the answer without anybody’s help', async () => {
  const desk = new Desk(400)
  const call = await open(desk)
  await call.says()
  await call.wait(6000)
  expect(desk.calls).toEqual([{ callId: 'call_1', name: 'hours', arguments: '{"day":"monday"}' }])
  expect(call.transcript.trim()).toBe('We are open nine to five.')
  expect(call.count('toolCalled')).toBe(0)
  const kinds = call.types.filter((type) => /^(response|server|answer[SD])/.test(type))
  expect(kinds).toEqual([
    'responseCreated',
    'serverCalled',
    'responseDone',
    'serverAnswered',
    'responseCreated',
    'answerStarted',
    'answerDone',
    'responseDone',
  ])
  expect(call.last('serverAnswered').item).toMatchObject({
    output: 'nine to five',
    error: null,
    status: 'completed',
  })
  expect(await call.records()).toHaveLength(1)
  await ends(call)
})

test('a phrase is heard while the tool works, and is no part of what was said', async () => {
  const desk = new Desk(2000, LOOK)
  const call = await open(desk, { phrases: { [LOOK]: 900 } })
  await call.says()
  await call.wait(1000)
  expect(call.count('answerAudio')).toBeGreaterThan(0)
  await call.wait(7000)
  expect(call.transcript.trim()).toBe('We are open nine to five.')
  expect(call.count('responseDone')).toBe(2)
  await call.says()
  expect(call.prompt.filter((line) => line.startsWith('assistant'))).toEqual([
    'assistant: ',
    'assistant: We are open nine to five.',
  ])
  await ends(call)
})

test('a tool that fails is told to the model in its own words', async () => {
  const desk = new Desk(100)
  desk.fails = new ToolError('timeout', 'The tool did not answer.')
  const call = await open(desk)
  await call.says()
  await call.wait(6000)
  expect(call.transcript.trim()).toBe('We are open The tool did not answer..')
  expect(call.last('serverAnswered').item).toMatchObject({ output: null, error: 'The tool did not answer.' })
  await ends(call)
})

test('a caller who speaks while it works is answered with a placeholder; the result comes into the next prompt, once', async () => {
  const desk = new Desk(9000)
  const call = await open(desk, {
    llm: new FakeLlm({
      answer: ({ messages }) =>
        messages.filter(({ role }) => role === 'user').length > 1 ? 'I am still looking.' : asks('call_1'),
    }),
  })
  await call.says()
  await call.wait(1000)
  await call.says()
  await call.wait(4000)
  expect(call.transcript.trim()).toBe('I am still looking.')
  expect(call.prompt).toContain('tool: No result yet.')
  await call.wait(9000)
  expect(call.count('serverAnswered')).toBe(1)
  expect(call.count('responseDone')).toBe(2)
  await call.says()
  await call.wait(4000)
  expect(call.prompt).toContain('tool: nine to five')
  expect(desk.calls).toHaveLength(1)
  await ends(call)
})

test('a model that repeats a call’s id gets no second run', async () => {
  const desk = new Desk(0)
  const call = await open(desk, {
    llm: new FakeLlm({
      answer: ({ messages }) =>
        messages.some(({ role }) => role === 'tool') &&
        messages.filter(({ role }) => role === 'user').length < 2
          ? 'Done.'
          : asks('call_1'),
    }),
  })
  await call.says()
  await call.wait(4000)
  await call.says()
  await call.wait(4000)
  expect(desk.calls).toHaveLength(1)
  await ends(call)
})

test('hanging up ends the call of the tool', async () => {
  const desk = new Desk(9000)
  const call = await open(desk)
  await call.says()
  await call.wait(500)
  expect(desk.calls).toHaveLength(1)
  await ends(call)
  expect(desk.aborted).toBe(1)
})

test('several calls of one answer are all answered before the model goes on', async () => {
  const desk = new Desk(300)
  const llm = new FakeLlm({
    answer: ({ messages }) => {
      const told = messages.filter(({ role }) => role === 'tool')
      if (told.length > 0) return `All ${told.length} are known.`
      return [...asks('call_1').slice(0, 1), ...asks('call_2')]
    },
  })
  const call = await open(desk, { llm })
  await call.says()
  await call.wait(5000)
  expect(desk.calls.map(({ callId }) => callId)).toEqual(['call_1', 'call_2'])
  expect(llm.requests).toHaveLength(2)
  expect(call.transcript.trim()).toBe('All 2 are known.')
  await ends(call)
})

test('a client that asks for the answer once the phrase has ended is not answered twice, and after that as ever', async () => {
  const desk = new Desk(2000, LOOK)
  const call = await open(desk, { phrases: { [LOOK]: 900 } })
  await call.says()
  await call.wait(9000)
  expect(call.count('responseDone')).toBe(2)
  await call.respond()
  await call.wait(4000)
  expect(call.count('responseDone')).toBe(2)
  expect(call.count('refused')).toBe(0)
  await call.respond()
  await call.wait(9000)
  // It asks its tool again.
  expect(call.count('responseDone')).toBe(4)
  await ends(call)
})
