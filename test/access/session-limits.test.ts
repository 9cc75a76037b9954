import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Admission, SessionLimits } from '../../src/access/session-limits.ts'

const limits = (sessions: number, sessionsPerKey: number | null = null) =>
  new SessionLimits({ limits: { sessions, sessionsPerKey }, keys: [{ id: 'big', maxSessions: 3 }] })

function release(admission: Admission): void {
  if (admission.type === 'admitted') admission.release()
}

test('one more than the server takes is refused until one goes; going twice frees one place', () => {
  const server = limits(2)
  const first = server.acquire(null)
  server.acquire('a')
  expect(server.acquire('b')).toEqual({ type: 'refused', code: 'server_full' })
  release(first)
  release(first)
  expect(server.open).toBe(1)
  expect(server.acquire('b').type).toBe('admitted')
  expect(server.acquire('b').type).toBe('refused')
})

test('a key has its own limit, else the common one; without keys only the server counts', () => {
  const server = limits(100, 1)
  expect(['a', 'a', 'b', 'big', 'big', 'big', 'big'].map((key) => server.acquire(key).type)).toEqual([
    'admitted',
    'refused',
    'admitted',
    'admitted',
    'admitted',
    'admitted',
    'refused',
  ])
  expect(server.acquire('a')).toMatchObject({ code: 'key_sessions_full' })
  expect([1, 2, 3].map(() => server.acquire(null).type)).toEqual(['admitted', 'admitted', 'admitted'])
})

test('draining takes nobody and ends with the last session', async () => {
  const server = limits(5)
  const one = server.acquire('a')
  let over = false
  const drained = server.drain().then(() => {
    over = true
  })
  expect(server.acquire('a')).toEqual({ type: 'refused', code: 'draining' })
  await Promise.resolve()
  expect(over).toBe(false)
  release(one)
  await drained
  await server.drain()
})

test('whatever comes and goes, the count is what is open and never passes a limit', () => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'big', null), fc.nat(20))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const server = limits(5, 2)
      const held: { key: string | null; admission: Admission }[] = []
      for (const one of steps) {
        if (typeof one === 'number') {
          const [gone] = held.splice(one % Math.max(1, held.length), 1)
          if (gone) release(gone.admission)
        } else {
          const admission = server.acquire(one)
          if (admission.type === 'admitted') held.push({ key: one, admission })
        }
        expect(server.open).toBe(held.length)
        expect(held.length).toBeLessThanOrEqual(5)
        expect(held.filter((h) => h.key === 'a').length).toBeLessThanOrEqual(2)
      }
      for (const { admission } of held) release(admission)
      expect(server.open).toBe(0)
    }),
  )
})
