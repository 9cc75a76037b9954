import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ALAW_8K,
  type AudioFormat,
  bytesToMs,
  MULAW_8K,
  PCM16_16K,
  PCM16_24K,
} from '../../../src/audio/format.ts'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import { createFlite, type Flite } from '../../../src/provider/local/flite/index.ts'
import { spawnWorker } from '../../../src/spawn.ts'
import type { TtsEvent, TtsStream } from '../../../src/stage/tts.ts'

const HERE = new URL('../../../src/provider/local/flite/index.ts', import.meta.url).href
const PCM16_8K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 8_000 }
const forever = () => new AbortController().signal

let flite: Flite
let workers: Worker[]
beforeAll(async () => {
  workers = []
  flite = await createFlite({
    clock: realClock,
    note: () => {},
    threads: 1,
    queueLimit: 8,
    spawn: (workerData) => {
      const worker = spawnWorker(HERE, './worker', { workerData })
      workers.push(worker)
      return worker
    },
  })
})
afterAll(() => flite.close())

interface Opening {
  format?: AudioFormat
  voice?: string
  speed?: number
  signal?: AbortSignal
}
function open({ format = PCM16_16K, voice = 'kal', signal = forever(), speed = 1 }: Opening = {}) {
  return flite.open({ voice, format, speed, signal, clock: realClock })
}

async function collect(stream: TtsStream): Promise<TtsEvent[]> {
  const events: TtsEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

async function spokenMs(text: string, opening: Opening = {}): Promise<number> {
  const stream = await open(opening)
  stream.say({ index: 0, text })
  stream.end()
  const audio = (await collect(stream)).flatMap((e) => (e.type === 'audio' ? [e.audio] : []))
  return bytesToMs(
    opening.format ?? PCM16_16K,
    audio.reduce((sum, a) => sum + a.length, 0),
  )
}

describe('speaking', () => {
  test('sentences in order, each closed by its sentenceDone, in chunks of at most 120 ms', async () => {
    const stream = await open({ voice: 'slt' })
    stream.say({ index: 3, text: 'Hello there.' })
    stream.say({ index: 4, text: '…' })
    stream.say({ index: 7, text: 'How are you?' })
    stream.end()
    const events = await collect(stream)
    const order = events.map((e) => `${e.type} ${e.sentence}`).filter((e, i, all) => e !== all[i - 1])
    expect(order).toEqual(['audio 3', 'sentenceDone 3', 'sentenceDone 4', 'audio 7', 'sentenceDone 7'])
    for (const event of events) {
      if (event.type === 'audio') expect(bytesToMs(PCM16_16K, event.audio.length)).toBeLessThanOrEqual(120)
    }
  })
  test('every format it offers holds the same length of sound', async () => {
    const text = 'One two three four five, six seven eight nine ten.'
    const native = await spokenMs(text)
    expect(native).toBeGreaterThan(1500)
    for (const format of [PCM16_24K, PCM16_8K, MULAW_8K, ALAW_8K]) {
      // The converter still holds its last milliseconds, which are silence.
      expect(Math.abs((await spokenMs(text, { format })) - native)).toBeLessThan(12)
    }
  })
  test('every voice speaks', async () => {
    for (const voice of ['slt', 'rms', 'awb', 'kal', ''])
      expect(await spokenMs('Hello.', { voice })).toBeGreaterThan(300)
  })
  test('speed 2 takes about half as long', async () => {
    const text = 'A fairly long sentence without any pause'
    const ratio = (await spokenMs(text, { speed: 2 })) / (await spokenMs(text))
    expect(ratio).toBeGreaterThan(0.4)
    expect(ratio).toBeLessThan(0.65)
  })
  test('sentences that arrive late are spoken when they come', async () => {
    const stream = await open()
    const events = stream[Symbol.asyncIterator]()
    const pending = events.next()
    stream.say({ index: 0, text: 'Now.' })
    expect(await pending).toMatchObject({ value: { type: 'audio', sentence: 0 } })
    stream.end()
    stream.say({ index: 1, text: 'Too late.' })
    const rest: TtsEvent[] = []
    for (let next = await events.next(); !next.done; next = await events.next()) rest.push(next.value)
    expect(rest.at(-1)).toEqual({ type: 'sentenceDone', sentence: 0 })
  })
  test.each([
    [{ voice: 'alloy' }, 'slt, rms, awb, kal'],
    [{ format: { encoding: 'mulaw', sampleRateHz: 16_000 } as const }, 'mulaw at 16000 Hz'],
    [{ speed: 0 }, 'speed'],
  ])('%j is refused, saying why', async (opening, why) => {
    await expect(open(opening)).rejects.toMatchObject({
      kind: 'bad_request',
      message: expect.stringContaining(why),
    })
  })
})

describe('cancelling and sharing', () => {
  test('an abort settles a pending read with its reason, and what was queued is not spoken', async () => {
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    for (let i = 0; i < 50; i++) stream.say({ index: i, text: 'A sentence that nobody will hear.' })
    const reading = collect(stream)
    scope.cancel('barge-in')
    await expect(reading).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
    // The thread is free at once: the next answer waits for no more than the clause in work.
    expect(await spokenMs('Free.')).toBeGreaterThan(100)
  })
  test('a long answer does not keep a short one waiting', async () => {
    const long = await open()
    for (let i = 0; i < 40; i++) long.say({ index: i, text: `This is sentence number ${i} of a long story.` })
    long.end()
    const finished: string[] = []
    const telling = collect(long).then(() => finished.push('long'))
    await spokenMs('Yes.').then(() => finished.push('short'))
    await telling
    expect(finished).toEqual(['short', 'long'])
  })
  test('synthesis waits for a reader that does not read', async () => {
    const stream = await open()
    for (let i = 0; i < 30; i++) stream.say({ index: i, text: 'One.' })
    stream.end()
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    // Other answers go through meanwhile, and this one is still whole afterwards.
    await spokenMs('Two.')
    const rest: TtsEvent[] = []
    for (let next = await events.next(); !next.done; next = await events.next()) rest.push(next.value)
    expect(rest.filter((e) => e.type === 'sentenceDone')).toHaveLength(30)
  })
  test('more answers at once than the queue holds are told to come back', async () => {
    const all = await Promise.allSettled(Array.from({ length: 12 }, () => spokenMs('Hello.')))
    const refused = all.filter((r) => r.status === 'rejected').map((r) => r.reason)
    expect(refused.length).toBe(12 - 8 - 1)
    expect(refused.every((error) => error.kind === 'rate' && error.retryable)).toBe(true)
  })
})

describe('a thread that dies', () => {
  test('what waited on it fails as transient, and the next answer is spoken by a new thread', async () => {
    const before = workers.length
    const reading = spokenMs('This one is lost in the middle of its work.', { voice: 'slt' })
    const failed = expect(reading).rejects.toMatchObject({
      name: 'ProviderError',
      kind: 'transient',
      stage: 'tts',
    })
    await workers.at(-1)!.terminate()
    await failed
    expect(await spokenMs('Back again.')).toBeGreaterThan(300)
    expect(workers.length).toBe(before + 1)
  })
})
