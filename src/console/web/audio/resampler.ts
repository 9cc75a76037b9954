/**
 * A streaming resampler small enough for an audio thread: a polyphase bank of windowed sinc filters, state kept across
 * calls, nothing allocated once warm. Output sample n lies exactly at input time n·from/to.
 */

/** Zero crossings of the sinc on each side; 16 keeps aliases some 70 dB down. */
const CROSSINGS = 16
/** Of the narrower band: leaves the filter room to fall. */
const PASSBAND = 0.94

export class Resampler {
  readonly #up: number
  readonly #down: number
  readonly #taps: number
  readonly #bank: Float32Array
  #work: Float32Array
  #length: number
  /** Where in `#work` the next output's window starts, and which filter it takes. */
  #offset = 0
  #phase = 0

  /** @param fromHz rate of what comes in. @param toHz rate of what goes out; both whole numbers. */
  constructor(fromHz: number, toHz: number) {
    const divisor = gcd(fromHz, toHz)
    this.#up = toHz / divisor
    this.#down = fromHz / divisor
    const band = Math.min(1, toHz / fromHz)
    this.#taps = fromHz === toHz ? 2 : 2 * Math.ceil(CROSSINGS / band)
    this.#bank = fromHz === toHz ? Float32Array.of(1, 0) : sincBank(this.#up, this.#taps, band * PASSBAND)
    // Silence before the first sample, so that the filter's middle stands on it.
    this.#length = this.#taps / 2 - 1
    this.#work = new Float32Array(this.#length + 2048)
  }

  /** Input samples still missing before `outputs` more can be made. */
  needed(outputs: number): number {
    const advance = Math.floor((this.#phase + (outputs - 1) * this.#down) / this.#up)
    return Math.max(0, this.#offset + advance + this.#taps - this.#length)
  }

  /** Takes all of `input`, writes what can be made (at most `output.length`), returns how many it wrote. */
  process(input: Float32Array, output: Float32Array): number {
    this.#append(input)
    let written = 0
    while (written < output.length && this.#offset + this.#taps <= this.#length) {
      let sum = 0
      const row = this.#phase * this.#taps
      for (let k = 0; k < this.#taps; k++) sum += this.#work[this.#offset + k]! * this.#bank[row + k]!
      output[written++] = sum
      this.#phase += this.#down
      this.#offset += Math.floor(this.#phase / this.#up)
      this.#phase %= this.#up
    }
    return written
  }

  #append(input: Float32Array): void {
    if (this.#offset > 0) {
      const drop = Math.min(this.#offset, this.#length)
      this.#work.copyWithin(0, drop, this.#length)
      this.#length -= drop
      this.#offset -= drop
    }
    if (this.#length + input.length > this.#work.length) {
      const grown = new Float32Array(2 * (this.#length + input.length))
      grown.set(this.#work.subarray(0, this.#length))
      this.#work = grown
    }
    this.#work.set(input, this.#length)
    this.#length += input.length
  }
}

function sincBank(phases: number, taps: number, cutoff: number): Float32Array {
  const bank = new Float32Array(phases * taps)
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const x = k - (taps / 2 - 1) - phase / phases
      const window =
        0.42 + 0.5 * Math.cos((2 * Math.PI * x) / taps) + 0.08 * Math.cos((4 * Math.PI * x) / taps)
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x)
      sum += bank[phase * taps + k] = sinc * window
    }
    // Each phase at gain 1, or the phases' differences are heard as a tone.
    for (let k = 0; k < taps; k++) bank[phase * taps + k]! /= sum
  }
  return bank
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
