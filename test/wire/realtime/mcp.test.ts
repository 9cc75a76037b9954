/** MCP servers that a client names, and calls that it must agree to: what is read, what is written, and a whole session between. */
import { describe, expect, test } from 'vitest'
import { isNaming } from '../../../src/session/mcp.ts'
import { wireItem } from '../../../src/wire/realtime/items.ts'
import { type Parsed, parseFrame } from '../../../src/wire/realtime/parse.ts'
import { parseTools, wireTools } from '../../../src/wire/realtime/tools.ts'
import { asks, CRM, Desk } from '../../session/desk.ts'
import { PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import type { WireEvent } from './fake-socket.ts'
import { APPROVAL, LISTED, MCP_CALL } from './outputs.ts'
import { type RealTalkOptions, talkToRealSession } from './real-host.ts'
import { sdkMembers } from './sdk-types.ts'

const parse = (event: object): Parsed => parseFrame(Buffer.from(JSON.stringify(event)), PIPELINE_SETTINGS)
const one = (members: object) =>
  parseTools([{ type: 'mcp', server_label: 'crm', ...members }], 'session.tools')[0]!

describe('what a client says of a server', () => {
  test('is read, and echoed without its credentials', () => {
    const said = {
      type: 'mcp',
      server_label: 'crm',
      server_url: 'https://mcp.example.com/crm',
      server_description: 'Customers.',
      allowed_tools: ['find'],
      require_approval: { always: { tool_names: ['erase'] }, never: { read_only: true } },
      defer_loading: false,
      allowed_callers: ['direct'],
    }
    const secrets = { authorization: 'tok-1', headers: { 'X-Tenant': 'seven' } }
    const functions = [{ type: 'function', name: 'a' }]
    const tools = parseTools([...functions, { ...said, ...secrets }], 'session.tools')
    expect(wireTools(tools)).toEqual([...functions, said])
    const tool = tools[1]!
    if (!isNaming(tool)) throw new Error('no server')
    expect(tool).toMatchObject({
      label: 'crm',
      url: 'https://mcp.example.com/crm',
      allowed: { names: ['find'] },
      approval: { always: { names: ['erase'] }, never: { readOnly: true } },
      secretMembers: ['headers', 'authorization'],
    })
    expect(JSON.parse(tool.credentials!.reveal())).toEqual({
      'x-tenant': 'seven',
      authorization: 'Bearer tok-1',
    })
    expect(JSON.stringify(tools)).not.toMatch(/tok-1|seven/)
  })

  test('may be the label alone: every tool, and each call to be approved', () => {
    expect(one({ allowed_tools: null, require_approval: null, headers: null })).toEqual({
      type: 'mcp',
      label: 'crm',
      secretMembers: [],
      shown: {
        type: 'mcp',
        server_label: 'crm',
        allowed_tools: null,
        require_approval: 'always',
      },
    })
  })

  test('a filter object is read as a list is', () => {
    expect(one({ allowed_tools: { tool_names: ['find'], read_only: true } })).toMatchObject({
      allowed: { names: ['find'], readOnly: true },
    })
  })

  test.each([
    [{ server_label: undefined }, 'missing_required_parameter', 'server_label'],
    [{ server_label: 7 }, 'invalid_type', 'server_label'],
    [{ server_label: 'x'.repeat(65) }, 'string_above_max_length', 'server_label'],
    [{ server_url: 7 }, 'invalid_type', 'server_url'],
    [{ connector_id: 'connector_gmail' }, 'invalid_value', 'connector_id'],
    [{ tunnel_id: 'tunnel_1' }, 'invalid_value', 'tunnel_id'],
    [{ server_description: {} }, 'invalid_type', 'server_description'],
    [{ allowed_tools: 'find' }, 'invalid_type', 'allowed_tools'],
    [{ allowed_tools: ['find', 7] }, 'invalid_type', 'allowed_tools[1]'],
    [{ allowed_tools: { tool_names: 'find' } }, 'invalid_type', 'allowed_tools.tool_names'],
    [{ allowed_tools: { read_only: 'yes' } }, 'invalid_type', 'allowed_tools.read_only'],
    [{ require_approval: 'sometimes' }, 'invalid_value', 'require_approval'],
    [{ require_approval: 7 }, 'invalid_type', 'require_approval'],
    [{ require_approval: { always: ['find'] } }, 'invalid_type', 'require_approval.always'],
    [
      { require_approval: { never: { tool_names: [7] } } },
      'invalid_type',
      'require_approval.never.tool_names[0]',
    ],
    [{ authorization: 7 }, 'invalid_type', 'authorization'],
    [{ authorization: 'two\nlines' }, 'invalid_value', 'authorization'],
    [{ headers: [] }, 'invalid_type', 'headers'],
    [{ headers: { 'x-a': 7 } }, 'invalid_type', 'headers.x-a'],
    [{ headers: { 'x a': 'b' } }, 'invalid_value', 'headers'],
    [{ headers: { 'x-a': 'b\r\nc: d' } }, 'invalid_value', 'headers'],
    [{ headers: { Host: 'evil.example.com' } }, 'invalid_value', 'headers'],
    [{ headers: { 'Mcp-Session-Id': '1' } }, 'invalid_value', 'headers'],
  ])('%j is refused', (members, code, member) => {
    const tool = { type: 'mcp', server_label: 'crm', ...members }
    for (const [type, place] of [
      ['session.update', 'session'],
      ['response.create', 'response'],
    ] as const) {
      const refused = parse({ type, event_id: 'e', [place]: { tools: [{ name: 'a' }, tool] } })
      expect(refused).toMatchObject({ kind: 'refused', code, param: `${place}.tools[1].${member}`, ref: 'e' })
    }
  })
})

describe('a client’s word on a call', () => {
  test('is read', () => {
    const item = {
      type: 'mcp_approval_response',
      approval_request_id: 'item_6',
      approve: false,
      reason: 'No.',
    }
    expect(parse({ type: 'conversation.item.create', previous_item_id: 'item_6', item })).toMatchObject({
      event: {
        item: {
          id: '',
          type: 'approvalResponse',
          requestId: 'item_6',
          decision: 'denied',
          explanation: 'No.',
        },
        after: 'item_6',
      },
    })
    expect(
      parse({ type: 'conversation.item.create', item: { ...item, approve: true, reason: null } }),
    ).toMatchObject({
      event: { item: { decision: 'approved', explanation: null } },
    })
  })

  test.each([
    [{ approval_request_id: undefined }, 'missing_required_parameter', 'item.approval_request_id'],
    [{ approval_request_id: 7 }, 'invalid_type', 'item.approval_request_id'],
    [{ approve: undefined }, 'missing_required_parameter', 'item.approve'],
    [{ approve: 'yes' }, 'invalid_type', 'item.approve'],
    [{ reason: 7 }, 'invalid_type', 'item.reason'],
    [{ reason: 'x'.repeat(4097) }, 'string_above_max_length', 'item.reason'],
    [{ type: 'mcp_call' }, 'invalid_value', 'item.type'],
    [{ type: 'mcp_list_tools' }, 'invalid_value', 'item.type'],
    [{ type: 'mcp_approval_request' }, 'invalid_value', 'item.type'],
  ])('%j is refused', (members, code, param) => {
    const item = { type: 'mcp_approval_response', approval_request_id: 'i', approve: true, ...members }
    expect(parse({ type: 'conversation.item.create', item })).toMatchObject({ kind: 'refused', code, param })
  })
})

test.each([
  ['RealtimeMcpListTools', wireItem(LISTED), []],
  ['RealtimeMcpApprovalRequest', wireItem(APPROVAL), []],
  [
    'RealtimeMcpApprovalResponse',
    wireItem({
      id: 'i',
      type: 'approvalResponse',
      requestId: 'r',
      decision: 'approved',
      explanation: null,
      status: 'completed',
    }),
    [],
  ],
  ['RealtimeMcpToolCall', wireItem(MCP_CALL), ['object', 'status']],
] as const)('%s has the members of the SDK’s type', (type, item, ours) => {
  expect(Object.keys(item).sort()).toEqual([...sdkMembers('ga', type), ...ours].sort())
})

test.each([
  ['{"id":7}', '{"id":7}'],
  ['', '{}'],
  ['[', '{"arguments":"["}'],
  ['[1]', '{"arguments":"[1]"}'],
])('who is asked about the arguments %j reads %j', (text, shown) => {
  expect(wireItem({ ...APPROVAL, arguments: text })).toMatchObject({ arguments: shown })
})

test('a listed tool has the members of the SDK’s type', () => {
  const { tools } = wireItem(LISTED) as { tools: readonly object[] }
  expect(Object.keys(tools[0]!).sort()).toEqual([...sdkMembers('ga', 'RealtimeMcpListTools.Tool')].sort())
  expect(tools).toEqual([
    {
      name: 'find',
      description: '',
      input_schema: { type: 'object' },
      annotations: { readOnlyHint: true },
    },
  ])
})

/** Calls `erase` once for each thing that is written; then says what it was told. */
async function begin(desk: Desk, options: RealTalkOptions = {}) {
  let calls = 0
  const talk = await talkToRealSession(
    {
      answer: ({ messages, tools = [] }) => {
        const last = messages.at(-1)
        if (last?.role === 'tool') return `So: ${last.text}`
        return tools.some(({ name }) => name === 'erase') ? asks(`call_${++calls}`, 'erase') : 'I cannot.'
      },
    },
    { tools: desk, ...options },
  )
  await talk.tell({ type: 'session.update', session: { output_modalities: ['text'] } })
  return talk
}

type Talk = Awaited<ReturnType<typeof begin>>

async function write(talk: Talk, text = 'Erase them.'): Promise<void> {
  const content = [{ type: 'input_text', text }]
  await talk.tell({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  await talk.tell({ type: 'response.create' })
  await talk.clock.advance(500)
}

const types = (events: readonly WireEvent[]) => events.map(({ type }) => type)

test('a session names a server, is asked about a call, agrees, and is answered', async () => {
  const desk = new Desk()
  desk.listMs = 20
  desk.runMs = 50
  const talk = await begin(desk)
  const { socket } = talk
  let from = socket.events.length
  await talk.tell({ type: 'session.update', session: { tools: [{ type: 'mcp', server_label: 'crm' }] } })
  await talk.clock.advance(20)
  const listed = socket.events.slice(from)
  expect(types(listed)).toEqual([
    'session.updated',
    'conversation.item.added',
    'mcp_list_tools.in_progress',
    'mcp_list_tools.completed',
    'conversation.item.done',
  ])
  expect(listed[0]?.['session'].tools).toEqual([
    { type: 'mcp', server_label: 'crm', require_approval: 'always' },
  ])
  expect(listed[1]?.['item']).toMatchObject({ type: 'mcp_list_tools', tools: [] })
  expect(listed[2]?.['item_id']).toBe(listed[1]?.['item'].id)
  expect(listed[4]?.['item'].tools.map((tool: { name: string }) => tool.name)).toEqual(['find', 'erase'])

  from = socket.events.length
  await write(talk)
  const asked = socket.events.slice(from)
  expect(types(asked)).toEqual([
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  const request = asked[3]?.['item']
  expect(request).toEqual({
    id: request.id,
    type: 'mcp_approval_request',
    server_label: 'crm',
    name: 'erase',
    arguments: '{"id":7}',
  })
  expect(asked.at(-1)?.['response'].output).toEqual([request])
  expect(desk.calls).toEqual([])

  from = socket.events.length
  const item = { type: 'mcp_approval_response', approval_request_id: request.id, approve: true }
  await talk.tell({ type: 'conversation.item.create', previous_item_id: request.id, item })
  await talk.clock.advance(500)
  const done = socket.events.slice(from)
  expect(types(done).filter((type) => !/delta$/.test(type))).toEqual([
    'conversation.item.added',
    'conversation.item.done',
    'conversation.item.added',
    'response.mcp_call.in_progress',
    'response.mcp_call.completed',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_text.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  expect(done[0]).toMatchObject({ previous_item_id: request.id, item: { approve: true, reason: null } })
  expect(done[5]?.['item']).toMatchObject({
    type: 'mcp_call',
    id: done[2]?.['item'].id,
    status: 'completed',
    server_label: 'crm',
    approval_request_id: request.id,
    output: 'erase done',
    error: null,
  })
  expect(done.at(-1)?.['response'].output[0].content[0].text).toBe('So: erase done')
  expect(desk.calls).toHaveLength(1)

  await talk.tell({ type: 'conversation.item.create', event_id: 'twice', item })
  expect(socket.last).toMatchObject({
    type: 'error',
    error: {
      type: 'invalid_request_error',
      code: 'invalid_value',
      param: 'item.approval_request_id',
      event_id: 'twice',
    },
  })
  for (const id of [listed[1]?.['item'].id, request.id, done[2]?.['item'].id]) {
    await talk.tell({ type: 'conversation.item.retrieve', item_id: id })
    expect(socket.last).toMatchObject({ type: 'conversation.item.retrieved', item: { id } })
  }
  expect(talk.notes).toEqual([])
})

test('a server that is not allowed is refused by its path, and the update changes nothing', async () => {
  const desk = new Desk()
  const talk = await begin(desk)
  const tools = [{ name: 'a' }, { type: 'mcp', server_label: 'crm', server_url: 'http://127.0.0.1:1/evil' }]
  await talk.tell({ type: 'session.update', event_id: 'u', session: { instructions: 'Changed.', tools } })
  expect(talk.socket.last).toMatchObject({
    type: 'error',
    error: { code: 'invalid_value', param: 'session.tools[1].server_url', event_id: 'u' },
  })
  await talk.tell({ type: 'response.create', event_id: 'r', response: { tools } })
  expect(talk.socket.last).toMatchObject({ error: { param: 'response.tools[1].server_url', event_id: 'r' } })
  await talk.tell({ type: 'session.update', session: {} })
  expect(talk.socket.last['session']).toMatchObject({ instructions: 'Be brief.', tools: [] })
  expect(desk.listings).toEqual([])
})

test('naming a server begins nothing: the session may still move to another pipeline', async () => {
  const desk = new Desk()
  const talk = await begin(desk)
  await talk.tell({ type: 'session.update', session: { tools: [{ type: 'mcp', server_label: 'crm' }] } })
  await talk.clock.advance(0)
  const moved = { session: { providerData: { parley: { user: 'ada' } } } }
  await talk.tell({ type: 'session.update', ...moved })
  await talk.clock.advance(0)
  expect(types(talk.socket.events)).not.toContain('error')
  expect(desk.listings).toHaveLength(2)
  await write(talk)
  expect(talk.socket.last['response'].output).toMatchObject([{ type: 'mcp_approval_request' }])
})

test('where nobody can be asked, what must be approved is not offered, and no server can be named', async () => {
  const desk = new Desk()
  desk.definitions = [{ name: 'erase', server: 'crm', filler: null, approval: 'always' }]
  const talk = await begin(desk, { asks: 'nobody' })
  await write(talk)
  expect(talk.llm.requests.at(-1)?.tools).toBeUndefined()
  await talk.tell({ type: 'session.update', session: { tools: [{ type: 'mcp', server_label: 'crm' }] } })
  expect(talk.socket.last).toMatchObject({ error: { param: 'session.tools[0].server_label' } })
})

test('a pipeline’s tool that must be approved is asked about without being named', async () => {
  const desk = new Desk()
  desk.definitions = [{ name: 'erase', server: 'crm', filler: null, approval: 'always' }]
  const talk = await begin(desk)
  await write(talk)
  const [request] = talk.socket.last['response'].output
  expect(request).toMatchObject({ type: 'mcp_approval_request', server_label: 'crm' })
  const item = {
    type: 'mcp_approval_response',
    approval_request_id: request.id,
    approve: false,
    reason: 'No.',
  }
  await talk.tell({ type: 'conversation.item.create', item })
  await talk.clock.advance(500)
  expect(talk.socket.last['response'].output[0].content[0].text).toMatch(/^So: .*not approved.* No\.$/)
  expect(desk.calls).toEqual([])
})

test('credentials go with the listing and with the call, and into no event', async () => {
  const desk = new Desk()
  desk.allowed = [{ ...CRM, clientCredentials: 'forward' }]
  const talk = await begin(desk)
  const tool = { type: 'mcp', server_label: 'crm', authorization: 'tok-1', require_approval: 'never' }
  await talk.tell({ type: 'session.update', session: { tools: [tool] } })
  await talk.clock.advance(0)
  await write(talk)
  await talk.clock.advance(500)
  expect(desk.listings[0]?.credentials?.reveal()).toBe('{"authorization":"Bearer tok-1"}')
  expect(desk.calls).toHaveLength(1)
  expect(talk.socket.sent.join()).not.toContain('tok-1')
})
