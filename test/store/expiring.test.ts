import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { MemoryExpiring } from '../../src/store/memory-expiring.ts'

const clock = () => new VirtualClock()
const BOUNDS = { entriesPerOwner: 3, bytesPerOwner: 100, bytes: 150 }

const entry = (
  clock: VirtualClock,
  id: string,
  more: { owner?: string; bytes?: number; ms?: number } = {},
) => ({
  id,
  owner: more.owner ?? 'ann',
  bytes: more.bytes ?? 10,
  expiresAtMs: clock.wallMs() + (more.ms ?? 60_000),
  value: `value of ${id}`,
})

test('a value is there until its moment, and then no more', async () => {
  const time = clock()
  const store = new MemoryExpiring<string>(time, BOUNDS)
  expect(await store.put(entry(time, 'a'))).toBe('kept')
  expect(await store.get('a')).toBe('value of a')
  expect(await store.get('b')).toBeUndefined()
  await time.advance(59_999)
  expect(await store.get('a')).toBe('value of a')
  await time.advance(1)
  expect(await store.get('a')).toBeUndefined()
})

test('an owner who holds too many, or too much, is refused and crowds out nobody', async () => {
  const time = clock()
  const store = new MemoryExpiring<string>(time, BOUNDS)
  for (const id of ['a', 'b', 'c']) expect(await store.put(entry(time, id))).toBe('kept')
  expect(await store.put(entry(time, 'd'))).toBe('full')
  expect(await store.get('a')).toBe('value of a')
  expect(await store.put(entry(time, 'e', { owner: 'bob', bytes: 101 }))).toBe('full')
  expect(await store.put(entry(time, 'e', { owner: 'bob', bytes: 100 }))).toBe('kept')
  expect(await store.put(entry(time, 'f', { owner: 'cyd', bytes: 50 })), 'all together').toBe('full')
})

test('what has expired makes room at once when it is needed, else within ten seconds', async () => {
  const time = clock()
  const store = new MemoryExpiring<string>(time, BOUNDS)
  for (const id of ['a', 'b', 'c']) await store.put(entry(time, id, { ms: 1_000 }))
  await time.advance(1_000)
  expect(await store.put(entry(time, 'd'))).toBe('kept')
  expect(store.size).toBe(1)
  await store.put(entry(time, 'e', { ms: 1_000 }))
  await time.advance(10_000)
  await store.put(entry(time, 'f', { owner: 'bob' }))
  expect(store.size).toBe(2)
})
