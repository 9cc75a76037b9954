/** Test signals in any wire format, and an ear that writes down what it says. */
import { createConverter } from '../../src/audio/convert.ts'
import { type AudioFormat, PCM16_16K } from '../../src/audio/format.ts'
import { settled } from '../../src/clock.ts'
import type { Ear } from '../../src/listen/ear.ts'
import type { EarEvent } from '../../src/listen/events.ts'

const RATE_HZ = 16_000

/** 16 kHz samples: quiet nothing. */
export function silence(ms: number): Int16Array {
  return new Int16Array((ms * RATE_HZ) / 1000)
}

/** 16 kHz samples: a buzz at 120 Hz with the overtones and the 4 Hz swell of a voice, which detectors take for one. */
export function voice(ms: number, peak = 8000): Int16Array {
  const samples = new Int16Array((ms * RATE_HZ) / 1000)
  for (let i = 0; i < samples.length; i++) {
    const t = i / RATE_HZ
    let sum = 0
    for (let k = 1; k <= 25; k++) {
      const hz = 120 * k
      const formants = Math.exp(-(((hz - 600) / 300) ** 2)) + 0.6 * Math.exp(-(((hz - 1700) / 400) ** 2))
      sum += (formants + 0.03) * Math.sin(2 * Math.PI * hz * t)
    }
    samples[i] = Math.max(
      -32_768,
      Math.min(32_767, (sum / 3) * peak * (0.65 + 0.35 * Math.sin(2 * Math.PI * 4 * t))),
    )
  }
  return samples
}

/** 16 kHz samples: white noise from a seed. */
export function noise(ms: number, peak: number, seed = 1): Int16Array {
  let state = seed
  return Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state / 2 ** 31) * peak
  })
}

export function join(...parts: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** 16 kHz samples as the bytes of `format`. */
export function encode(samples: Int16Array, format: AudioFormat): Uint8Array {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const converter = createConverter(PCM16_16K, format)
  const parts = [converter.process(bytes), converter.flush()]
  converter.close()
  return Buffer.concat(parts)
}

export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size))
  return out
}

/** What an ear said so far. */
export function listenTo(ear: Ear): { readonly events: EarEvent[]; readonly ended: Promise<unknown> } {
  const events: EarEvent[] = []
  const read = async () => {
    for await (const event of ear.events) events.push(event)
  }
  return { events, ended: read().catch((error: unknown) => error) }
}

/** Lets slices, inference and readers run until `done`, in memory. */
export async function until(done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns++) {
    if (turns > 20_000) throw new Error('it never came')
    await settled()
  }
}
