/**
 * One format into another, as a stream of byte chunks of any length:
 *
 *     bytes ─► whole samples (an odd byte waits) ─► decode ─► resample ─► encode ─► bytes
 *
 * Steps that change nothing are left out; equal formats pass the very array through.
 */
import { type AudioFormat, bytesPerSample, msToBytes, sameFormat } from './format.ts'
import { G711_DECODE, G711_ENCODE, G711_SILENCE } from './g711.ts'
import { BLOCK_SAMPLES, loadResampler, Resampler } from './resample.ts'

export interface Converter {
  /** Whole samples in `to`. May be `bytes` itself when nothing changes; never a view of reused memory. */
  process(bytes: Uint8Array): Uint8Array
  /** What the filter still holds. The converter may then begin another sound. */
  flush(): Uint8Array
  /** Frees memory outside the JavaScript heap. Idempotent; nothing may be processed after it. */
  close(): void
}

/** Loads what conversion needs, once for the process; await it before the first `createConverter`. */
export function loadAudio(): Promise<void> {
  return loadResampler()
}

/** Throws a RangeError for a sample rate outside 4–192 kHz. */
export function createConverter(from: AudioFormat, to: AudioFormat): Converter {
  if (sameFormat(from, to)) return recodingConverter(from, (samples) => samples)
  if (from.sampleRateHz === to.sampleRateHz) return recodingConverter(from, recoder(from, to))
  return new ResamplingConverter(from, to)
}

/** Samples of a chunked stream; a byte that is half a sample waits for the other half. */
export function createDecoder(format: AudioFormat): (bytes: Uint8Array) => Int16Array {
  const whole = new WholeSamples(format)
  return (bytes) => decode(format, whole.take(bytes))
}

/** `ms` of digital silence, whole samples. */
export function silence(format: AudioFormat, ms: number): Uint8Array {
  return new Uint8Array(msToBytes(format, ms)).fill(silenceByte(format))
}

/** The byte that silence is made of: 0xFF in µ-law, 0xD5 in A-law, 0 in PCM. */
export function silenceByte(format: AudioFormat): number {
  return format.encoding === 'pcm16' ? 0 : G711_SILENCE[format.encoding]
}

const NOTHING = new Uint8Array(0)

/** Cuts a byte stream at sample edges. */
class WholeSamples {
  readonly #width: number
  #odd: number | undefined

  constructor(format: AudioFormat) {
    this.#width = bytesPerSample(format)
  }

  take(bytes: Uint8Array): Uint8Array {
    if (this.#width === 1 || (this.#odd === undefined && bytes.length % 2 === 0)) return bytes
    const joined = new Uint8Array(bytes.length + (this.#odd === undefined ? 0 : 1))
    if (this.#odd !== undefined) joined[0] = this.#odd
    joined.set(bytes, joined.length - bytes.length)
    this.#odd = joined.length % 2 === 0 ? undefined : joined[joined.length - 1]
    return this.#odd === undefined ? joined : joined.subarray(0, joined.length - 1)
  }

  /** Half a sample at the end of a sound is noise, and would put the next sound out of step. */
  reset(): void {
    this.#odd = undefined
  }
}

function recodingConverter(from: AudioFormat, recode: (samples: Uint8Array) => Uint8Array): Converter {
  const whole = new WholeSamples(from)
  return {
    process: (bytes) => recode(whole.take(bytes)),
    flush() {
      whole.reset()
      return NOTHING
    },
    close() {},
  }
}

function decode(format: AudioFormat, bytes: Uint8Array): Int16Array {
  if (format.encoding === 'pcm16') {
    const samples = new Int16Array(bytes.length / 2)
    for (let i = 0; i < samples.length; i++) samples[i] = bytes[2 * i]! | (bytes[2 * i + 1]! << 8)
    return samples
  }
  const table = G711_DECODE[format.encoding]
  const samples = new Int16Array(bytes.length)
  for (let i = 0; i < samples.length; i++) samples[i] = table[bytes[i]!]!
  return samples
}

function recoder(from: AudioFormat, to: AudioFormat): (bytes: Uint8Array) => Uint8Array {
  if (to.encoding === 'pcm16') {
    const table = from.encoding === 'pcm16' ? undefined : G711_DECODE[from.encoding]
    return (bytes) => {
      const out = new Uint8Array(bytes.length * 2)
      for (let i = 0; i < bytes.length; i++) {
        const sample = table![bytes[i]!]!
        out[2 * i] = sample
        out[2 * i + 1] = sample >> 8
      }
      return out
    }
  }
  const encode = G711_ENCODE[to.encoding]
  if (from.encoding === 'pcm16') {
    return (bytes) => {
      const out = new Uint8Array(bytes.length / 2)
      for (let i = 0; i < out.length; i++) out[i] = encode[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!
      return out
    }
  }
  const table = G711_DECODE[from.encoding].map((sample) => encode[sample & 0xffff]!)
  return (bytes) => {
    const out = new Uint8Array(bytes.length)
    for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i]!]!
    return out
  }
}

/** Decodes straight into the resampler's memory and encodes straight out of it: one allocation a chunk. */
class ResamplingConverter implements Converter {
  readonly #from: AudioFormat
  readonly #to: AudioFormat
  readonly #whole: WholeSamples
  readonly #resampler: Resampler
  #out: Uint8Array = NOTHING
  #filled = 0
  readonly #take = (made: number) => this.#encode(made)

  constructor(from: AudioFormat, to: AudioFormat) {
    this.#from = from
    this.#to = to
    this.#whole = new WholeSamples(from)
    this.#resampler = new Resampler(from.sampleRateHz, to.sampleRateHz)
  }

  process(bytes: Uint8Array): Uint8Array {
    const input = this.#whole.take(bytes)
    const width = bytesPerSample(this.#from)
    const samples = input.length / width
    this.#begin(Math.ceil((samples * this.#to.sampleRateHz) / this.#from.sampleRateHz) + 1)
    for (let at = 0; at < samples; at += BLOCK_SAMPLES) {
      const count = Math.min(BLOCK_SAMPLES, samples - at)
      this.#decode(input, at, count)
      this.#resampler.run(count, this.#take)
    }
    return this.#finish()
  }

  flush(): Uint8Array {
    this.#whole.reset()
    this.#begin(256)
    this.#resampler.flush(this.#take)
    return this.#finish()
  }

  close(): void {
    this.#resampler.close()
  }

  #begin(samples: number): void {
    this.#out = new Uint8Array(samples * bytesPerSample(this.#to))
    this.#filled = 0
  }

  #finish(): Uint8Array {
    const out = this.#out.subarray(0, this.#filled)
    this.#out = NOTHING
    return out
  }

  #decode(input: Uint8Array, at: number, count: number): void {
    const pointer = this.#resampler.inputPointer
    if (this.#from.encoding === 'pcm16') {
      // WASM memory is little-endian, as the wire is.
      this.#resampler.heap.set(input.subarray(at * 2, (at + count) * 2), pointer)
      return
    }
    const table = G711_DECODE[this.#from.encoding]
    const heap = this.#resampler.heap16
    for (let i = 0; i < count; i++) heap[(pointer >> 1) + i] = table[input[at + i]!]!
  }

  #encode(made: number): void {
    const width = bytesPerSample(this.#to)
    const needed = this.#filled + made * width
    if (needed > this.#out.length) {
      const larger = new Uint8Array(needed)
      larger.set(this.#out.subarray(0, this.#filled))
      this.#out = larger
    }
    const pointer = this.#resampler.outputPointer
    if (this.#to.encoding === 'pcm16') {
      this.#out.set(this.#resampler.heap.subarray(pointer, pointer + made * 2), this.#filled)
    } else {
      const table = G711_ENCODE[this.#to.encoding]
      const heap = this.#resampler.heap16
      for (let i = 0; i < made; i++) this.#out[this.#filled + i] = table[heap[(pointer >> 1) + i]! & 0xffff]!
    }
    this.#filled = needed
  }
}
