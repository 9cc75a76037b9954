/** Silero in its real worker thread, on real speech. Everything awaits results; nothing looks at the clock. */
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/clock.ts'
import { VAD_WINDOW_SAMPLES, type VadStream, type VadWindow } from '../../../src/listen/vad.ts'
import { ensureModel } from '../../../src/provider/local/models/index.ts'
import { createSileroVad, type SileroVad } from '../../../src/provider/local/vad/index.ts'
import { spawnWorker } from '../../../src/spawn.ts'
import { joined, noise, silence, speech } from './speech.ts'

const files = await ensureModel('silero-vad-v6').catch((error: Error) => {
  console.log(`skipped: Silero's tests. ${error.message}`)
  return undefined
})

/** Reads until `count` windows came, or the end. */
async function read(stream: VadStream, count: number): Promise<VadWindow[]> {
  const windows: VadWindow[] = []
  while (windows.length < count) {
    const next = await stream[Symbol.asyncIterator]().next()
    if (next.done) break
    windows.push(...next.value)
  }
  return windows
}

const windowsIn = (samples: Int16Array) => Math.floor(samples.length / VAD_WINDOW_SAMPLES)
const open = (vad: SileroVad) => vad.open({ signal: new AbortController().signal })

async function judge(vad: SileroVad, samples: Int16Array): Promise<number[]> {
  const stream = open(vad)
  stream.write(samples)
  const windows = await read(stream, windowsIn(samples))
  stream.close()
  return windows.map((window) => window.probability)
}

/** Within what batching in floating point may change. */
function expectSame(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length)
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!), `window ${i}`).toBeLessThan(0.01)
  })
}

describe.skipIf(!files)('one worker, all sessions', () => {
  const workers: Worker[] = []
  const notes: string[] = []
  let vad: SileroVad

  beforeAll(async () => {
    vad = await createSileroVad({
      clock: realClock,
      note: (message) => void notes.push(message),
      model: files!.files['model']!,
      spawn: (workerData) => {
        const worker = spawnWorker(import.meta.url, './vad-mortal-worker', { workerData })
        workers.push(worker)
        return worker
      },
    })
  })
  afterAll(() => vad.close())

  test('speech is told from silence and from noise', async () => {
    const said = speech('amiable')
    const probabilities = await judge(vad, joined(silence(640), said, silence(960)))
    const [before, after] = [probabilities.slice(0, 20), probabilities.slice(-20)]
    expect(Math.max(...before)).toBeLessThan(0.3)
    expect(Math.max(...after)).toBeLessThan(0.3)
    const spoken = probabilities.filter((p) => p > 0.5).length
    expect(spoken).toBeGreaterThan(70)
    expect(Math.max(...(await judge(vad, noise(2_000, 3_000))))).toBeLessThan(0.5)
  })

  test('every window is answered once, in order, whatever the lengths of the writes', async () => {
    const said = speech('ten-of-clubs')
    const whole = await judge(vad, said)
    const stream = open(vad)
    for (let from = 0, step = 1; from < said.length; from += step, step = (step * 7 + 3) % 641) {
      stream.write(said.subarray(from, from + step))
    }
    const windows = await read(stream, windowsIn(said))
    expect(windows.map((w) => w.endSample)).toEqual(windows.map((_, i) => (i + 1) * VAD_WINDOW_SAMPLES))
    expectSame(
      windows.map((w) => w.probability),
      whole,
    )
    stream.close()
  })

  test('forty sessions at once hear each only themselves', async () => {
    const clips = [speech('ten-of-clubs'), speech('seven-of-clubs'), speech('amiable'), noise(1_500, 2_000)]
    const alone: number[][] = []
    for (const clip of clips) alone.push(await judge(vad, clip))
    const together = await Promise.all(Array.from({ length: 40 }, (_, i) => judge(vad, clips[i % 4]!)))
    together.forEach((probabilities, i) => {
      expectSame(probabilities, alone[i % 4]!)
    })
  })

  test('more sessions than it can follow are heard late by little, each window still answered', async () => {
    const heldBefore = vad.held
    const midWord = speech('amiable').subarray(0, 50 * VAD_WINDOW_SAMPLES)
    const probabilities = await Promise.all(Array.from({ length: 100 }, () => judge(vad, midWord)))
    expect(probabilities.map((one) => one.length)).toEqual(probabilities.map(() => 50))
    expect(Math.min(...probabilities.map((one) => one.at(-1)!))).toBeGreaterThan(0.5)
    expect(vad.held).toBeGreaterThan(heldBefore)
    const alone = vad.held
    await judge(vad, speech('amiable'))
    expect(vad.held).toBe(alone)
  })

  test('restart forgets state and partial window, and counts from the sample it is given', async () => {
    const said = speech('ten-of-clubs')
    const fresh = await judge(vad, said)
    const stream = open(vad)
    stream.write(joined(speech('amiable'), silence(7)))
    stream.restart(1_000_000)
    stream.write(said)
    const before = windowsIn(joined(speech('amiable'), silence(7)))
    const windows = await read(stream, before + fresh.length)
    const after = windows.slice(before)
    expect(after[0]!.endSample).toBe(1_000_000 + VAD_WINDOW_SAMPLES)
    expectSame(
      after.map((w) => w.probability),
      fresh,
    )
    stream.close()
  })

  test('a slot used again begins with fresh state', async () => {
    const quiet = await judge(vad, silence(320))
    await judge(vad, speech('amiable'))
    expectSame(await judge(vad, silence(320)), quiet)
  })

  test('ten minutes sent at once stay bounded: all windows are answered in order, what was not judged is counted', async () => {
    const held = vad.held
    const minute = silence(60_000)
    const stream = open(vad)
    for (let i = 0; i < 10; i++) stream.write(minute)
    const total = windowsIn(minute) * 10
    // Of a reader that comes late, the newest results are kept.
    const windows = await read(stream, 1)
    while (windows.at(-1)!.endSample < total * VAD_WINDOW_SAMPLES) windows.push(...(await read(stream, 1)))
    const ends = windows.map((w) => w.endSample)
    expect(ends).toEqual([...ends].sort((a, b) => a - b))
    expect(new Set(ends).size).toBe(ends.length)
    stream.close()
    expect(vad.held - held).toBeGreaterThan(10_000)
  })

  test('an abort settles a waiting reader with its reason; close ends it', async () => {
    const controller = new AbortController()
    const stream = vad.open({ signal: controller.signal })
    const waiting = stream[Symbol.asyncIterator]().next()
    controller.abort(new Error('hangup'))
    await expect(waiting).rejects.toThrow('hangup')
    stream.write(silence(100))
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('hangup')

    const closing = open(vad)
    const reader = closing[Symbol.asyncIterator]().next()
    closing.close()
    expect((await reader).done).toBe(true)
  })

  test('a worker that dies is replaced, and no session loses a window', async () => {
    const said = speech('amiable')
    const streams = Array.from({ length: 6 }, () => open(vad))
    for (const stream of streams) stream.write(said)
    await read(streams[0]!, 1)
    const dying = workers.at(-1)!
    dying.postMessage('die')
    const counts = await Promise.all(streams.map((stream) => read(stream, windowsIn(said) - 64)))
    for (const windows of counts) expect(windows.at(-1)!.probability).toBeGreaterThan(0.5)
    expect(workers.at(-1)).not.toBe(dying)
    expect(notes.some((note) => note.includes('silero-vad crashed'))).toBe(true)
    for (const stream of streams) stream.close()
    expect((await judge(vad, said)).filter((p) => p > 0.5).length).toBeGreaterThan(70)
  })
})

describe.skipIf(!files)('starting and ending', () => {
  test('close ends the thread and every open stream', async () => {
    let exited = false
    const vad = await createSileroVad({
      clock: realClock,
      note: () => {},
      model: files!.files['model']!,
      spawn: (workerData) => {
        const worker = spawnWorker(import.meta.url, './vad-mortal-worker', { workerData })
        worker.once('exit', () => {
          exited = true
        })
        return worker
      },
    })
    const stream = open(vad)
    const reader = stream[Symbol.asyncIterator]().next()
    await vad.close()
    expect((await reader).done).toBe(true)
    expect(exited).toBe(true)
    await vad.close()
  })

  test('a file that is no model is refused at the start', async () => {
    const model = new URL('../../../fixtures/speech/ten-of-clubs.wav', import.meta.url).pathname
    await expect(createSileroVad({ clock: realClock, note: () => {}, model })).rejects.toThrow()
  })
})
