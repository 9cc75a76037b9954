import { createHash } from 'node:crypto'
import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { accessPlugin } from '../../src/access/plugin.ts'
import { MemoryRecords } from '../../src/store/memory-records.ts'
import { memoryTurnStore } from '../../src/trace/turn-store.ts'
import { turnsPlugin } from '../../src/trace/turns-plugin.ts'
import { recordOf } from './record-of.ts'

function server(keys: string[]) {
  const app = Fastify()
  const hashed = keys.map((id) => ({
    id,
    sha256: createHash('sha256').update(`secret-${id}`).digest('hex'),
    attributes: {},
  }))
  accessPlugin(app, { settings: { keys: hashed, origins: [], listen: { publicUrl: null } }, publicPaths: [] })
  const turns = memoryTurnStore(100)
  turnsPlugin(app, { turns })
  const get = async (url: string, key?: string) => {
    const headers = { host: 'localhost', ...(key === undefined ? {} : { 'api-key': `secret-${key}` }) }
    const answer = await app.inject({ url, headers })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { turns, get }
}
const ids = (body: { data: { id: string }[] }) => body.data.map((turn) => turn.id)

describe('GET /v1/turns', () => {
  test('lists the newest first, by pages, to the end', async () => {
    const { turns, get } = server([])
    for (let i = 1; i <= 5; i++) turns.put(recordOf({ id: `t${i}` }))
    const first = await get('/v1/turns?limit=2')
    expect(ids(first.body)).toEqual(['t5', 't4'])
    expect(first.body).toMatchObject({ object: 'list', has_more: true, last_id: 't4' })
    const second = await get('/v1/turns?limit=2&after=t4')
    expect(ids(second.body)).toEqual(['t3', 't2'])
    const third = await get('/v1/turns?limit=2&after=t2')
    expect(third.body).toMatchObject({ data: [{ id: 't1' }], has_more: false })
  })

  test('filters by session, pipeline and outcome', async () => {
    const { turns, get } = server([])
    turns.put(recordOf({ id: 'a', sessionId: 's1' }))
    turns.put(recordOf({ id: 'b', sessionId: 's2', pipeline: 'phone' }))
    turns.put(recordOf({ id: 'c', sessionId: 's2', outcome: 'failed' }))
    expect(ids((await get('/v1/turns?session=s2')).body)).toEqual(['c', 'b'])
    expect(ids((await get('/v1/turns?pipeline=phone')).body)).toEqual(['b'])
    expect(ids((await get('/v1/turns?outcome=failed&session=s2')).body)).toEqual(['c'])
    expect(ids((await get('/v1/turns?session=none')).body)).toEqual([])
  })

  test('shows a key its own turns only, and tells it of no others', async () => {
    const { turns, get } = server(['web', 'phone'])
    turns.put(recordOf({ id: 'mine', keyId: 'web' }))
    turns.put(recordOf({ id: 'theirs', keyId: 'phone' }))
    turns.put(recordOf({ id: 'before-keys', keyId: null }))
    expect(ids((await get('/v1/turns', 'web')).body)).toEqual(['mine'])
    expect((await get('/v1/turns/mine', 'web')).body).toMatchObject({ id: 'mine', outcome: 'said' })
    const foreign = await get('/v1/turns/theirs', 'web')
    const missing = await get('/v1/turns/none', 'web')
    expect([foreign.status, foreign.body]).toEqual([404, missing.body])
    expect(foreign.body.error.code).toBe('turn_not_found')
    expect((await get('/v1/turns?after=theirs', 'web')).status).toBe(400)
    expect((await get('/v1/turns')).status).toBe(401)
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1e9',
    'limit=1&limit=2',
    'outcome=nice',
    'session=',
    `session=${'x'.repeat(300)}`,
    'after=gone',
  ])('%s is refused by name', async (query) => {
    const { get } = server([])
    const answer = await get(`/v1/turns?${query}`)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'invalid_value', param: query.split('=')[0] })
  })

  test('a turn that goes on is replaced in its place', async () => {
    const { turns, get } = server([])
    turns.put(recordOf({ id: 'a', outcome: 'open' }))
    turns.put(recordOf({ id: 'b' }))
    turns.put(recordOf({ id: 'a', heard: { ms: 5, text: 'Hi', interrupted: true } }))
    expect(ids((await get('/v1/turns')).body)).toEqual(['b', 'a'])
    expect((await get('/v1/turns/a')).body.heard.interrupted).toBe(true)
  })
})

describe('records in memory', () => {
  const records = (capacity: number) =>
    new MemoryRecords<string>({ capacity, idOf: (r) => r, fieldsOf: (r) => ({ first: r[0] ?? null }) })

  test('keep the newest', async () => {
    const store = records(2)
    for (const one of ['a', 'b', 'c']) store.put(one)
    expect(await store.get('a')).toBeUndefined()
    expect((await store.list({ where: {}, limit: 9 }))?.records).toEqual(['c', 'b'])
  })

  test('keep none when none are wanted', async () => {
    const store = records(0)
    store.put('a')
    expect(store.size).toBe(0)
  })

  test('all pages together are all that match, once each, newest first', async () => {
    const word = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b') })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(word, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (words, limit) => {
          const store = records(10)
          for (const one of words) store.put(one)
          const seen: string[] = []
          for (let after: string | undefined; ; after = seen.at(-1)) {
            const page = await store.list({
              where: { first: 'a' },
              limit,
              ...(after === undefined ? {} : { after }),
            })
            seen.push(...(page?.records ?? []))
            if (!page?.hasMore) break
          }
          expect(seen).toEqual(
            words
              .slice(-10)
              .filter((w) => w.startsWith('a'))
              .reverse(),
          )
        },
      ),
    )
  })
})
