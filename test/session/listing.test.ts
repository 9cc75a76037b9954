/** MCP servers that a client names: asked once, narrowed as it says, and never more than the operator allows. */
import { expect, test } from 'vitest'
import { settled } from '../../src/clock.ts'
import type { McpRequest } from '../../src/session/mcp.ts'
import { FakeLlm } from '../support/stages.ts'
import { Call, type CallOptions } from './call.ts'
import { asks, CRM, crm, Desk } from './desk.ts'

async function open(desk: Desk, settings: CallOptions['settings'] = {}, llm = new FakeLlm()): Promise<Call> {
  const call = await Call.open({
    llm,
    tools: desk,
    settings: { maxRevisions: 0, modality: 'text', mcpServers: desk.allowed, ...settings },
  })
  await call.wait(0)
  return call
}

async function name(call: Call, ...tools: McpRequest[]): Promise<void> {
  call.send({ type: 'settings', patch: { tools } })
  await call.wait(0)
}

/** Names of the tools that the newest prompt offered. */
async function offered(call: Call): Promise<string[]> {
  await call.text('hello')
  await call.respond()
  await call.wait(1000)
  return (call.llm.requests.at(-1)?.tools ?? []).map((tool) => tool.name)
}

test('a server that is named is asked what it offers, for everybody to see, and nobody waits for it', async () => {
  const desk = new Desk()
  desk.listMs = 100
  const call = await open(desk)
  await name(call, crm())
  expect(call.types).toEqual(['settingsApplied', 'itemAdded', 'listingTools'])
  expect(call.last('itemAdded')).toMatchObject({
    item: { type: 'listedTools', server: 'crm', tools: [] },
    previousItemId: null,
  })
  expect(await offered(call)).toEqual([])
  expect(await offered(call)).toEqual(['find', 'erase'])
  expect(call.all('listingTools').map(({ status }) => status)).toEqual(['in_progress', 'completed'])
  const done = call.all('itemDone').find(({ item }) => item.type === 'listedTools')
  expect(done?.item).toMatchObject({ tools: desk.tools, status: 'completed' })
  expect(call.prompt.join()).not.toContain('erase')
  await call.hangUp()
})

test('a server that cannot be reached is said, offers nothing, and is asked again when it is named again', async () => {
  const desk = new Desk()
  desk.unreachable = true
  const call = await open(desk)
  await name(call, crm())
  expect(call.all('listingTools').map(({ status }) => status)).toEqual(['in_progress', 'failed'])
  expect(await offered(call)).toEqual([])
  desk.unreachable = false
  await name(call, crm())
  expect(await offered(call)).toEqual(['find', 'erase'])
  expect(desk.listings).toHaveLength(2)
  await call.hangUp()
})

test('one that was asked is not asked again until it was left out', async () => {
  const desk = new Desk()
  const call = await open(desk, { tools: [crm()] })
  await name(call, crm({ allowed: { names: ['find'] } }))
  expect(desk.listings).toHaveLength(1)
  expect(await offered(call)).toEqual(['find'])
  await name(call)
  expect(await offered(call)).toEqual([])
  await name(call, crm())
  expect(desk.listings).toHaveLength(2)
  await call.hangUp()
})

test('other credentials are another listing; what the older one finds counts no more', async () => {
  const desk = new Desk()
  desk.allowed = [{ ...CRM, clientCredentials: 'forward' }]
  desk.listMs = 100
  const call = await open(desk)
  const credentials = { reveal: () => '{}' }
  await name(call, crm())
  desk.tools = []
  await name(call, crm({ credentials, secretMembers: ['authorization'] }))
  await call.wait(200)
  expect(desk.listings.map((one) => one.credentials)).toEqual([null, credentials])
  // Each item that was begun is ended.
  expect(call.all('itemDone').filter(({ item }) => item.type === 'listedTools')).toHaveLength(2)
  expect(await offered(call)).toEqual([])
  await call.hangUp()
})

test.each([
  [{ allowed: { names: ['erase', 'nothing'] } }, ['erase']],
  [{ allowed: { readOnly: true } }, ['find']],
  [{ allowed: { readOnly: false } }, ['erase']],
  [{ allowed: { names: ['erase'], readOnly: true } }, []],
  [{ allowed: { names: [] } }, []],
] as const)('of %j the model is offered %j', async (more, names) => {
  const call = await open(new Desk(), { tools: [crm(more)] })
  expect(await offered(call)).toEqual(names)
  await call.hangUp()
})

test('the operator’s list of tools comes before the client’s', async () => {
  const desk = new Desk()
  desk.allowed = [{ ...CRM, tools: ['find'] }]
  const call = await open(desk, { tools: [crm({ allowed: { names: ['find', 'erase'] } })] })
  expect(await offered(call)).toEqual(['find'])
  await call.hangUp()
})

test.each([
  ['left out', {}, 'client', 'erase', 'asked'],
  ['always', { approval: 'always' }, 'client', 'erase', 'asked'],
  ['never', { approval: 'never' }, 'client', 'erase', 'run'],
  ['never, where the operator says always', { approval: 'never' }, 'always', 'erase', 'asked'],
  ['never for this one', { approval: { never: { names: ['erase'] } } }, 'client', 'erase', 'run'],
  ['never for another', { approval: { never: { names: ['erase'] } } }, 'client', 'find', 'asked'],
  ['never for what reads', { approval: { never: { readOnly: true } } }, 'client', 'find', 'run'],
  ['never for what reads', { approval: { never: { readOnly: true } } }, 'client', 'erase', 'asked'],
  [
    'always for another, and no more',
    { approval: { always: { names: ['find'] } } },
    'client',
    'erase',
    'asked',
  ],
  [
    'both for one',
    { approval: { always: { names: ['erase'] }, never: { names: ['erase'] } } },
    'client',
    'erase',
    'asked',
  ],
] as const)('require_approval %s: %j (%s), %s is %s', async (_, more, approval, tool, outcome) => {
  const desk = new Desk()
  desk.allowed = [{ ...CRM, approval }]
  let calls = 0
  const llm = new FakeLlm({
    answer: ({ messages }) => (messages.at(-1)?.role === 'tool' ? 'Done.' : asks(`call_${++calls}`, tool)),
  })
  const call = await open(desk, { tools: [crm(more)] }, llm)
  await offered(call)
  expect(call.count('approvalRequested')).toBe(outcome === 'asked' ? 1 : 0)
  expect(desk.calls).toHaveLength(outcome === 'run' ? 1 : 0)
  await call.hangUp()
})

test('no MCP server takes a name from the client’s functions or the pipeline’s tools', async () => {
  const desk = new Desk()
  const own = { name: 'find', server: 'http', filler: null }
  desk.definitions = [own]
  const llm = new FakeLlm({
    answer: ({ messages }) => (messages.at(-1)?.role === 'tool' ? 'Done.' : asks('call_1', 'erase')),
  })
  const settings = { serverTools: [own], tools: [crm({ approval: 'never' }), { name: 'erase' }] }
  const call = await open(desk, settings, llm)
  expect(await offered(call)).toEqual(['erase', 'find'])
  expect(call.last('toolCalled').item.name).toBe('erase')
  expect(desk.calls).toEqual([])
  await call.hangUp()
})

test('what a client says of a pipeline’s server takes the place of what the pipeline offers of it', async () => {
  const desk = new Desk()
  const serverTools = desk.tools.map(({ annotations: _, ...tool }) => ({
    ...tool,
    server: 'crm',
    filler: null,
  }))
  const call = await open(desk, { serverTools })
  expect(await offered(call)).toEqual(['find', 'erase'])
  await name(call, crm({ allowed: { names: ['find'] } }))
  expect(await offered(call)).toEqual(['find'])
  await call.hangUp()
})

test('a response that names a server waits until it has said what it offers, with what the session said of it', async () => {
  const desk = new Desk()
  desk.listMs = 300
  const call = await open(desk)
  await call.text('hello')
  await call.respond({ tools: [crm()] })
  await call.wait(200)
  expect(call.count('responseCreated')).toBe(1)
  expect(call.llm.requests).toEqual([])
  await call.wait(1000)
  expect(call.llm.requests.at(-1)?.tools?.map((tool) => tool.name)).toEqual(['find', 'erase'])
  expect(await offered(call)).toEqual([])

  // Who names it for the session is told again.
  await name(call, crm({ allowed: { names: ['erase'] } }))
  await call.wait(500)
  await call.text('hello')
  await call.respond({ tools: [crm()] })
  await call.wait(1000)
  expect(call.llm.requests.at(-1)?.tools?.map((tool) => tool.name)).toEqual(['erase'])
  expect(desk.listings).toHaveLength(2)
  await call.hangUp()
})

test('a response that waits for a listing can be cancelled', async () => {
  const desk = new Desk()
  desk.listMs = 300
  const call = await open(desk)
  await call.respond({ tools: [crm()] })
  call.send({ type: 'cancelResponse', responseId: null })
  await call.wait(1000)
  expect(call.last('responseDone').response.ending).toMatchObject({ status: 'cancelled' })
  expect(call.llm.requests).toEqual([])
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
})

test.each([
  ['one that nobody allows', [crm({ label: 'evil' })], 'session.tools[0].server_label'],
  ['another address', [crm({ url: 'https://evil.example.com/crm' })], 'session.tools[0].server_url'],
  ['no address at all', [crm({ url: 'mcp.example.com' })], 'session.tools[0].server_url'],
  ['one twice', [{ name: 'a' }, crm(), crm()], 'session.tools[2].server_label'],
  [
    'credentials',
    [crm({ credentials: { reveal: () => '{}' }, secretMembers: ['headers'] })],
    'session.tools[0].headers',
  ],
] as const)('%s is refused whole, and nobody is called', async (_, tools, param) => {
  const desk = new Desk()
  const call = await open(desk)
  const ref = call.send({ type: 'settings', patch: { tools, instructions: 'Changed.' } })
  await settled()
  expect(call.last('refused')).toMatchObject({ code: 'invalid_value', param, ref })
  expect(call.last('refused').message).not.toContain('example.com')
  expect(call.session.settings.instructions).toBe('Be brief.')
  call.send({ type: 'respond', request: { conversation: 'default', tools } })
  await settled()
  expect(call.last('refused').param).toBe(param.replace('session', 'response'))
  expect(desk.listings).toEqual([])
  await call.hangUp()
})

test('the operator’s own address may be said', async () => {
  const call = await open(new Desk(), { tools: [] })
  await name(call, crm({ url: 'https://MCP.example.com:443/crm' }))
  expect(call.count('refused')).toBe(0)
  await call.hangUp()
})

test('a listing under way ends with the session', async () => {
  const desk = new Desk()
  desk.listMs = 9000
  const call = await open(desk, { tools: [crm()] })
  await call.hangUp()
  expect(desk.aborted).toBe(1)
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
})

test('a flood of namings is not passed on to the server', async () => {
  const desk = new Desk()
  desk.listMs = 500
  const call = await open(desk)
  for (let n = 0; n < 100; n++) {
    await name(call, crm())
    await name(call)
  }
  expect(desk.listings).toHaveLength(8)
  await call.wait(1000)
  // Each that was begun is ended.
  const ended = call.all('listingTools').filter(({ status }) => status !== 'in_progress')
  expect(ended).toHaveLength(100)
  await name(call, crm())
  await call.wait(1000)
  expect(await offered(call)).toEqual(['find', 'erase'])
  await call.hangUp()
})

test('a pipeline that keeps its tools to itself is named no server', async () => {
  const desk = new Desk()
  const call = await Call.open({ tools: desk, clientMay: [], settings: { mcpServers: desk.allowed } })
  await name(call, crm())
  expect(call.last('refused')).toMatchObject({ code: 'override_not_allowed', param: 'session.tools' })
  expect(desk.listings).toEqual([])
  await call.hangUp()
})
