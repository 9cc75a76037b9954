/** MCP servers that clients may name, real ones: one connection for all, one of its own for who shows credentials. */
import { afterEach, expect, test } from 'vitest'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { NamedServers } from '../../src/tool/named-servers.ts'
import { ToolShelf } from '../../src/tool/shelf.ts'
import { Toolbox } from '../../src/tool/toolbox.ts'
import { listenOn, startCrm } from '../support/mcp-server.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function crmServer() {
  const crm = await startCrm()
  closers.push(crm.close)
  return crm
}

function boxFor(lines: string, notes: string[] = []): Toolbox {
  const note = (message: string) => void notes.push(message)
  const { mcp } = parseSettings(`mcp: { crm: { ${lines} } }`, null, { env: { CRM_TOKEN: 'tok-operator' } })
  const named = new NamedServers(mcp, note)
  closers.push(() => named.close())
  return new Toolbox({ tools: [], note, named })
}

const SHARED = { label: 'crm', credentials: null }
const own = (headers: object) => ({ label: 'crm', credentials: { reveal: () => JSON.stringify(headers) } })
const find = { callId: 'call_1', name: 'find_customer', arguments: '{"phone":"123"}' }

test('the operator’s token and headers go with every request', async () => {
  const crm = await crmServer()
  const box = boxFor(`url: '${crm.url}', authorization: "\${CRM_TOKEN}", headers: { X-Tenant: seven }`)
  const options = { signal: openScope().signal, clock: realClock }
  const tools = await box.list(SHARED, options)
  expect(tools).toMatchObject([
    { name: 'find_customer', description: 'Finds one.', annotations: { readOnlyHint: true } },
    { name: 'broken' },
  ])
  expect(await box.run(find, { ...options, access: SHARED })).toBe('Ada, 123')
  expect(crm.headers.length).toBeGreaterThan(3)
  for (const headers of crm.headers)
    expect(headers).toMatchObject({ authorization: 'Bearer tok-operator', 'x-tenant': 'seven' })
})

test('sessions share a connection; each is told what is listed now', async () => {
  const crm = await crmServer()
  const box = boxFor(`url: '${crm.url}'`)
  for (let session = 0; session < 3; session++)
    expect(await box.list(SHARED, { signal: openScope().signal, clock: realClock })).toHaveLength(2)
  expect(crm.hellos).toHaveLength(1)
})

test('a client’s credentials have a connection of their session’s own, which ends with it; the operator’s headers win', async () => {
  const crm = await crmServer()
  const box = boxFor(`url: '${crm.url}', headers: { x-tenant: seven }, clientCredentials: forward`)
  const scope = openScope()
  const options = { signal: scope.signal, clock: realClock }
  const access = own({ authorization: 'Bearer tok-client', 'x-tenant': 'eight' })
  await box.list(SHARED, options)
  await box.list(access, options)
  expect(await box.run(find, { ...options, access })).toBe('Ada, 123')
  expect(crm.hellos.map((headers) => [headers.authorization, headers['x-tenant']])).toEqual([
    [undefined, 'seven'],
    ['Bearer tok-client', 'seven'],
  ])
  // New ones take the place of the old.
  const newer = own({ authorization: 'Bearer tok-newer' })
  await box.list(newer, options)
  expect(await box.run(find, { ...options, access: newer })).toBe('Ada, 123')
  expect(crm.hellos).toHaveLength(3)
  scope.cancel('hangup')
  await expect(box.list(newer, options)).rejects.toBe(scope.signal.reason)
  expect(crm.hellos).toHaveLength(3)
})

test('credentials that the operator does not forward go nowhere', async () => {
  const crm = await crmServer()
  const box = boxFor(`url: '${crm.url}'`)
  const access = own({ authorization: 'Bearer tok-client' })
  await box.list(access, { signal: openScope().signal, clock: realClock })
  expect(crm.headers.some(({ authorization }) => authorization !== undefined)).toBe(false)
})

test.each(['to another server', 'within its own'])('a redirect %s is not followed', async (where) => {
  const crm = await crmServer()
  const paths: (string | undefined)[] = []
  const away = await listenOn((request, response) => {
    paths.push(request.url)
    const location = where === 'within its own' ? '/elsewhere' : crm.url
    response.writeHead(307, { location }).end()
  })
  closers.push(away.close)
  const box = boxFor(`url: '${away.url}/mcp', authorization: tok-operator`)
  const listed = box.list(SHARED, { signal: openScope().signal, clock: realClock })
  await expect(listed).rejects.toMatchObject({ kind: 'unreachable' })
  expect(new Set(paths)).toEqual(new Set(['/mcp']))
  expect(crm.headers).toEqual([])
})

test('arguments are held against the listed schema before anybody is asked', async () => {
  const crm = await crmServer()
  const box = boxFor(`url: '${crm.url}'`)
  const options = { signal: openScope().signal, clock: realClock, access: SHARED }
  await box.list(SHARED, options)
  await expect(box.run({ ...find, arguments: '{"phone":1}' }, options)).rejects.toMatchObject({
    kind: 'arguments',
  })
  await expect(box.run({ ...find, name: 'broken', arguments: '' }, options)).rejects.toMatchObject({
    kind: 'tool',
    message: 'No such customer.',
  })
  expect(crm.calls).toEqual([])
})

test('one that cannot be reached, and one that nobody allows, are told in a sentence without an address', async () => {
  const notes: string[] = []
  const box = boxFor("url: 'http://127.0.0.1:1/mcp', clientCredentials: forward", notes)
  const options = { signal: openScope().signal, clock: realClock }
  const failed = await box.list(SHARED, options).catch((error: unknown) => error)
  expect(failed).toMatchObject({ name: 'ToolError', kind: 'unreachable' })
  expect((failed as Error).message).not.toContain('127')
  // The log is told once, and not of what a client's own credentials do not open.
  await box.list(SHARED, options).catch(() => {})
  await box.list(own({ authorization: 'Bearer x' }), options).catch(() => {})
  expect(notes).toEqual(['mcp.crm: its MCP server cannot be reached'])
  const other = { label: 'constructor', credentials: null }
  await expect(box.list(other, options)).rejects.toMatchObject({ kind: 'unknown' })
  await expect(box.run(find, { ...options, access: other })).rejects.toMatchObject({ kind: 'unknown' })
})

test('a pipeline’s server may be named, never with credentials, and counts before one of the settings', async () => {
  const crm = await crmServer()
  const { mcp } = parseSettings(
    "mcp: { crm: { url: 'http://127.0.0.1:1/', clientCredentials: forward }, other: { url: 'http://127.0.0.1:1/' } }",
    null,
    { env: {} },
  )
  const facts = { description: null, timeoutMs: 3000, filler: 'Let me look.' }
  const tool = { type: 'mcp', name: 'crm', url: crm.url, approval: 'always', ...facts } as const
  const named = new NamedServers(mcp, () => {})
  const box = new Toolbox({ tools: [tool], note: () => {}, named })
  closers.push(
    () => box.close(),
    () => named.close(),
  )
  await box.prepare()
  expect(box.definitions).toMatchObject([{ approval: 'always' }, { approval: 'always' }])
  expect(box.allowed).toMatchObject([
    { label: 'crm', url: crm.url, clientCredentials: 'refuse', approval: 'always', filler: 'Let me look.' },
    { label: 'other', approval: 'client' },
  ])
  const options = { signal: openScope().signal, clock: realClock }
  expect(await box.list(SHARED, options)).toHaveLength(2)
  expect(await box.run(find, { ...options, access: SHARED })).toBe('Ada, 123')
})

test('a pipeline without tools has a box for them only where the settings name servers', async () => {
  const pipeline = { tools: [] } as unknown as Parameters<ToolShelf['of']>[0]
  expect(new ToolShelf(() => {}).of(pipeline).allowed).toBeUndefined()
  const { mcp } = parseSettings("mcp: { crm: { url: 'http://127.0.0.1:1/' } }", null, { env: {} })
  const shelf = new ToolShelf(() => {}, new NamedServers(mcp, () => {}))
  closers.push(() => shelf.close())
  expect(shelf.of(pipeline).allowed).toMatchObject([{ label: 'crm' }])
})
