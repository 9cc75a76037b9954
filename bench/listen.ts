/**
 * What listening costs the main thread, and what the gate lets by. Run: `npx tsx bench/listen.ts`, a few seconds.
 * The model itself runs in a worker and is not measured here.
 */
import { readFileSync } from 'node:fs'
import { createConverter, loadAudio } from '../src/audio/convert.ts'
import { ALAW_8K, type AudioFormat, MULAW_8K, msToBytes, PCM16_16K, PCM16_24K } from '../src/audio/format.ts'
import { openScope } from '../src/cancel.ts'
import { realClock } from '../src/clock.ts'
import { endpointOptions } from '../src/listen/detection.ts'
import { Ear } from '../src/listen/ear.ts'
import { Endpointer } from '../src/listen/endpoint.ts'
import { type GateEngine, loadGate } from '../src/listen/gate.ts'
import type { Vad } from '../src/listen/vad.ts'

const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 }
const FRAME_MS = 20
const FORMATS: [string, AudioFormat][] = [
  ['µ-law 8 kHz', MULAW_8K],
  ['A-law 8 kHz', ALAW_8K],
  ['pcm16 16 kHz', PCM16_16K],
  ['pcm16 24 kHz', PCM16_24K],
  ['pcm16 48 kHz', { encoding: 'pcm16', sampleRateHz: 48_000 }],
]

/** Answers at once with what it is told, so that an ear never waits. */
function told(probability: number): Vad {
  return {
    open: () => {
      let end = 0
      let judged = 0
      let wake = () => {}
      return {
        write: (samples) => {
          end += samples.length
          wake()
        },
        restart: (sample) => {
          end = sample
          judged = sample
        },
        close: () => {},
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            while (end - judged < 512) await new Promise<void>((resolve) => (wake = resolve))
            const windows = []
            for (; end - judged >= 512; ) windows.push({ endSample: (judged += 512), probability })
            return { value: windows, done: false }
          },
        }),
      }
    },
  }
}

function recording(name: string): Int16Array {
  const wav = readFileSync(new URL(`../fixtures/speech/${name}.wav`, import.meta.url))
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length))
}

/** Quiet noise, 16 kHz. */
function room(ms: number, peak: number): Int16Array {
  let state = 7
  return Int16Array.from({ length: ms * 16 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state / 2 ** 31) * peak
  })
}

function framesOf(samples: Int16Array, format: AudioFormat): Uint8Array[] {
  const converter = createConverter(PCM16_16K, format)
  const bytes = converter.process(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
  converter.close()
  const size = msToBytes(format, FRAME_MS)
  const frames = []
  for (let at = 0; at + size <= bytes.length; at += size) frames.push(bytes.slice(at, at + size))
  return frames
}

function ear(vad: Vad, format: AudioFormat, gate: GateEngine | null): Ear {
  return new Ear({
    vad,
    format,
    gate,
    clock: realClock,
    signal: openScope().signal,
    detection: DETECTION,
    confirmMs: 200,
  })
}

/** Microseconds of one 20 ms frame, events and all: the best of five runs, since the machine is shared. */
async function costUs(
  frames: readonly Uint8Array[],
  gate: 'open' | 'closed',
  start: () => Ear,
): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5; run++) {
    const one = start()
    const drained = (async () => {
      for await (const _ of one.events);
    })()
    let busyMs = 0
    let measured = 0
    // A second at a time, so that the ear never waits for the model; the first four settle the gate.
    for (let second = 0; second < 24; second++) {
      const from = (second * 50) % (frames.length - 50)
      const begin = performance.now()
      for (let i = from; i < from + 50; i++) one.write(frames[i]!)
      await new Promise((resolve) => setImmediate(resolve))
      if (second < 4) continue
      busyMs += performance.now() - begin
      measured += 50
      if (one.listening !== (gate === 'open')) throw new Error(`the gate is not ${gate}`)
    }
    one.close()
    await drained
    best = Math.min(best, (busyMs * 1000) / measured)
  }
  return best
}

function endpointerUs(): number {
  const endpointer = new Endpointer(endpointOptions(DETECTION, 200))
  const start = performance.now()
  const windows = 200_000
  for (let i = 0; i < windows; i++) {
    const startMs = i * 32
    const probability = i % 100 < 60 ? 0.9 : 0.02
    endpointer.push({ startMs, endMs: startMs + 32, probability, startAt: startMs, at: startMs })
  }
  return ((performance.now() - start) * 1000) / windows
}

/** How long after the first sound the gate opens, and whether the replay (400 ms) covers it. */
function onsets(gates: GateEngine, format: AudioFormat): string {
  const lags: number[] = []
  const recordings: [string, number][] = [
    ['ten-of-clubs', 175],
    ['seven-of-clubs', 100],
    ['amiable', 240],
  ]
  for (const [name, onsetMs] of recordings) {
    for (const dB of [0, 12, 24, 36]) {
      const clip = recording(name).map((sample) => sample * 10 ** (-dB / 20))
      const sound = new Int16Array(3000 * 16 + clip.length)
      sound.set(room(3000 + clip.length / 16, 15).subarray(0, sound.length))
      clip.forEach((sample, i) => {
        sound[3000 * 16 + i]! += sample
      })
      const gate = gates.open(format.sampleRateHz)
      const pcm: AudioFormat = { encoding: 'pcm16', sampleRateHz: format.sampleRateHz }
      const frames = framesOf(sound, pcm)
      const opened = frames.findIndex((frame, i) => {
        const speech = gate.hears(new Int16Array(frame.buffer, 0, frame.length / 2))
        return speech && (i + 1) * FRAME_MS > 3000
      })
      gate.close()
      lags.push(opened < 0 ? Number.POSITIVE_INFINITY : (opened + 1) * FRAME_MS - 3000 - onsetMs)
    }
  }
  return `${Math.min(...lags).toFixed(0)} … ${Math.max(...lags).toFixed(0)} ms`
}

await loadAudio()
const gates = await loadGate()
const quiet = room(20_000, 12)
const loud = recording('amiable')

console.log('Main-thread cost of a 20 ms frame, microseconds (the model runs elsewhere)\n')
console.log(
  'format          detection off   gate closed   gate open   no gate   open after the first sound by',
)
for (const [name, format] of FORMATS) {
  const silent = framesOf(quiet, format)
  const noisy = framesOf(loud, format)
  const off = await costUs(silent, 'closed', () => {
    const one = ear(told(0), format, gates)
    one.configure({ detection: null })
    return one
  })
  const closed = await costUs(silent, 'closed', () => ear(told(0), format, gates))
  const open = await costUs(noisy, 'open', () => ear(told(0.9), format, gates))
  const ungated = await costUs(noisy, 'open', () => ear(told(0.9), format, null))
  const cells = [off, closed, open, ungated].map((us) => us.toFixed(2))
  console.log(
    `${name.padEnd(14)}  ${cells[0]!.padStart(13)}   ${cells[1]!.padStart(11)}   ${cells[2]!.padStart(9)}   ${cells[3]!.padStart(7)}   ${onsets(gates, format)}`,
  )
}
endpointerUs()
console.log(`\nendpointing, a 32 ms window: ${endpointerUs().toFixed(2)} µs`)

const frames = framesOf(quiet, MULAW_8K)
globalThis.gc?.()
const before = process.memoryUsage()
const ears = Array.from({ length: 500 }, () => ear(told(0), MULAW_8K, gates))
for (const one of ears) for (const frame of frames.slice(0, 100)) one.write(frame)
globalThis.gc?.()
const after = process.memoryUsage()
const grownKb = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 500 / 1024
console.log(`memory of a listening session, µ-law, gate closed: ${grownKb.toFixed(1)} kB`)
for (const one of ears) one.close()
