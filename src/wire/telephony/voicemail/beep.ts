/**
 * The beep of an answering machine: one steady tone of 0.2 to 2.5 s, and then none. Each 20 ms are asked how much of their energy lies
 * at one frequency (Goertzel's filter at every bin from 350 to 2,200 Hz). Speech has harmonics and moves, keys and ringing have
 * two tones: none of them is one tone for so long. Pure.
 */
import { createDecoder } from '../../../audio/convert.ts'
import type { AudioFormat } from '../../../audio/format.ts'

const FRAME_MS = 20
const LOWEST_HZ = 350
const HIGHEST_HZ = 2_200
/** Of a frame's energy, in the best bin and the better one beside it: a tone between two bins still has 0.81 there. */
const PURITY = 0.75
/** Mean square of a full-scale sine is 0.5; below this (-46 dB of it) is the line's noise. */
const LEAST_POWER = 1.25e-5
const LEAST_FRAMES = 10
const MOST_FRAMES = 125
/** A frame of noise within a tone. */
const MISSES = 1

interface Tone {
  readonly bin: number
  /** What glides or is a tune follows a tone. */
  readonly after: 'tone' | 'none'
  frames: number
  misses: number
}

export class BeepDetector {
  readonly #decode: (bytes: Uint8Array) => Int16Array
  readonly #frame: Float64Array
  /** 2 cos w of each bin. */
  readonly #bins: readonly number[]
  #filled = 0
  #tone: Tone | undefined

  constructor(format: AudioFormat) {
    this.#decode = createDecoder(format)
    const samples = Math.round((format.sampleRateHz * FRAME_MS) / 1000)
    this.#frame = new Float64Array(samples)
    const binHz = format.sampleRateHz / samples
    const first = Math.ceil(LOWEST_HZ / binHz)
    const count = Math.floor(HIGHEST_HZ / binHz) - first + 1
    this.#bins = Array.from({ length: count }, (_, i) => 2 * Math.cos((2 * Math.PI * (first + i)) / samples))
  }

  /** `beep`: one has just ended. */
  push(bytes: Uint8Array): 'beep' | 'none' {
    let found: 'beep' | 'none' = 'none'
    for (const sample of this.#decode(bytes)) {
      this.#frame[this.#filled++] = sample / 32_768
      if (this.#filled < this.#frame.length) continue
      this.#filled = 0
      if (this.#judge(this.#toneOf())) found = 'beep'
    }
    return found
  }

  /** Whether a beep has ended with this frame. `bin`: of its tone; -1: it has none. */
  #judge(bin: number): boolean {
    const tone = this.#tone
    if (tone && bin >= 0 && Math.abs(bin - tone.bin) <= 1) {
      tone.frames += 1 + tone.misses
      tone.misses = 0
      return false
    }
    if (tone && tone.misses < MISSES) {
      tone.misses++
      return false
    }
    this.#tone = bin >= 0 ? { bin, after: tone ? 'tone' : 'none', frames: 1, misses: 0 } : undefined
    if (!tone || bin >= 0 || tone.after === 'tone') return false
    return tone.frames >= LEAST_FRAMES && tone.frames <= MOST_FRAMES
  }

  #toneOf(): number {
    let energy = 0
    for (const sample of this.#frame) energy += sample * sample
    if (energy / this.#frame.length < LEAST_POWER) return -1
    const shares = this.#bins.map((twoCos) => this.#powerAt(twoCos) / (energy * this.#frame.length * 0.5))
    let best = 0
    for (let bin = 1; bin < shares.length; bin++) if (shares[bin]! > shares[best]!) best = bin
    const beside = Math.max(shares[best - 1] ?? 0, shares[best + 1] ?? 0)
    return shares[best]! + beside >= PURITY ? best : -1
  }

  #powerAt(twoCos: number): number {
    let one = 0
    let two = 0
    for (const sample of this.#frame) {
      const next = sample + twoCos * one - two
      two = one
      one = next
    }
    return one * one + two * two - twoCos * one * two
  }
}
