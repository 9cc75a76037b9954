/** Tools behind real HTTP addresses and real MCP servers, the latter made with the protocol's own SDK. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { openScope } from '../../src/cancel.ts'
import { realClock, settled, VirtualClock } from '../../src/clock.ts'
import type { ServerTool } from '../../src/config/pipeline.ts'
import { Toolbox } from '../../src/tool/toolbox.ts'
import { bodyOf, type Crm, listenOn, startCrm } from '../support/mcp-server.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const http = (url: string, more: Partial<Extract<ServerTool, { type: 'http' }>> = {}): ServerTool => ({
  type: 'http',
  name: 'hours',
  description: 'Opening hours.',
  url,
  timeoutMs: 3000,
  filler: null,
  parameters: { type: 'object', properties: { day: { type: 'string' } }, required: ['day'] },
  ...more,
})
const mcp = (url: string): ServerTool => ({
  type: 'mcp',
  name: 'crm',
  description: null,
  url,
  timeoutMs: 3000,
  filler: 'Let me look.',
  approval: 'never',
})
/** Closed with the test. */
async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const { url, close } = await listenOn(handler)
  closers.push(close)
  return url
}

async function crmServer(): Promise<Crm> {
  const crm = await startCrm()
  closers.push(crm.close)
  return crm
}

const call = (name: string, args: string) => ({ callId: 'call_1', name, arguments: args })

function boxOf(tools: ServerTool[], notes: string[] = []): Toolbox {
  const box = new Toolbox({ tools, note: (message) => notes.push(message) })
  closers.push(() => box.close())
  return box
}

const run = (box: Toolbox, name: string, args: string, signal = openScope().signal) =>
  box.run(call(name, args), { signal, clock: realClock })

test('an HTTP tool gets the arguments as JSON and the call’s id, and its body is the answer', async () => {
  const seen: unknown[] = []
  const url = await listen(async (request, response) => {
    seen.push([request.method, request.headers['idempotency-key'], JSON.parse(await bodyOf(request))])
    response.end('{"open":"nine"}')
  })
  const box = boxOf([http(url)])
  expect(box.definitions).toEqual([
    {
      name: 'hours',
      server: 'http',
      filler: null,
      description: 'Opening hours.',
      parameters: { type: 'object', properties: { day: { type: 'string' } }, required: ['day'] },
    },
  ])
  expect(await run(box, 'hours', '{"day":"monday"}')).toBe('{"open":"nine"}')
  expect(seen).toEqual([['POST', 'call_1', { day: 'monday' }]])
})

test.each([
  ['{', 'are no JSON'],
  ['[]', 'are no JSON object'],
  ['{}', 'do not fit: day'],
  ['{"day":3}', 'do not fit: day'],
])('arguments %s are refused before anybody is asked', async (args, why) => {
  let asked = 0
  const url = await listen((_request, response) => {
    asked++
    response.end()
  })
  await expect(run(boxOf([http(url)]), 'hours', args)).rejects.toThrow(why)
  expect(asked).toBe(0)
})

test.each([
  ['an error status', (r: ServerResponse) => r.writeHead(500).end('secret stack'), 'status', /status 500\.$/],
  [
    'a redirect',
    (r: ServerResponse) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'status',
    /302/,
  ],
  ['too large an answer', (r: ServerResponse) => r.end('x'.repeat(70_000)), 'too_large', /larger/],
  [
    'an answer that breaks off',
    (r: ServerResponse) => {
      r.writeHead(200, { 'content-length': '10' })
      r.write('abc', () => r.destroy())
    },
    'unreachable',
    /broke off/,
  ],
] as const)('%s is told without an address or a body', async (_, answer, kind, message) => {
  const url = await listen((_request, response) => void answer(response))
  const failed = await run(boxOf([http(url)]), 'hours', '{"day":"monday"}').catch((error: unknown) => error)
  expect(failed).toMatchObject({ name: 'ToolError', kind })
  expect((failed as Error).message).toMatch(message)
  expect((failed as Error).message).not.toMatch(/127\.0\.0\.1|secret/)
})

function signalled(): { readonly told: Promise<void>; readonly tell: () => void } {
  let tell = () => {}
  const told = new Promise<void>((resolve) => {
    tell = resolve
  })
  return { told, tell }
}

test('a tool that stays silent is given up at its time limit, its request closed', async () => {
  const gone = signalled()
  const here = signalled()
  const url = await listen((_request, response) => {
    response.on('close', gone.tell)
    here.tell()
  })
  const clock = new VirtualClock()
  const running = boxOf([http(url)]).run(call('hours', '{"day":"monday"}'), {
    signal: openScope().signal,
    clock,
  })
  const outcome = running.catch((error: unknown) => error)
  await here.told
  await settled()
  await clock.advance(3000)
  expect(await outcome).toMatchObject({ kind: 'timeout' })
  await gone.told
  expect(clock.pendingTimers).toBe(0)
})

test('an MCP server’s tools are listed, called, and fail in their own words', async () => {
  const { calls, url } = await crmServer()
  const box = boxOf([mcp(url)])
  expect(box.definitions).toEqual([])
  await box.prepare()
  expect(box.definitions.map(({ name, server, filler }) => [name, server, filler])).toEqual([
    ['find_customer', 'crm', 'Let me look.'],
    ['broken', 'crm', 'Let me look.'],
  ])
  expect(box.definitions[0]?.parameters).toMatchObject({ properties: { phone: { type: 'string' } } })
  expect(await run(box, 'find_customer', '{"phone":"123"}')).toBe('Ada, 123')
  await expect(run(box, 'broken', '')).rejects.toMatchObject({ kind: 'tool', message: 'No such customer.' })
  await expect(run(box, 'find_customer', '{"phone":1}')).rejects.toMatchObject({ kind: 'arguments' })
  expect(calls).toEqual(['123'])
})

test('an MCP server that cannot be reached is said, offers nothing, and stops nobody', async () => {
  const notes: string[] = []
  const box = boxOf([mcp('http://127.0.0.1:1/mcp'), http('http://127.0.0.1:1/')], notes)
  await box.prepare()
  expect(notes).toEqual(['tools.crm: its MCP server cannot be reached; its tools are not offered'])
  expect(box.definitions.map(({ name }) => name)).toEqual(['hours'])
  await expect(run(box, 'nothing', '{}')).rejects.toMatchObject({ kind: 'unknown' })
  await expect(run(box, 'hours', '{"day":"x"}')).rejects.toMatchObject({ kind: 'unreachable' })
})
