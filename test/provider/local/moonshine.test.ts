/** Moonshine in its real worker, on real speech: what it hears, not how fast. */
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PCM16_16K } from '../../../src/audio/format.ts'
import { realClock } from '../../../src/clock.ts'
import { ensureModel } from '../../../src/provider/local/models/index.ts'
import { createMoonshine, type Moonshine } from '../../../src/provider/local/moonshine/index.ts'
import { spawnWorker } from '../../../src/spawn.ts'
import type { SttEvent, SttStream } from '../../../src/stage/stt.ts'
import { bytesOf, joined, noise, silence, speech, WORDS, wordErrorRate } from './speech.ts'

type Final = Extract<SttEvent, { type: 'final' }>

function open(stt: Moonshine): Promise<SttStream> {
  return stt.open({ format: PCM16_16K, signal: new AbortController().signal, clock: realClock })
}

async function nextFinal(stream: SttStream): Promise<Final> {
  for (;;) {
    const next = await stream[Symbol.asyncIterator]().next()
    if (next.done) throw new Error('the stream ended')
    if (next.value.type === 'final') return next.value
  }
}

async function hear(stream: SttStream, samples: Int16Array): Promise<string> {
  stream.write(bytesOf(samples))
  stream.finalize()
  return (await nextFinal(stream)).text
}

for (const model of ['tiny', 'base'] as const) {
  const files = await ensureModel(`moonshine-${model}`).catch((error: Error) => {
    console.log(`skipped: Moonshine ${model}'s tests. ${error.message}`)
    return undefined
  })

  describe.skipIf(!files)(`moonshine-${model}`, () => {
    const workers: Worker[] = []
    let stt: Moonshine

    beforeAll(async () => {
      stt = await createMoonshine(
        { clock: realClock, note: () => {} },
        {
          model,
          spawn: (workerData) => {
            const worker = spawnWorker(import.meta.url, './moonshine-mortal-worker', { workerData })
            workers.push(worker)
            return worker
          },
        },
      )
    })
    afterAll(() => stt.close())

    test('hears three people with at most one word in seven wrong', async () => {
      const stream = await open(stt)
      const said: string[] = []
      const heard: string[] = []
      for (const name of ['ten-of-clubs', 'seven-of-clubs', 'amiable'] as const) {
        said.push(WORDS[name])
        heard.push(await hear(stream, joined(silence(200), speech(name), silence(300))))
      }
      expect(wordErrorRate(said.join(' '), heard.join(' '))).toBeLessThan(1 / 7)
      await stream.close()
    })

    test('silence and noise are an empty final', async () => {
      const stream = await open(stt)
      expect(await hear(stream, silence(1_500))).toBe('')
      expect(await hear(stream, noise(1_500, 3_000))).toBe('')
      expect(await hear(stream, new Int16Array(0))).toBe('')
      await stream.close()
    })

    test('a worker that dies fails who waits, and the next caller is heard', async () => {
      const [unlucky, next] = [await open(stt), await open(stt)]
      const before = workers.length
      workers.at(-1)!.postMessage('die')
      unlucky.write(bytesOf(speech('amiable')))
      unlucky.finalize()
      await expect(nextFinal(unlucky)).rejects.toMatchObject({ name: 'ProviderError', kind: 'transient' })
      expect(await hear(next, speech('ten-of-clubs'))).toMatch(/ten of cl/i)
      expect(workers.length).toBe(before + 1)
      await next.close()
    })
  })
}

const tiny = await ensureModel('moonshine-tiny').catch(() => undefined)

describe.skipIf(!tiny)('one recogniser, many callers', () => {
  let stt: Moonshine
  beforeAll(async () => {
    stt = await createMoonshine({ clock: realClock, note: () => {} }, { model: 'tiny' })
  })
  afterAll(() => stt.close())

  test('a caller sees words come, sees which will stay, and the final costs nothing after the preview', async () => {
    const stream = await open(stt)
    const reader = stream[Symbol.asyncIterator]()
    const said = speech('amiable')
    const partials: Extract<SttEvent, { type: 'partial' }>[] = []
    const read = async () => {
      const next = await reader.next()
      if (next.done || next.value.type !== 'partial') throw new Error('no partial')
      partials.push(next.value)
      return next.value
    }
    // A second, then half a second at a time: each is answered before the next is written.
    for (let from = 0; from < 2.5 * 16_000; from += 8_000) {
      stream.write(bytesOf(said.slice(from, from + 8_000)))
      if (from >= 8_000) await read()
    }
    stream.write(bytesOf(joined(said.slice(2.5 * 16_000), silence(150))))
    stream.preview()
    while (!(await read()).complete);
    stream.write(bytesOf(silence(350)))
    stream.finalize()
    const final = await nextFinal(stream)
    expect(partials.some((partial) => !partial.complete && partial.stable !== '')).toBe(true)
    for (const { text, stable } of partials) expect(text.startsWith(stable)).toBe(true)
    expect(final.text).toBe(partials.at(-1)!.text)
    expect(wordErrorRate(WORDS.amiable, final.text)).toBeLessThan(0.3)
    expect(final.confidence).toBeGreaterThan(0.5)
    await stream.close()
  })

  test('half a minute of speech loses no words at the cuts', async () => {
    const stream = await open(stt)
    const times = 9
    const text = await hear(
      stream,
      joined(...Array.from({ length: times }, () => joined(speech('amiable'), silence(200)))),
    )
    const said = Array.from({ length: times }, () => WORDS.amiable).join(' ')
    expect(wordErrorRate(said, text)).toBeLessThan(0.1)
    await stream.close()
  })

  test('twelve callers at once each get their own words', async () => {
    const names = ['ten-of-clubs', 'seven-of-clubs', 'amiable'] as const
    const heard = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const stream = await open(stt)
        const text = await hear(stream, speech(names[i % 3]!))
        await stream.close()
        return text
      }),
    )
    heard.forEach((text, i) => {
      expect(wordErrorRate(WORDS[names[i % 3]!], text)).toBeLessThan(0.4)
    })
  })
})
