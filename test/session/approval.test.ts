/** Calls that somebody must agree to: asked for once, made once, and the model told what became of each. */
import { expect, test } from 'vitest'
import { settled } from '../../src/clock.ts'
import { DENIED, NOT_DECIDED } from '../../src/session/history.ts'
import { ToolError } from '../../src/stage/tools.ts'
import { FakeLlm, FakeStt } from '../support/stages.ts'
import { Call, type CallOptions, PACED, UNPACED } from './call.ts'
import { asks, crm, Desk } from './desk.ts'

/** Asks for `erase` once for each thing the caller says; then says what it was told. */
function model(): FakeLlm {
  let calls = 0
  return new FakeLlm({
    answer: ({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `So: ${last.text}`
      return last?.text.includes('wait') ? 'I wait.' : asks(`call_${++calls}`, 'erase')
    },
  })
}

async function open(desk: Desk, options: CallOptions = {}): Promise<Call> {
  const settings = {
    maxRevisions: 0,
    modality: 'text' as const,
    tools: [crm()],
    mcpServers: desk.allowed,
    ...options.settings,
  }
  const stt = new FakeStt({ words: ['please wait'] })
  const call = await Call.open({ llm: model(), stt, caps: PACED, tools: desk, ...options, settings })
  await call.wait(0)
  return call
}

const asked = (call: Call) => call.last('approvalRequested').item

async function decide(
  call: Call,
  decision: 'approved' | 'denied',
  requestId = asked(call).id,
  explanation: string | null = null,
): Promise<string> {
  const ref = call.send({
    type: 'createItem',
    item: { id: '', type: 'approvalResponse', requestId, decision, explanation, status: 'completed' },
    after: null,
  })
  await call.wait(0)
  return ref
}

async function say(call: Call, words = 'erase them'): Promise<void> {
  await call.text(words)
  await call.respond()
  await call.wait(200)
}

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
}

test('nothing is called before the client agrees; then once, and the answer follows by itself', async () => {
  const desk = new Desk()
  desk.runMs = 300
  const call = await open(desk)
  await say(call)
  expect(desk.calls).toEqual([])
  expect(asked(call)).toMatchObject({ server: 'crm', name: 'erase', arguments: '{"id":7}' })
  expect(call.last('responseDone').response).toMatchObject({
    ending: { status: 'completed' },
    output: [{ type: 'approvalRequest' }],
  })
  // The turn waits for nobody.
  expect(await call.records()).toMatchObject([{ outcome: 'said' }])

  const from = call.taken.length
  await decide(call, 'approved')
  await call.wait(2000)
  expect(desk.calls).toEqual([{ callId: 'call_1', name: 'erase', arguments: '{"id":7}', server: 'crm' }])
  expect(call.taken.slice(from).map(({ output }) => output.type)).toEqual([
    'itemAdded',
    'itemDone',
    'itemAdded',
    'serverRunning',
    'serverAnswered',
    'responseCreated',
    'answerStarted',
    ...call.all('answerText').map(() => 'answerText'),
    'answerDone',
    'turn',
    'responseDone',
  ])
  expect(call.last('serverAnswered').item).toMatchObject({
    approvalRequestId: asked(call).id,
    output: 'erase done',
    error: null,
  })
  expect(call.transcript).toBe('So: erase done')
  expect(call.prompt).toEqual(['user: erase them', 'assistant: ', 'tool: erase done'])
  await ends(call)
})

test('a denied call is told to the model with its reason, and never made', async () => {
  const desk = new Desk()
  const call = await open(desk)
  await say(call)
  await decide(call, 'denied', undefined, 'They are a customer still.')
  await call.wait(2000)
  expect(desk.calls).toEqual([])
  expect(call.transcript).toBe(`So: ${DENIED} Reason: They are a customer still.`)
  expect(call.count('serverRunning')).toBe(0)
  await ends(call)
})

test('an approved call that fails is told to the model as any other', async () => {
  const desk = new Desk()
  desk.fails = new ToolError('tool', 'No such customer.')
  const call = await open(desk)
  await say(call)
  await decide(call, 'approved')
  await call.wait(2000)
  expect(call.last('serverAnswered').item).toMatchObject({ output: null, error: 'No such customer.' })
  expect(call.transcript).toBe('So: No such customer.')
  await ends(call)
})

test('a second answer, an answer to nothing, and one to another item are refused; the call is made once', async () => {
  const desk = new Desk()
  const call = await open(desk)
  await say(call)
  const { id } = asked(call)
  await decide(call, 'approved', id)
  await call.wait(2000)
  const twice = await decide(call, 'approved', id)
  expect(call.last('refused')).toEqual({
    type: 'refused',
    code: 'invalid_value',
    message: `Approval request '${id}' already has a response.`,
    param: 'item.approval_request_id',
    ref: twice,
  })
  await decide(call, 'denied', id)
  const user = call.all('itemAdded').find(({ item }) => item.type === 'message')!
  for (const other of ['item_gone', user.item.id]) {
    await decide(call, 'approved', other)
    expect(call.last('refused')).toMatchObject({
      code: 'invalid_value',
      message: `Approval request ID '${other}' not found in conversation.`,
    })
  }
  expect(call.count('refused')).toBe(4)
  expect(desk.calls).toHaveLength(1)
  await ends(call)
})

test('a request that is deleted is withdrawn: nothing can be approved any more, and the prompt forgets it', async () => {
  const desk = new Desk()
  const call = await open(desk)
  await say(call)
  const { id } = asked(call)
  call.send({ type: 'deleteItem', itemId: id })
  await decide(call, 'approved', id)
  expect(call.last('refused')).toMatchObject({ param: 'item.approval_request_id' })
  await say(call, 'wait')
  expect(call.prompt).toEqual(['user: erase them wait'])
  expect(desk.calls).toEqual([])
  await ends(call)
})

test('what was approved runs to its end although its request is deleted', async () => {
  const desk = new Desk()
  desk.runMs = 500
  const call = await open(desk)
  await say(call)
  await decide(call, 'approved')
  call.send({ type: 'deleteItem', itemId: asked(call).id })
  await call.wait(3000)
  expect(call.transcript).toBe('So: erase done')
  expect(call.prompt).toEqual(['user: erase them', 'assistant: ', 'tool: erase done'])
  await ends(call)
})

test('a caller who speaks while it is pending is answered; the approval counts later, and is answered by itself', async () => {
  const desk = new Desk()
  const call = await open(desk, { settings: { modality: 'audio' } })
  await say(call)
  await call.says()
  await call.wait(3000)
  expect(call.transcript.trim()).toBe('I wait.')
  expect(call.prompt).toContain(`tool: ${NOT_DECIDED}`)
  await decide(call, 'approved')
  await call.wait(3000)
  expect(desk.calls).toHaveLength(1)
  expect(call.all('responseDone')).toHaveLength(3)
  expect(call.prompt).toContain('tool: erase done')
  await ends(call)
})

test('an approval that comes while the caller speaks: the call is made, and its result stands in the next prompt', async () => {
  const desk = new Desk()
  const call = await open(desk, { settings: { modality: 'audio' } })
  await say(call)
  await call.speak(600)
  await decide(call, 'approved')
  expect(desk.calls).toHaveLength(1)
  const before = call.count('responseCreated')
  await call.silent(640)
  await call.wait(3000)
  expect(call.count('responseCreated')).toBe(before + 1)
  expect(call.prompt).toContain('tool: erase done')
  await ends(call)
})

test('a barge-in into the sentence that asked leaves the request open', async () => {
  const desk = new Desk()
  let calls = 0
  const llm = new FakeLlm({
    answer: ({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `So: ${last.text}`
      if (last?.text.includes('wait')) return 'I wait.'
      return [
        { type: 'text', text: 'I would erase the customer with everything that is known of them. ' },
        ...asks(`call_${++calls}`, 'erase'),
      ]
    },
  })
  const call = await open(desk, { llm, caps: UNPACED, settings: { modality: 'audio' } })
  await say(call)
  await call.wait(600)
  expect(call.count('approvalRequested')).toBe(1)
  await call.says()
  await call.wait(3000)
  expect(call.count('speechStarted')).toBe(1)
  expect((await call.records())[0]?.heard).toMatchObject({ interrupted: true })
  await decide(call, 'approved')
  await call.wait(3000)
  expect(desk.calls).toHaveLength(1)
  expect(call.last('serverAnswered').item.output).toBe('erase done')
  await ends(call)
})

test('a session that ends with a request open calls nothing, and one with a call under way ends it', async () => {
  const desk = new Desk()
  desk.runMs = 9000
  const open1 = await open(desk)
  await say(open1)
  await ends(open1)
  await decide(open1, 'approved')
  expect(desk.calls).toEqual([])

  const open2 = await open(desk)
  await say(open2)
  await decide(open2, 'approved')
  await ends(open2)
  expect(desk.aborted).toBe(1)
})

test('a server that shuts down does not wait for somebody to agree', async () => {
  const call = await open(new Desk())
  await say(call)
  call.session.finish()
  await settled()
  expect(call.closed).toBe(1)
})

test('of several requests of one answer the model is told once all are decided', async () => {
  const desk = new Desk()
  const llm = new FakeLlm({
    answer: ({ messages }) => {
      const told = messages.filter(({ role }) => role === 'tool').map(({ text }) => text)
      if (told.length > 0) return told.join(' / ')
      return [...asks('call_1', 'erase').slice(0, 1), ...asks('call_2', 'erase')]
    },
  })
  const call = await open(desk, { llm })
  await say(call)
  const [first, second] = call.all('approvalRequested').map(({ item }) => item.id)
  await decide(call, 'denied', first)
  await call.wait(2000)
  expect(llm.requests).toHaveLength(1)
  await decide(call, 'approved', second)
  await call.wait(2000)
  expect(call.transcript).toBe(`${DENIED} / erase done`)
  expect(desk.calls.map(({ callId }) => callId)).toEqual(['call_2'])
  await ends(call)
})

test('a client that asks for the answer itself, as on OpenAI’s wire, gets it once the result is there', async () => {
  const desk = new Desk()
  desk.runMs = 500
  const call = await open(desk)
  await say(call)
  await decide(call, 'approved')
  await call.respond()
  expect(call.count('refused')).toBe(0)
  await call.wait(3000)
  expect(call.count('responseDone')).toBe(2)
  expect(call.all('responseDone')[1]?.response.output).toMatchObject([
    { parts: [{ text: 'So: erase done' }] },
  ])
  await ends(call)
})

test('a client that asks only once the answer was given is not answered twice', async () => {
  const desk = new Desk()
  const call = await open(desk)
  await say(call)
  await decide(call, 'approved')
  await call.wait(2000)
  expect(call.count('responseDone')).toBe(2)
  await call.respond()
  await call.wait(1000)
  expect(call.count('responseDone')).toBe(2)
  // What was said since is answered, and so is a request that says how.
  await say(call, 'please wait')
  expect(call.count('responseDone')).toBe(3)
  await call.respond({ instructions: 'Shorter.' })
  await call.wait(1000)
  expect(call.count('responseDone')).toBe(4)
  await ends(call)
})

test('out of band nothing is asked that could be answered, and nothing called', async () => {
  const desk = new Desk()
  const call = await open(desk)
  await call.text('erase them')
  await call.respond({ conversation: 'none' })
  await call.wait(500)
  const request = call.last('approvalRequested')
  expect(request.inConversation).toBe(false)
  await decide(call, 'approved', request.item.id)
  expect(call.last('refused')).toMatchObject({ param: 'item.approval_request_id' })
  expect(desk.calls).toEqual([])
  await ends(call)
})

test('a pipeline’s tool that must be approved is asked for, and a phrase is heard while it works', async () => {
  const LOOK = 'One moment.'
  const desk = new Desk()
  desk.runMs = 2000
  desk.definitions = [{ name: 'erase', server: 'crm', filler: LOOK, approval: 'always' }]
  const call = await open(desk, {
    phrases: { [LOOK]: 900 },
    settings: { modality: 'audio', tools: [], serverTools: desk.definitions },
  })
  await say(call)
  expect(desk.calls).toEqual([])
  await decide(call, 'approved')
  await call.wait(1000)
  expect(call.count('answerAudio')).toBeGreaterThan(0)
  await call.wait(5000)
  expect(call.transcript.trim()).toBe('So: erase done')
  expect(desk.calls).toEqual([{ callId: 'call_1', name: 'erase', arguments: '{"id":7}' }])
  await ends(call)
})
