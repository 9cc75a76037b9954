import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { settled, VirtualClock } from '../../../src/clock.ts'
import type { ModelEvent } from '../../../src/dialect/neutral.ts'
import { createSmol, type Smol } from '../../../src/provider/local/smollm2/index.ts'
import type { FromSmol, ToSmol } from '../../../src/provider/local/smollm2/protocol.ts'

const usage = { inputTokens: 3, outputTokens: 1 }

/** The thread's side of the conversation, played by the test. */
class FakeThread extends EventEmitter {
  readonly got: ToSmol[] = []
  postMessage(message: ToSmol): void {
    this.got.push(message)
    if (message.type === 'stop') this.emit('exit', 0)
  }
  unref(): void {}
  say(message: FromSmol): void {
    this.emit('message', message)
  }
  finish(job: number, reason: 'stop' | 'length' | 'cancelled' = 'stop'): void {
    this.say({ type: 'done', job, reason, usage })
  }
  get jobs(): number[] {
    return this.got.flatMap((m) => (m.type === 'generate' ? [m.job] : []))
  }
  get cancelled(): number[] {
    return this.got.flatMap((m) => (m.type === 'cancel' ? [m.job] : []))
  }
}

let clock: VirtualClock
let threads: FakeThread[]
let smol: Smol
beforeEach(async () => {
  clock = new VirtualClock()
  threads = []
  const starting = createSmol({
    clock,
    note: () => {},
    runtime: '/nowhere',
    model: '/nowhere',
    sequences: 2,
    queueLimit: 2,
    spawn: () => {
      const thread = new FakeThread()
      threads.push(thread)
      queueMicrotask(() => thread.say({ type: 'ready' }))
      return thread as unknown as Worker
    },
  })
  smol = await starting
})

const thread = () => threads.at(-1)!

async function ask(signal = openScope().signal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of smol.stream({ messages: [{ role: 'user', text: 'Hi' }] }, { signal, clock })) {
    events.push(event)
  }
  return events
}

describe('sharing one model', () => {
  test('as many answers as there are sequences run, the others wait in order', async () => {
    const answers = [ask(), ask(), ask(), ask()]
    await settled()
    expect(thread().jobs).toEqual([1, 2])
    thread().say({ type: 'text', job: 2, text: 'Hello' })
    thread().finish(2)
    expect(await answers[1]).toEqual([
      { type: 'text', text: 'Hello' },
      { type: 'usage', usage },
      { type: 'finish', reason: 'stop' },
    ])
    expect(thread().jobs).toEqual([1, 2, 3])
    for (const job of [1, 3, 4]) thread().finish(job, 'length')
    expect((await answers[3])!.at(-1)).toEqual({ type: 'finish', reason: 'length' })
  })
  test('more than may wait are told to come back', async () => {
    const answers = Array.from({ length: 4 }, () => ask())
    await settled()
    await expect(ask()).rejects.toMatchObject({ kind: 'rate', retryable: true })
    for (const job of [1, 2, 3, 4]) thread().finish(job)
    await Promise.all(answers)
  })
  test('an abort settles the reader at once; its place is free when the thread says so', async () => {
    const scope = openScope()
    const aborted = expect(ask(scope.signal)).rejects.toMatchObject({ reason: 'barge-in' })
    const other = ask()
    const waiting = ask()
    await settled()
    scope.cancel('barge-in')
    await aborted
    expect(thread().cancelled).toEqual([1])
    expect(thread().jobs).toEqual([1, 2])
    thread().say({ type: 'text', job: 1, text: 'too late' })
    thread().finish(1, 'cancelled')
    expect(thread().jobs).toEqual([1, 2, 3])
    thread().finish(2)
    thread().finish(3)
    await Promise.all([other, waiting])
  })
  test('an answer aborted while it waits is never started', async () => {
    const scope = openScope()
    const running = [ask(), ask()]
    const aborted = expect(ask(scope.signal)).rejects.toMatchObject({ reason: 'superseded' })
    await settled()
    scope.cancel('superseded')
    await aborted
    thread().finish(1)
    thread().finish(2)
    await Promise.all(running)
    expect(thread().jobs).toEqual([1, 2])
    expect(thread().cancelled).toEqual([])
  })
  test('a failed answer is a transient error and frees its place', async () => {
    const failed = expect(ask()).rejects.toMatchObject({
      name: 'ProviderError',
      kind: 'transient',
      stage: 'llm',
    })
    await settled()
    thread().say({ type: 'failed', job: 1, message: 'boom' })
    await failed
  })
})

describe('a thread that dies', () => {
  test('everything that waited fails as transient, and the next thread takes over', async () => {
    const failed = [ask(), ask(), ask()].map((answer) =>
      expect(answer).rejects.toMatchObject({ kind: 'transient' }),
    )
    await settled()
    thread().emit('exit', 1)
    await Promise.all(failed)
    await clock.advance(1_000)
    expect(threads).toHaveLength(2)
    const answer = ask()
    await settled()
    thread().finish(4)
    expect((await answer).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })
  test('closing fails what waits and ends the thread', async () => {
    const failed = expect(ask()).rejects.toMatchObject({ kind: 'transient' })
    await settled()
    await smol.close()
    await failed
    await expect(ask()).rejects.toMatchObject({ kind: 'transient' })
    expect(clock.pendingTimers).toBe(0)
  })
})
