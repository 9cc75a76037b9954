/**
 * The samples of a WAV that arrives in pieces, and of sound without any header: what begins with `RIFF` is a WAV, all
 * else is taken for samples. Servers that stream write a length of nought, or the longest there is, for one they do
 * not know; then all that follows is sound.
 */
import type { AudioFormat } from './format.ts'
import { WavError } from './wav.ts'

const PCM = 1
const EXTENSIBLE = 0xfffe
/** From here on a length means "unknown". */
const ENDLESS = 0x7fff_0000
/** Chunks that stand behind the samples in files. */
const BEHIND = /^(LIST|ID3 |id3 |cue |fact|bext|PEAK|smpl|JUNK)$/
/** Before the samples: far more than any header has. */
const HEADER_BYTES = 65_536
const RIFF = 12
const CHUNK = 8

type State =
  /** Nothing is decided: perhaps a WAV, perhaps samples. */
  | { readonly at: 'start' }
  | { readonly at: 'header' }
  /** `left`: bytes of samples that its length still promises. */
  | { readonly at: 'samples'; left: number }
  | { readonly at: 'skipping'; left: number }

export class WavStream {
  readonly #format: AudioFormat
  #state: State = { at: 'start' }
  #held: Buffer = Buffer.alloc(0)
  #headerBytes = 0
  #wav = false

  /** `format`: the only one that is let through; 16-bit PCM, mono. */
  constructor(format: AudioFormat) {
    this.#format = format
  }

  /** Bytes of samples. Throws `WavError` when a header names another format, or is none. */
  push(bytes: Uint8Array): Uint8Array {
    this.#held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes])
    const samples: Uint8Array[] = []
    while (this.#held.length > 0 && this.#step(samples)) {}
    return samples.length === 1 ? samples[0]! : Buffer.concat(samples)
  }

  /** The rest. Throws `WavError` when a header promised more than came. */
  end(): Uint8Array {
    const state = this.#state
    if (state.at === 'samples' && state.left > 0 && state.left !== Number.POSITIVE_INFINITY) {
      throw new WavError('the WAV is shorter than its header says')
    }
    const rest = this.#held
    this.#held = Buffer.alloc(0)
    return state.at === 'start' ? rest : Buffer.alloc(0)
  }

  /** False when more bytes are needed. */
  #step(samples: Uint8Array[]): boolean {
    const state = this.#state
    switch (state.at) {
      case 'start':
        if (this.#wav && this.#held.length < 4) return false
        if (this.#wav && BEHIND.test(this.#tag(0))) return this.#begin('header', 0)
        if (this.#held.length < RIFF) return !'RIFF'.startsWith(this.#tag(0)) && this.#begin('samples')
        return this.#begin(this.#tag(0) === 'RIFF' && this.#tag(8) === 'WAVE' ? 'header' : 'samples')
      case 'header':
        return this.#readChunk()
      case 'samples':
        samples.push(this.#take(state.left))
        state.left -= samples.at(-1)!.length
        if (state.left === 0) this.#state = { at: 'start' }
        return true
      case 'skipping':
        state.left -= this.#take(state.left).length
        if (state.left === 0) this.#state = { at: 'header' }
        return true
      default:
        return state satisfies never
    }
  }

  #begin(what: 'header' | 'samples', headBytes = RIFF): true {
    if (what === 'header') this.#take(headBytes)
    this.#wav ||= what === 'header'
    this.#state = what === 'header' ? { at: 'header' } : { at: 'samples', left: Number.POSITIVE_INFINITY }
    return true
  }

  #readChunk(): boolean {
    if (this.#held.length < CHUNK) return false
    const [tag, size] = [this.#tag(0), this.#held.readUInt32LE(4)]
    if (tag === 'data') {
      this.#take(CHUNK)
      this.#state = { at: 'samples', left: size === 0 || size >= ENDLESS ? Number.POSITIVE_INFINITY : size }
      return true
    }
    this.#headerBytes += size
    if (this.#headerBytes > HEADER_BYTES) throw new WavError('the WAV has no samples where they should be')
    if (tag === 'fmt ') {
      if (this.#held.length < CHUNK + size) return false
      if (size < 16) throw new WavError('the WAV has a format that is too short')
      this.#check(this.#held.subarray(CHUNK))
    }
    this.#take(CHUNK)
    // A chunk of odd length is followed by a byte of nothing.
    if (size > 0) this.#state = { at: 'skipping', left: size + (size & 1) }
    return true
  }

  #check(fmt: Buffer): void {
    const encoding = fmt.readUInt16LE(0)
    const [channels, hz, bits] = [fmt.readUInt16LE(2), fmt.readUInt32LE(4), fmt.readUInt16LE(14)]
    if ((encoding !== PCM && encoding !== EXTENSIBLE) || bits !== 16 || channels !== 1) {
      throw new WavError(`the WAV is no 16-bit PCM of one channel (${encoding}, ${bits} bits, ${channels})`)
    }
    const { sampleRateHz } = this.#format
    if (hz !== sampleRateHz) throw new WavError(`the WAV has ${hz} Hz, not ${sampleRateHz}`)
  }

  #tag(at: number): string {
    return this.#held.toString('latin1', at, at + 4)
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes)
    this.#held = this.#held.subarray(taken.length)
    return taken
  }
}
