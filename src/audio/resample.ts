/**
 * Streaming resampling by SpeexDSP at quality 5. The filter's state lives across blocks, so frames join
 * without clicks, and output sample k stands for the same moment as input sample k·from/to: the filter's
 * leading zeros are skipped, so the first block comes out some 5 ms short, and `flush` gives those back.
 *
 * All resamplers of the process share one WASM instance and two scratch buffers in it, since every call is
 * synchronous: a caller writes at most `BLOCK_SAMPLES` samples to the input scratch, runs, and reads the output.
 */
import loadSpeex, { type SpeexModule } from '@echogarden/speex-resampler-wasm/simd'

/** Measured: alias −140 dB, SNR beyond what 16 bits hold. Higher qualities cost more and sound the same. */
const QUALITY = 5
/** 170 ms at 24 kHz: long answers of a fast TTS go through in few calls. */
export const BLOCK_SAMPLES = 4096

interface Speex {
  readonly module: SpeexModule
  readonly input: number
  readonly output: number
  readonly inLength: number
  readonly outLength: number
}

let speex: Speex | undefined
let loading: Promise<void> | undefined

/** Loads the WASM once for the process. Await it before anything resamples. */
export function loadResampler(): Promise<void> {
  loading ??= loadSpeex().then((module) => {
    speex = {
      module,
      input: module._malloc(BLOCK_SAMPLES * 2),
      output: module._malloc(BLOCK_SAMPLES * 2),
      inLength: module._malloc(4),
      outLength: module._malloc(4),
    }
  })
  return loading
}

export class Resampler {
  readonly #speex: Speex
  readonly #fromHz: number
  readonly #toHz: number
  #state: number
  #consumed = 0
  #made = 0

  /** Rates in Hz, 4,000 to 192,000. Throws a RangeError beyond, and an Error before `loadResampler` resolved. */
  constructor(fromHz: number, toHz: number) {
    if (!speex) throw new Error('audio is not loaded: await loadAudio() at start')
    for (const hz of [fromHz, toHz]) {
      if (!Number.isInteger(hz) || hz < 4000 || hz > 192_000) throw new RangeError(`sample rate ${hz} Hz`)
    }
    this.#speex = speex
    this.#fromHz = fromHz
    this.#toHz = toHz
    this.#state = this.#open()
  }

  /** The WASM memory's bytes; the input scratch begins at `inputPointer`. Valid until the next call that may allocate. */
  get heap(): Uint8Array {
    return this.#speex.module.HEAPU8
  }

  get heap16(): Int16Array {
    return this.#speex.module.HEAP16
  }

  get inputPointer(): number {
    return this.#speex.input
  }

  get outputPointer(): number {
    return this.#speex.output
  }

  /**
   * Resamples `samples` samples that stand in the input scratch (at most `BLOCK_SAMPLES`), calling `take(made)`
   * each time `made` samples stand in the output scratch.
   */
  run(samples: number, take: (made: number) => void): void {
    const { input, inLength, output, outLength, module } = this.#speex
    if (this.#state === 0) throw new Error('the resampler is closed')
    let done = 0
    while (done < samples) {
      module.HEAPU32[inLength >> 2] = samples - done
      module.HEAPU32[outLength >> 2] = BLOCK_SAMPLES
      module._speex_resampler_process_int(this.#state, 0, input + done * 2, inLength, output, outLength)
      const used = module.HEAPU32[inLength >> 2]!
      const made = module.HEAPU32[outLength >> 2]!
      done += used
      this.#made += made
      if (made > 0) take(made)
      if (used === 0 && made === 0) throw new Error('the resampler made no progress')
    }
    this.#consumed += samples
  }

  /**
   * Pushes the filter's tail out, so that in all `consumed · to / from` samples have come (rounded), and begins
   * anew: the next block is the start of another sound.
   */
  flush(take: (made: number) => void): void {
    const { module, input } = this.#speex
    const owed = Math.round((this.#consumed * this.#toHz) / this.#fromHz) - this.#made
    let left = Math.max(0, owed)
    while (left > 0) {
      const zeros = Math.min(BLOCK_SAMPLES, Math.max(64, Math.ceil((left * this.#fromHz) / this.#toHz)))
      module.HEAP16.fill(0, input >> 1, (input >> 1) + zeros)
      this.run(zeros, (made) => {
        const kept = Math.min(made, left)
        left -= kept
        if (kept > 0) take(kept)
      })
    }
    module._speex_resampler_destroy(this.#state)
    this.#state = this.#open()
    this.#consumed = 0
    this.#made = 0
  }

  /** Frees its WASM memory. Idempotent. */
  close(): void {
    if (this.#state !== 0) this.#speex.module._speex_resampler_destroy(this.#state)
    this.#state = 0
  }

  #open(): number {
    const { module, inLength } = this.#speex
    const state = module._speex_resampler_init(1, this.#fromHz, this.#toHz, QUALITY, inLength)
    if (state === 0) throw new Error(`the resampler refused ${this.#fromHz} → ${this.#toHz} Hz`)
    module._speex_resampler_skip_zeros(state)
    return state
  }
}
