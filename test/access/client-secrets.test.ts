import { createHash } from 'node:crypto'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { ClientSecrets, type StoredSecret } from '../../src/access/client-secrets.ts'
import type { HashedKey } from '../../src/access/key-ring.ts'
import { accessPlugin } from '../../src/access/plugin.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { Expiring, ExpiringStore } from '../../src/store/expiring.ts'
import { MemoryExpiring } from '../../src/store/memory-expiring.ts'

const key = (id: string, secret: string): HashedKey => ({
  id,
  sha256: createHash('sha256').update(secret).digest('hex'),
  attributes: { tier: id },
})
const WEB = key('web', 'the-secret-of-web')
const CALLER = { keyId: 'web', attributes: WEB.attributes }
const BOUNDS = { entriesPerOwner: 2, bytesPerOwner: 1e6, bytes: 1e7 }
const SESSION = { type: 'realtime', instructions: 'Be kind.' }

/** A store that outlives the server, and shows what it holds. */
class OpenStore implements ExpiringStore<StoredSecret> {
  readonly entries: Expiring<StoredSecret>[] = []
  async put(entry: Expiring<StoredSecret>): Promise<'kept'> {
    this.entries.push(entry)
    return 'kept'
  }
  async get(id: string): Promise<StoredSecret | undefined> {
    return this.entries.find((entry) => entry.id === id)?.value
  }
}

test('a secret is random, expires, and acts as the key it was minted with', async () => {
  const clock = new VirtualClock()
  const secrets = new ClientSecrets(new MemoryExpiring(clock, BOUNDS), [WEB], clock)
  const minted = await secrets.mint(CALLER, SESSION, 600)
  expect(minted?.value).toMatch(/^ek_[\w-]{59}$/)
  expect(minted?.expiresAt).toBe(1_700_000_600)
  const again = await secrets.mint(CALLER, SESSION, 600)
  expect(again?.value).not.toBe(minted?.value)
  const value = minted?.value ?? ''
  const holder = await secrets.find(value)
  expect(holder).toEqual({ caller: CALLER, grant: { id: value.slice(3, 19), session: SESSION } })
  expect(await secrets.mint(CALLER, SESSION, 600), 'more than the key may have').toBeNull()
  await clock.advance(600_000)
  expect(await secrets.find(value)).toBeNull()
  expect(await secrets.mint(CALLER, SESSION, 600)).not.toBeNull()
})

test('what is stored opens nothing', async () => {
  const store = new OpenStore()
  const secrets = new ClientSecrets(store, [WEB], new VirtualClock())
  const { value } = (await secrets.mint(CALLER, SESSION, 600))!
  const stored = JSON.stringify(store.entries)
  expect(stored).not.toContain(value.slice(19))
  expect(stored).not.toContain('the-secret-of-web')
  const [entry] = store.entries
  for (const guess of [
    `ek_${entry?.id}${'A'.repeat(43)}`,
    `ek_${entry?.id}${entry?.value.sha256.slice(0, 43)}`,
    `${value}x`,
    value.slice(0, -1),
    'ek_',
    '',
  ])
    expect(await secrets.find(guess), guess).toBeNull()
  expect(await secrets.find(value)).not.toBeNull()
})

test('a key that is gone, or was given another secret, takes its secrets along', async () => {
  const store = new OpenStore()
  const clock = new VirtualClock()
  const { value } = (await new ClientSecrets(store, [WEB], clock).mint(CALLER, SESSION, 600))!
  const openServers = (await new ClientSecrets(store, [], clock).mint(null, SESSION, 600))!
  const after = (...keys: HashedKey[]) => new ClientSecrets(store, keys, clock)
  expect(await after(WEB, key('other', 'x')).find(value)).not.toBeNull()
  expect(await after(key('other', 'x')).find(value)).toBeNull()
  expect(await after(key('web', 'a-new-one')).find(value)).toBeNull()
  expect(await after().find(value)).toBeNull()
  expect(await after().find(openServers.value)).not.toBeNull()
  expect(await after(WEB).find(openServers.value), 'minted before there were keys').toBeNull()
})

async function server(keys: readonly HashedKey[]) {
  const clock = new VirtualClock()
  const secrets = new ClientSecrets(new MemoryExpiring(clock, BOUNDS), keys, clock)
  const app = Fastify()
  const settings = { keys, origins: ['https://app.example.com'], listen: { publicUrl: null } }
  accessPlugin(app, { settings, publicPaths: ['/healthz'], secrets, secretPaths: ['/v1/realtime'] })
  for (const path of ['/healthz', '/v1/realtime', '/v1/turns'])
    app.get(path, ({ caller, grant }) => ({ caller, grant }))
  const get = (url: string, headers: Record<string, string>) =>
    app.inject({ url, headers: { host: 'localhost', ...headers } })
  return { clock, secrets, get }
}

test('a secret opens the paths it is for, and no others', async () => {
  const { clock, secrets, get } = await server([WEB])
  const { value } = (await secrets.mint(CALLER, SESSION, 10))!
  for (const headers of [
    { authorization: `Bearer ${value}` },
    { 'api-key': value },
    { 'sec-websocket-protocol': `realtime, openai-insecure-api-key.${value}` },
  ]) {
    const answer = await get('/v1/realtime', headers)
    expect(answer.json()).toMatchObject({ caller: CALLER, grant: { session: SESSION } })
  }
  const bearer = { authorization: `Bearer ${value}` }
  for (const path of ['/v1/turns', '/nowhere']) {
    const refused = await get(path, bearer)
    expect(refused.statusCode).toBe(403)
    expect(refused.json().error.code).toBe('client_secret_not_allowed')
  }
  expect((await get('/healthz', bearer)).json().caller).toBeNull()
  await clock.advance(10_000)
  const expired = await get('/v1/realtime', { ...bearer, origin: 'https://app.example.com' })
  expect(expired.statusCode).toBe(401)
  expect(expired.json().error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' })
  expect(expired.headers['access-control-allow-origin'], 'a page may read why').toBe(
    'https://app.example.com',
  )
})

test('where no key is needed a secret still means its session, and a bad one nothing', async () => {
  const { secrets, get } = await server([])
  const { value } = (await secrets.mint(null, SESSION, 10))!
  const answer = await get('/v1/realtime', { authorization: `Bearer ${value}` })
  expect(answer.json()).toMatchObject({ caller: null, grant: { session: SESSION } })
  expect((await get('/v1/realtime', { authorization: 'Bearer ek_nonsense' })).statusCode).toBe(401)
  expect((await get('/v1/realtime', { authorization: 'Bearer none' })).json()).toEqual({
    caller: null,
    grant: null,
  })
  expect((await get('/v1/turns', { authorization: `Bearer ${value}` })).statusCode).toBe(403)
})
