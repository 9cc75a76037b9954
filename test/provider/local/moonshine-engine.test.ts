/** Who uses the recogniser next, and what a crash does. In memory: the worker is a stand-in, time is virtual. */
import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { beforeEach, expect, test } from 'vitest'
import { PCM16_16K, PCM16_24K } from '../../../src/audio/format.ts'
import { settled, VirtualClock } from '../../../src/clock.ts'
import { createMoonshine, type Moonshine } from '../../../src/provider/local/moonshine/index.ts'
import type {
  FromWorker,
  MoonshineWorkerData,
  ToWorker,
} from '../../../src/provider/local/moonshine/protocol.ts'
import type { SttEvent, SttStream } from '../../../src/stage/stt.ts'
import { bytesOf, joined, silence, speech } from './speech.ts'

/** Stands where a thread would: takes jobs, answers when told. */
class StandIn extends EventEmitter {
  readonly jobs: Extract<ToWorker, { type: 'recognise' }>[] = []
  busy = false
  #ended = false

  constructor(readonly data: MoonshineWorkerData) {
    super()
    setImmediate(() => this.emit('message', { type: 'ready' }))
  }

  postMessage(message: ToWorker): void {
    if (message.type === 'recognise') {
      expect(this.busy).toBe(false)
      this.busy = true
      this.jobs.push(message)
    } else setImmediate(() => this.exit(0))
  }

  get running() {
    return this.jobs.at(-1)
  }

  get told(): number {
    return Atomics.load(new Int32Array(this.data.cancelled), 0)
  }

  say(text: string): void {
    this.#answer({ type: 'text', id: this.running!.id, text, confidence: 0.9 })
  }

  giveUp(): void {
    this.#answer({ type: 'given-up', id: this.running!.id })
  }

  fail(message: string): void {
    this.#answer({ type: 'failed', id: this.running!.id, message })
  }

  crash(): void {
    this.emit('error', new Error('out of memory'))
    this.exit(1)
  }

  exit(code: number): void {
    if (this.#ended) return
    this.#ended = true
    this.emit('exit', code)
  }

  unref(): void {}

  #answer(answer: FromWorker): void {
    expect(this.busy).toBe(true)
    this.busy = false
    this.emit('message', answer)
  }
}

let clock: VirtualClock
let workers: StandIn[]
let notes: string[]
let stt: Moonshine

beforeEach(async () => {
  clock = new VirtualClock()
  workers = []
  notes = []
  stt = await createMoonshine(
    { clock, note: (message) => void notes.push(message) },
    {
      model: 'tiny',
      files: { encoder: 'encoder.onnx', decoder: 'decoder.onnx' },
      spawn: (data) => {
        const worker = new StandIn(data)
        workers.push(worker)
        return worker as unknown as Worker
      },
    },
  )
})

const worker = () => workers.at(-1)!

async function caller(): Promise<{
  stream: SttStream
  events: SttEvent[]
  error: () => unknown
  end(): void
}> {
  const controller = new AbortController()
  const stream = await stt.open({ format: PCM16_16K, signal: controller.signal, clock })
  const events: SttEvent[] = []
  let error: unknown
  const read = async () => {
    for await (const event of stream) events.push(event)
  }
  read().catch((reason) => {
    error = reason
  })
  return { stream, events, error: () => error, end: () => controller.abort(new Error('hangup')) }
}

/** With the silence after it, so that any recognition of it is whole. */
const words = bytesOf(joined(speech('ten-of-clubs'), silence(200)))

test('a caller who asks for an answer goes before those who only speak', async () => {
  const [talker, asker, other] = [await caller(), await caller(), await caller()]
  talker.stream.write(words)
  expect(worker().jobs).toHaveLength(1)
  other.stream.write(words)
  asker.stream.write(words)
  asker.stream.finalize()
  // The talker's partial makes way.
  expect(worker().told).toBe(worker().running!.id)
  worker().giveUp()
  worker().say('ten of clubs')
  await settled()
  expect(asker.events).toEqual([{ type: 'final', text: 'ten of clubs', language: 'en', confidence: 0.9 }])
  expect(worker().jobs).toHaveLength(3)
})

test('those who wait for answers are served in turn, however much one of them has', async () => {
  const [greedy, modest] = [await caller(), await caller()]
  greedy.stream.write(bytesOf(joined(...Array.from({ length: 40 }, () => speech('ten-of-clubs')))))
  greedy.stream.finalize()
  modest.stream.write(words)
  modest.stream.finalize()
  worker().say('a')
  worker().say('b')
  await settled()
  expect(modest.events).toHaveLength(1)
  expect(greedy.events).toHaveLength(0)
})

test('the final after a preview and silence comes at once', async () => {
  const { stream, events } = await caller()
  stream.write(bytesOf(joined(speech('ten-of-clubs'), silence(120))))
  worker().giveUp()
  stream.preview()
  worker().say('Ten of clubs.')
  for (let i = 0; i < 15; i++) stream.write(bytesOf(silence(20)))
  stream.finalize()
  await settled()
  expect(events.map((event) => event.type)).toEqual(['partial', 'final'])
  expect(events[0]).toMatchObject({ complete: true, text: 'Ten of clubs.', stable: 'Ten of clubs.' })
  expect(worker().jobs).toHaveLength(2)
})

test('every finalize gets one final, in order, the empty ones too', async () => {
  const { stream, events } = await caller()
  stream.write(words)
  stream.finalize()
  stream.finalize()
  stream.write(bytesOf(speech('seven-of-clubs')))
  stream.finalize()
  stream.write(bytesOf(silence(700)))
  stream.finalize()
  worker().say('one')
  worker().say('two')
  await settled()
  expect(events.map((event) => event.type === 'final' && event.text)).toEqual(['one', '', 'two', ''])
})

test('what was discarded is not recognised, and what ran for it is given up', async () => {
  const { stream, events } = await caller()
  stream.write(words)
  const first = worker().running!.id
  stream.discard()
  expect(worker().told).toBe(first)
  worker().say('too late')
  stream.write(bytesOf(speech('seven-of-clubs')))
  stream.finalize()
  worker().say('seven')
  await settled()
  expect(events).toMatchObject([{ type: 'final', text: 'seven' }])
})

test('a stream that closes or hangs up leaves the queue; the others go on', async () => {
  const [leaving, aborting, staying] = [await caller(), await caller(), await caller()]
  staying.stream.write(words)
  leaving.stream.write(words)
  aborting.stream.write(words)
  leaving.stream.finalize()
  aborting.stream.finalize()
  await leaving.stream.close()
  aborting.end()
  worker().giveUp()
  await settled()
  expect(worker().jobs).toHaveLength(1)
  expect(leaving.error()).toBeUndefined()
  expect(aborting.error()).toMatchObject({ message: 'hangup' })
  staying.stream.finalize()
  worker().say('still here')
  await settled()
  expect(staying.events.at(-1)).toMatchObject({ type: 'final', text: 'still here' })
})

test('a crash fails those who wait for an answer, once; who only speaks does not notice', async () => {
  const [waiting, running, speaking] = [await caller(), await caller(), await caller()]
  running.stream.write(words)
  running.stream.finalize()
  worker().giveUp()
  waiting.stream.write(words)
  waiting.stream.finalize()
  speaking.stream.write(words)
  worker().crash()
  await settled()
  for (const stream of [waiting, running]) {
    expect(stream.error()).toMatchObject({ name: 'ProviderError', kind: 'transient', stage: 'stt' })
    expect(stream.events).toEqual([])
  }
  expect(notes).toEqual(['moonshine-tiny crashed and is started again'])
  await clock.advance(0)
  await settled()
  expect(workers).toHaveLength(2)
  expect(worker().jobs).toHaveLength(1)
  speaking.stream.finalize()
  worker().say('as if nothing happened')
  await settled()
  expect(speaking.error()).toBeUndefined()
  expect(speaking.events.at(-1)).toMatchObject({ type: 'final', text: 'as if nothing happened' })
})

test('a worker that crashes again and again is started with growing pauses', async () => {
  const starts: number[] = []
  for (let i = 0; i < 4; i++) {
    worker().crash()
    const before = clock.now()
    while (workers.length < i + 2) await clock.advance(50)
    starts.push(clock.now() - before)
    await settled()
  }
  expect(starts).toEqual([50, 200, 400, 800])
})

test('audio that the model refuses breaks its own stream only', async () => {
  const [odd, fine] = [await caller(), await caller()]
  odd.stream.write(words)
  odd.stream.finalize()
  fine.stream.write(words)
  fine.stream.finalize()
  worker().fail('invalid shape')
  worker().say('fine')
  await settled()
  expect(odd.error()).toMatchObject({ kind: 'transient' })
  expect(fine.error()).toBeUndefined()
  expect(fine.events).toMatchObject([{ type: 'final', text: 'fine' }])
})

test('more than ten minutes unheard is refused, as a rate', async () => {
  const { stream, error } = await caller()
  const minute = bytesOf(new Int16Array(60 * 16_000).fill(500))
  for (let i = 0; i < 10; i++) stream.write(minute)
  await settled()
  expect(error()).toBeUndefined()
  for (let i = 0; i < 2; i++) stream.write(minute)
  await settled()
  expect(error()).toMatchObject({ kind: 'rate' })
})

test('a reader who never reads gets the finals first, and loses partials', async () => {
  const controller = new AbortController()
  const stream = await stt.open({ format: PCM16_16K, signal: controller.signal, clock })
  for (let i = 0; i < 100; i++) {
    stream.write(words)
    while (worker().busy) worker().say(`partial ${i}`)
  }
  stream.finalize()
  while (worker().busy) worker().say('final')
  const events: SttEvent[] = []
  for await (const event of stream) {
    events.push(event)
    if (event.type === 'final') break
  }
  expect(events.length).toBeLessThanOrEqual(33)
})

test('odd offsets in a shared buffer are heard like any other', async () => {
  const { stream } = await caller()
  const shifted = new Uint8Array(words.length + 1)
  shifted.set(words, 1)
  stream.write(shifted.subarray(1))
  const heard = new Int16Array(worker().data.audio, 0, words.length / 2)
  expect(Buffer.from(heard.slice().buffer).equals(Buffer.from(words))).toBe(true)
})

test('another format, another language and an aborted signal are refused', async () => {
  const signal = new AbortController().signal
  await expect(stt.open({ format: PCM16_24K, signal, clock })).rejects.toMatchObject({ kind: 'bad_request' })
  await expect(stt.open({ format: PCM16_16K, language: 'de', signal, clock })).rejects.toMatchObject({
    kind: 'bad_request',
  })
  await expect(stt.open({ format: PCM16_16K, language: 'en-GB', signal, clock })).resolves.toBeDefined()
  await expect(
    stt.open({ format: PCM16_16K, signal: AbortSignal.abort(new Error('gone')), clock }),
  ).rejects.toThrow('gone')
})

test('close ends streams and thread and leaves no timer', async () => {
  const { stream, error } = await caller()
  stream.write(words)
  await stt.close()
  await settled()
  expect(error()).toBeUndefined()
  expect(await stream[Symbol.asyncIterator]().next()).toEqual({ value: undefined, done: true })
  expect(clock.pendingTimers).toBe(0)
  await stt.close()
})
