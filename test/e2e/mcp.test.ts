/**
 * MCP servers named by OpenAI's own SDKs, unchanged: against the whole server, over real sockets, and a real MCP server behind it
 * that knows what it was asked.
 */
import { RealtimeAgent, RealtimeSession } from '@openai/agents-realtime'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import type { RealtimeToolsConfigUnion } from 'openai/resources/realtime/realtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Crm, startCrm } from '../support/mcp-server.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded } from './embedded.ts'
import { HeardEvents, type WireEvent } from './heard-events.ts'

const KEY = 'pk-for-tests-only'
const AGENTS = '../../node_modules/@openai/agents-core/dist/index.mjs'
const { hostedMcpTool } = await import(/* @vite-ignore */ AGENTS)

/** Looks for a customer whatever is said, where it can; then says what it was told. */
function model(): FakeLlm {
  let calls = 0
  return new FakeLlm({
    answer: ({ messages, tools = [] }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `So: ${last.text}`
      if (!tools.some(({ name }) => name === 'find_customer')) return 'I cannot look.'
      const call = { callId: `call_${++calls}`, name: 'find_customer', arguments: '{"phone":"123"}' }
      return [
        { type: 'toolCall', call },
        { type: 'finish', reason: 'tool_calls' },
      ]
    },
    // As slow as any model that is not on this machine.
    firstTokenMs: 200,
  })
}

let crm: Crm
beforeAll(async () => {
  crm = await startCrm()
})
afterAll(async () => {
  await crm.close()
  await closeEmbedded()
})
beforeEach(() => {
  for (const kept of [crm.calls, crm.hellos, crm.headers]) kept.length = 0
})

/** With the MCP server allowed as `crm`. */
function serve(options: Parameters<typeof startApp>[0], lines = ''): Promise<RunningApp> {
  const settings = `mcp: { crm: { url: '${crm.url}'${lines} } }`
  return startApp({ key: KEY, llm: model(), settings, ...options })
}

const isMessage = (event: WireEvent) => event['response'].output[0]?.type === 'message'
const isRequest = (event: WireEvent) => event['response'].output[0]?.type === 'mcp_approval_request'

let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  close = undefined
})

interface Sdk {
  readonly server: RunningApp
  readonly realtime: OpenAIRealtimeWS
  readonly events: HeardEvents
  /** Names the server as said, and waits until it was asked. */
  name(tool: Partial<RealtimeToolsConfigUnion.Mcp>): Promise<void>
  /** Writes, and asks for an answer. */
  write(text: string): void
}

async function sdk(lines = ''): Promise<Sdk> {
  const server = await serve({ tls: 'tls' }, lines)
  const client = new OpenAI({ apiKey: KEY, baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: server.ca } }, client)
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => {
    if (!error.error) events.end(error.message)
  })
  realtime.socket.on('close', () => events.end('closed'))
  close = async () => {
    realtime.close()
    await server.close()
  }
  await events.next('session.created')
  return {
    server,
    realtime,
    events,
    async name(tool) {
      const from = events.here
      const tools: RealtimeToolsConfigUnion[] = [{ type: 'mcp', server_label: 'crm', ...tool }]
      realtime.send({
        type: 'session.update',
        session: { type: 'realtime', output_modalities: ['text'], tools },
      })
      await events.next('mcp_list_tools.completed', from)
    },
    write(text) {
      const content = [{ type: 'input_text', text } as const]
      realtime.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
      realtime.send({ type: 'response.create' })
    },
  }
}

test('the `openai` SDK names a server, approves a call, and is told what came of it', async () => {
  const { realtime, events, name, write } = await sdk()
  await name({ server_url: crm.url })
  const listed = await events.next('conversation.item.done', 0, ({ item }) => item.type === 'mcp_list_tools')
  expect(listed['item'].tools.map((tool: { name: string }) => tool.name)).toEqual(['find_customer', 'broken'])

  write('Who is 123?')
  const asked = await events.next('response.done', 0, isRequest)
  const [request] = asked['response'].output
  expect(request).toMatchObject({ server_label: 'crm', name: 'find_customer', arguments: '{"phone":"123"}' })
  expect(crm.calls).toEqual([])

  const from = events.here
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'mcp_approval_response', id: 'yes_1', approval_request_id: request.id, approve: true },
  })
  const call = await events.next('conversation.item.done', from, ({ item }) => item.type === 'mcp_call')
  expect(call['item']).toMatchObject({ approval_request_id: request.id, output: 'Ada, 123', error: null })
  const done = await events.next('response.done', from, isMessage)
  expect(done['response'].output[0].content[0].text).toBe('So: Ada, 123')
  expect(crm.calls).toEqual(['123'])

  // Once is enough.
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'mcp_approval_response', id: 'yes_2', approval_request_id: request.id, approve: true },
  })
  const refused = await events.next('error', from)
  expect(refused['error']).toMatchObject({ code: 'invalid_value', param: 'item.approval_request_id' })
  expect(crm.calls).toEqual(['123'])
})

test('the `openai` SDK denies a call: the model is told why, the MCP server nothing', async () => {
  const { realtime, events, name, write } = await sdk()
  await name({ require_approval: 'always' })
  write('Who is 123?')
  const asked = await events.next('response.done', 0, isRequest)
  const approval_request_id = asked['response'].output[0].id
  realtime.send({
    type: 'conversation.item.create',
    item: {
      type: 'mcp_approval_response',
      id: 'no_1',
      approval_request_id,
      approve: false,
      reason: 'Not this one.',
    },
  })
  const done = await events.next('response.done', 0, isMessage)
  expect(done['response'].output[0].content[0].text).toMatch(/^So: Not done.*Not this one\.$/)
  expect(crm.calls).toEqual([])
  expect(events.of('error')).toEqual([])
})

test('what needs no approval is called at once, for one response only if only that names the server', async () => {
  const { realtime, events, name, write } = await sdk()
  realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } })
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Who is 123?' }] },
  })
  const never = { type: 'mcp', server_label: 'crm', require_approval: 'never' } as const
  realtime.send({ type: 'response.create', response: { tools: [never] } })
  const done = await events.next('response.done', 0, isMessage)
  expect(done['response'].output[0].content[0].text).toBe('So: Ada, 123')
  let from = events.here
  write('And now?')
  const alone = await events.next('response.done', from, isMessage)
  expect(alone['response'].output[0].content[0].text).toBe('I cannot look.')

  from = events.here
  await name({ require_approval: { never: { read_only: true } } })
  write('And now?')
  const again = await events.next('response.done', from, isMessage)
  expect(again['response'].output[0].content[0].text).toBe('So: Ada, 123')
  expect(crm.calls).toEqual(['123', '123'])
  expect(events.of('error')).toEqual([])
})

test('an address of the client’s is refused and never called; so are credentials, unless the operator forwards them', async () => {
  const { realtime, events } = await sdk()
  const tool = { type: 'mcp', server_label: 'crm' } as const
  for (const [more, param] of [
    [{ server_url: `${crm.url}/other` }, 'server_url'],
    [{ server_label: 'other', server_url: crm.url }, 'server_label'],
    [{ authorization: 'tok-client' }, 'authorization'],
    [{ headers: { 'x-a': 'b' } }, 'headers'],
    [{ connector_id: 'connector_gmail' }, 'connector_id'],
  ] as const) {
    const from = events.here
    realtime.send({ type: 'session.update', session: { type: 'realtime', tools: [{ ...tool, ...more }] } })
    const refused = await events.next('error', from)
    expect(refused['error']).toMatchObject({ code: 'invalid_value', param: `session.tools[0].${param}` })
  }
  expect(crm.headers).toEqual([])
})

test('credentials that the operator forwards reach that server, and neither an event nor the log', async () => {
  const { server, events, name, write } = await sdk(', clientCredentials: forward')
  await name({ authorization: 'tok-client', headers: { 'X-Tenant': 'seven' }, require_approval: 'never' })
  write('Who is 123?')
  await events.next('response.done', 0, isMessage)
  expect(crm.calls).toEqual(['123'])
  for (const headers of crm.headers)
    expect(headers).toMatchObject({ authorization: 'Bearer tok-client', 'x-tenant': 'seven' })
  expect(JSON.stringify(events.all) + server.log.join()).not.toMatch(/tok-client|seven/)
})

interface Agent {
  readonly session: RealtimeSession
  readonly events: HeardEvents
}

async function agent(to: RunningApp, tools: readonly object[]): Promise<Agent> {
  const guide = new RealtimeAgent({ name: 'Guide', instructions: 'Be kind.', tools: tools as never })
  const config = { outputModalities: ['text' as const] }
  const session = new RealtimeSession(guide, { transport: 'websocket', model: 'gpt-realtime', config })
  const events = new HeardEvents()
  session.on('error', (error) => events.push({ type: 'sdk: error', error }))
  session.on('tool_approval_requested', (_context, _agent, request) =>
    events.push({ type: 'sdk: approval', request }),
  )
  session.on('mcp_tools_changed', (listed) => events.push({ type: 'sdk: tools', listed }))
  session.on('mcp_tool_call_completed', (_context, _agent, call) =>
    events.push({ type: 'sdk: called', call }),
  )
  session.on('history_updated', (history) =>
    events.push({ type: 'sdk: history', text: JSON.stringify(history) }),
  )
  session.transport.on('*', events.push)
  session.transport.on('connection_change', (state) => state === 'disconnected' && events.end(state))
  close = async () => {
    session.close()
    await to.close()
  }
  await session.connect({ apiKey: KEY, url: `ws://127.0.0.1:${to.port}/v1/realtime` })
  return { session, events }
}

test.each(['approve', 'reject'] as const)(
  'the Agents SDK’s hosted MCP tool: its agent is asked, and can %s',
  async (decision) => {
    const hosted = hostedMcpTool({ serverLabel: 'crm', serverUrl: crm.url, requireApproval: 'always' })
    const { session, events } = await agent(await serve({}), [hosted])
    const { listed } = await events.next('sdk: tools', 0, (event) => event['listed'].length > 0)
    expect(listed.map((tool: { name: string }) => tool.name)).toEqual(['find_customer', 'broken'])

    session.sendMessage('Who is 123?')
    const { request } = await events.next('sdk: approval')
    expect(crm.calls).toEqual([])
    if (decision === 'approve') await session.approve(request.approvalItem)
    else await session.reject(request.approvalItem, { message: 'Not this one.' })
    const done = await events.next('response.done', 0, isMessage)
    const said = done['response'].output[0].content[0].text
    if (decision === 'approve') {
      expect(said).toBe('So: Ada, 123')
      const { call } = await events.next('sdk: called')
      expect(call).toMatchObject({ name: 'find_customer', output: 'Ada, 123' })
      await events.next('sdk: history', 0, (event) => /Ada, 123/.test(event['text']))
    } else expect(said).toMatch(/^So: Not done.*Not this one\.$/)
    // The SDK asks for the answer after a call by itself; there is one all the same.
    session.sendMessage('Thank you.')
    await events.next('response.done', events.all.indexOf(done) + 1)
    expect(events.of('response.done').filter(isMessage)).toHaveLength(1)
    expect(crm.calls).toEqual(decision === 'approve' ? ['123'] : [])
    expect(events.of('error')).toEqual([])
    expect(events.of('sdk: error')).toEqual([])
  },
)

test('a call that the pipeline wants approved is asked about, although the client says that it need not be', async () => {
  const pipeline = `tools: [{ name: crm, type: mcp, url: '${crm.url}', approval: always }]\n`
  const hosted = hostedMcpTool({ serverLabel: 'crm', requireApproval: 'never' })
  const { session, events } = await agent(await serve({ pipeline, settings: '' }), [hosted])
  await events.next('sdk: tools', 0, (event) => event['listed'].length > 0)
  session.sendMessage('Who is 123?')
  const { request } = await events.next('sdk: approval')
  expect(crm.calls).toEqual([])
  await session.approve(request.approvalItem)
  const done = await events.next('response.done', 0, isMessage)
  expect(done['response'].output[0].content[0].text).toBe('So: Ada, 123')
  expect(crm.calls).toEqual(['123'])
})
