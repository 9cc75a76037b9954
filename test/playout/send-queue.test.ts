/** The queue between session and wire: control overtakes, answers keep order, a barge-in takes back. */
import { describe, expect, test } from 'vitest'
import { Cancelled, openScope } from '../../src/cancel.ts'
import { settled } from '../../src/clock.ts'
import { SendQueue, type SendQueueOptions } from '../../src/playout/send-queue.ts'

function queue(options: Partial<SendQueueOptions<string>> = {}): SendQueue<string> {
  return new SendQueue<string>({ droppable: (item) => item.startsWith('audio'), ...options })
}

const R1 = { bytes: 10, response: 'r1' }
const R2 = { bytes: 10, response: 'r2' }

async function take(reader: AsyncIterator<string>, count: number): Promise<string[]> {
  const out: string[] = []
  for (let i = 0; i < count; i++) out.push((await reader.next()).value as string)
  return out
}

describe('order', () => {
  test('control overtakes queued audio, audio keeps its order', async () => {
    const q = queue()
    for (const n of [1, 2, 3]) q.answer(`audio ${n}`, R1)
    const reader = q[Symbol.asyncIterator]()
    expect(await take(reader, 1)).toEqual(['audio 1'])
    q.control('speechStarted')
    q.control('committed')
    expect(await take(reader, 4)).toEqual(['speechStarted', 'committed', 'audio 2', 'audio 3'])
  })

  test('a waiting reader gets the next item at once', async () => {
    const q = queue()
    const reader = q[Symbol.asyncIterator]()
    const first = reader.next()
    q.answer('audio 1', R1)
    expect(q.answerBytes).toBe(0)
    expect(await first).toEqual({ value: 'audio 1', done: false })
  })

  test('the hook sees each item as it is taken, not when it is queued', async () => {
    const seen: string[] = []
    const q = queue({ onTaken: (item) => seen.push(item) })
    q.answer('audio 1', R1)
    q.control('note')
    expect(seen).toEqual([])
    await take(q[Symbol.asyncIterator](), 2)
    expect(seen).toEqual(['note', 'audio 1'])
  })

  test('a second reader is refused', () => {
    const q = queue()
    q[Symbol.asyncIterator]()
    expect(() => q[Symbol.asyncIterator]()).toThrow(/reader/)
  })
})

describe('room', () => {
  test('is there under the bound, and comes back as the reader takes', async () => {
    const q = queue({ answerBytes: 25 })
    const { signal } = openScope()
    for (const n of [1, 2, 3]) {
      await q.room(signal)
      q.answer(`audio ${n}`, R1)
    }
    let room = false
    void q.room(signal).then(() => {
      room = true
    })
    await settled()
    expect(room).toBe(false)
    await take(q[Symbol.asyncIterator](), 1)
    await settled()
    expect(room).toBe(true)
  })

  test('a cancelled writer gets the reason, and is not woken later', async () => {
    const q = queue({ answerBytes: 5 })
    q.answer('audio', R1)
    const scope = openScope()
    const room = q.room(scope.signal)
    scope.cancel('barge-in')
    await expect(room).rejects.toEqual(new Cancelled('barge-in'))
    await expect(q.room(scope.signal)).rejects.toThrow('barge-in')
  })

  test.each(['close', 'abort'] as const)('%s lets a waiting writer go', async (ending) => {
    const q = queue({ answerBytes: 5 })
    q.answer('audio', R1)
    const room = q.room(openScope().signal)
    q[ending]()
    await room
    q.answer('audio too late', R1)
    expect(q.answerBytes).toBe(0)
  })

  test('an interruption makes room', async () => {
    const q = queue({ answerBytes: 5 })
    q.answer('audio', R1)
    const room = q.room(openScope().signal)
    q.drop('r1')
    await room
  })
})

describe('marks', () => {
  test('fire when everything before is taken, in order, control not counted', async () => {
    const log: string[] = []
    const q = queue({ onTaken: (item) => log.push(item) })
    q.answer('audio 1', R1)
    q.after(() => log.push('mark 1'))
    q.after(() => log.push('mark 1b'))
    q.answer('audio 2', R1)
    q.after(() => log.push('mark 2'))
    q.control('note')
    await take(q[Symbol.asyncIterator](), 3)
    expect(log).toEqual(['note', 'audio 1', 'mark 1', 'mark 1b', 'audio 2', 'mark 2'])
  })

  test('with nothing queued a mark fires at once', () => {
    let fired = false
    queue().after(() => {
      fired = true
    })
    expect(fired).toBe(true)
  })

  test('what a mark queues comes after what was queued', async () => {
    const q = queue()
    q.answer('audio 1', R1)
    q.after(() => q.answer('audio 3', R1))
    q.answer('audio 2', R1)
    expect(await take(q[Symbol.asyncIterator](), 3)).toEqual(['audio 1', 'audio 2', 'audio 3'])
  })
})

describe('interruption', () => {
  test('takes back deltas and marks of that response only; what opened must still be closed', async () => {
    const log: string[] = []
    const q = queue()
    q.answer('started r1', R1)
    q.answer('audio 1 r1', R1)
    q.after(() => log.push('mark r1'), 'r1')
    q.answer('audio 1 r2', R2)
    q.after(() => log.push('mark r2'), 'r2')
    q.answer('audio 2 r1', R1)
    q.answer('done r1', R1)
    expect(q.drop('r1')).toEqual(['audio 1 r1', 'audio 2 r1'])
    expect(q.answerBytes).toBe(30)
    expect(await take(q[Symbol.asyncIterator](), 3)).toEqual(['started r1', 'audio 1 r2', 'done r1'])
    expect(log).toEqual(['mark r2'])
  })

  test('a mark that now stands first fires', () => {
    let fired = false
    const q = queue()
    q.answer('audio', R1)
    q.after(() => {
      fired = true
    })
    q.drop('r1')
    expect(fired).toBe(true)
  })
})

describe('endings', () => {
  test('close: queued control still goes out, answers do not, then the end', async () => {
    const q = queue()
    q.answer('audio', R1)
    q.control('goodbye')
    q.close()
    q.control('too late')
    const got: string[] = []
    for await (const item of q) got.push(item)
    expect(got).toEqual(['goodbye'])
  })

  test('abort: a waiting reader is let go, nothing more comes', async () => {
    const q = queue()
    const reader = q[Symbol.asyncIterator]()
    const pending = reader.next()
    q.abort()
    expect(await pending).toEqual({ value: undefined, done: true })
    expect(await reader.next()).toEqual({ value: undefined, done: true })
  })

  test('a reader that leaves ends the queue', async () => {
    const q = queue()
    q.control('one')
    q.control('two')
    for await (const item of q) if (item === 'one') break
    q.answer('audio', R1)
    expect(q.answerBytes).toBe(0)
  })

  test.each([
    ['control items', (q: SendQueue<string>) => q.control('x')],
    ['answer items', (q: SendQueue<string>) => q.answer('x', { bytes: 0, response: 'r1' })],
    ['marks', (q: SendQueue<string>) => q.after(() => {})],
    ['heavy control', (q: SendQueue<string>) => q.control('x', 200)],
    ['heavy answers', (q: SendQueue<string>) => q.answer('x', { bytes: 200, response: 'r1' })],
  ] as const)('a reader that never reads: %s overflow once, and nothing is held', async (_, add) => {
    let overflows = 0
    const q = queue({ laneItems: 10, laneBytes: 1000, onOverflow: () => overflows++ })
    q.answer('audio', R1)
    for (let i = 0; i < 50; i++) add(q)
    expect(overflows).toBe(1)
    expect(q.answerBytes).toBe(0)
    expect(await q[Symbol.asyncIterator]().next()).toEqual({ value: undefined, done: true })
  })
})
