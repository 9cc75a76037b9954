/** The ear with the real gate and the real model in its worker, on human speech. Tests await events, never time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAudio } from '../../src/audio/convert.ts'
import {
  ALAW_8K,
  type AudioFormat,
  MULAW_8K,
  msToBytes,
  PCM16_16K,
  PCM16_24K,
} from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, settled } from '../../src/clock.ts'
import { Ear, type EarOptions } from '../../src/listen/ear.ts'
import type { EarEvent } from '../../src/listen/events.ts'
import { loadGate } from '../../src/listen/gate.ts'
import { createSileroVad, type SileroVad } from '../../src/provider/local/vad/index.ts'
import { encode, join, noise, pieces, silence } from './sound.ts'
import { FIXTURES, speech } from './speech.ts'

let vad: SileroVad
beforeAll(async () => {
  await Promise.all([loadAudio(), loadGate()])
  vad = await createSileroVad({ clock: realClock, note: () => {} })
})
afterAll(() => vad?.close())

const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 }
/** A word that every ear hears, to know that all before it was judged. */
const SENTINEL_MS = 4000
const sentinel = () => join(silence(SENTINEL_MS), speech('ten-of-clubs'), silence(1500))

/** Everything the ear says of `samples`, frame by frame, as fast as they are taken. */
async function hear(samples: Int16Array, options: Partial<EarOptions> = {}): Promise<EarEvent[]> {
  const format = options.format ?? PCM16_16K
  const scope = openScope()
  const ear = new Ear({
    vad,
    clock: realClock,
    signal: scope.signal,
    detection: DETECTION,
    confirmMs: 200,
    ...options,
    format,
  })
  const bytes = encode(join(samples, sentinel()), format)
  const send = async () => {
    for (const frame of pieces(bytes, msToBytes(format, 20))) {
      ear.write(frame)
      await settled()
    }
  }
  const sent = send()
  const events: EarEvent[] = []
  const soundMs = samples.length / 16
  for await (const event of ear.events) {
    events.push(event)
    if (event.type === 'speechEnded' && event.endMs > soundMs + SENTINEL_MS) break
  }
  await sent
  ear.close()
  scope.release()
  const last = events.findLastIndex((event) => event.type === 'speechStarted')
  return events.slice(0, last)
}

const kinds = (events: readonly EarEvent[]) => events.map((event) => event.type.slice(6))
const room = (samples: Int16Array, peak = 20) => {
  const hiss = noise(samples.length / 16, peak)
  return samples.map((sample, i) => sample + hiss[i]!)
}
const softer = (samples: Int16Array, dB: number) => samples.map((sample) => sample * 10 ** (-dB / 20))

const FORMATS: [string, AudioFormat][] = [
  ['pcm16 16 kHz', PCM16_16K],
  ['pcm16 24 kHz', PCM16_24K],
  ['µ-law', MULAW_8K],
  ['A-law', ALAW_8K],
]

describe.each(FORMATS)('human speech in %s', (_name, format) => {
  test.each(FIXTURES)(
    '$name: no first sound is cut, and the end is where it is',
    async ({ name, onsetMs, voicedEndMs, endMs }) => {
      for (const dB of [0, 24]) {
        const sound = room(join(silence(2000), softer(speech(name), dB), silence(1500)))
        const events = await hear(sound, { format })
        expect(kinds(events)).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
        const [started, , , ended] = events
        if (started?.type !== 'speechStarted' || ended?.type !== 'speechEnded')
          throw new Error('other events')
        expect(started.startMs).toBeLessThanOrEqual(2000 + onsetMs)
        expect(started.startMs).toBeGreaterThan(2000 + onsetMs - 500)
        expect(ended.endMs).toBeGreaterThanOrEqual(2000 + voicedEndMs - 64)
        expect(ended.endMs).toBeLessThanOrEqual(2000 + endMs + 64)
        expect(ended.audioEndMs - ended.endMs).toBeGreaterThanOrEqual(500)
        expect(ended.audioEndMs - ended.endMs).toBeLessThan(500 + 32)
      }
    },
  )
})

describe('pauses', () => {
  const cut = (name: 'ten-of-clubs' | 'seven-of-clubs') => {
    const { onsetMs, endMs } = FIXTURES.find((fixture) => fixture.name === name)!
    return speech(name).slice(onsetMs * 16, endMs * 16)
  }

  test('of 300 ms within a window of 500 keep one turn, paused and resumed', async () => {
    const sound = room(
      join(silence(1500), cut('ten-of-clubs'), silence(300), cut('seven-of-clubs'), silence(1500)),
    )
    const events = await hear(sound)
    expect(kinds(events)).toEqual(['Started', 'Confirmed', 'Paused', 'Resumed', 'Paused', 'Ended'])
  })

  test('of 800 ms make two turns, and the second is whole', async () => {
    const sound = room(
      join(silence(1500), cut('ten-of-clubs'), silence(800), cut('seven-of-clubs'), silence(1500)),
    )
    const events = await hear(sound)
    expect(kinds(events.filter((event) => event.type !== 'speechPaused'))).toEqual([
      'Started',
      'Confirmed',
      'Ended',
      'Started',
      'Confirmed',
      'Ended',
    ])
    const second = events.findLast((event) => event.type === 'speechStarted')
    expect(second?.startMs).toBeLessThanOrEqual(1500 + 795 + 800)
  })
})

describe('what is no speech begins no turn', () => {
  const clicks = () => {
    const samples = silence(10_000)
    for (let at = 3000; at < samples.length; at += 9000) samples.set([20_000, -20_000, 15_000, -9000], at)
    return samples
  }
  const hum = () =>
    Int16Array.from({ length: 160_000 }, (_, i) => 3000 * Math.sin((2 * Math.PI * 50 * i) / 16_000))
  test.each([
    ['silence', () => silence(20_000)],
    ['a quiet room', () => noise(10_000, 30)],
    ['loud white noise', () => noise(10_000, 8000)],
    ['mains hum', hum],
    ['clicks', clicks],
  ])('%s', async (_name, sound) => {
    expect(await hear(sound())).toEqual([])
  })
})

test('the gate changes nothing that is told', async () => {
  const parts = [0, 18, 30].flatMap((dB) =>
    FIXTURES.flatMap(({ name }) => [silence(2500), softer(speech(name), dB)]),
  )
  const sound = room(join(...parts, silence(3000)))
  const [gated, ungated] = [await hear(sound), await hear(sound, { gate: null })]
  expect(kinds(gated)).toEqual(kinds(ungated))
  expect(gated.filter((event) => event.type === 'speechEnded')).toHaveLength(9)
  gated.forEach((event, i) => {
    const other = ungated[i]
    if (event.type === 'speechStarted' && other?.type === 'speechStarted') {
      expect(Math.abs(event.startMs - other.startMs)).toBeLessThanOrEqual(64)
    }
    if (event.type === 'speechEnded' && other?.type === 'speechEnded') {
      expect(Math.abs(event.endMs - other.endMs)).toBeLessThanOrEqual(64)
    }
  })
})
