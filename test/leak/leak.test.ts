/** Real sockets, two processes: many short sessions, then everything is counted. `npm run leak` is the long form. */
import { expect, test } from 'vitest'
import { checkLeaks, leftovers } from '../../bench/harness/leaks.ts'

test('sessions that came and went, in every way a client can go, leave nothing behind', async () => {
  const report = await checkLeaks({ sessions: 150, vad: 'loudness', keepOpen: 0 })
  expect(report.errors).toBe(0)
  expect(report.answered).toBe(60)
  expect(leftovers(report)).toEqual([])
  // What one session holds while it is open is a hundred times more.
  expect(report.heapEach).toBeLessThan(4096)
})

test('the check sees a session that stays', async () => {
  const report = await checkLeaks({ sessions: 10, vad: 'loudness', keepOpen: 2 })
  expect(leftovers(report)).toEqual(
    expect.arrayContaining(['2 LiveSession', '2 Connection', '2 Ear', '2 WebSocket', '2 sessions']),
  )
})
