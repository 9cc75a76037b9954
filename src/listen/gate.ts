/**
 * The cheap gate before the voice-activity model: WebRTC's detector, most permissive mode, about a microsecond a
 * frame. It only has to be right about silence; what it lets through, the model judges.
 *
 *     PCM at the wire's rate ─► mean of each 1/8000 s ─► 20 ms frames ─► fvad ─► speech in any of them?
 *
 * The detector works at 8 kHz inside whatever it is given, so we hand it 8 kHz: every rate takes one path and 48 kHz
 * costs a sixth. The plain mean folds hiss from above 4 kHz into the band, which opens the gate for an "s" a little
 * earlier: the safe side.
 */
import load, { type FvadModule } from '@echogarden/fvad-wasm'

const RATE_HZ = 8000
const FRAME_SAMPLES = 160
const MOST_PERMISSIVE = 0

/** The loaded detector; makes one gate a session. */
export interface GateEngine {
  /** `sampleRateHz` at least 8000. */
  open(sampleRateHz: number): SpeechGate
}

export interface SpeechGate {
  /** Whether any frame that these samples completed holds speech. Any number of samples. */
  hears(samples: Int16Array): boolean
  /** Frees its memory outside the JavaScript heap. Idempotent; nothing may be heard after it. */
  close(): void
}

let engine: GateEngine | undefined
let loading: Promise<GateEngine> | undefined

/** Loads the detector once for the process. */
export function loadGate(): Promise<GateEngine> {
  loading ??= load().then((module) => {
    const scratch = module._malloc(FRAME_SAMPLES * 2)
    engine = { open: (sampleRateHz) => new FvadGate(module, scratch, sampleRateHz) }
    return engine
  })
  return loading
}

/** What `loadGate` loaded, or undefined before it did. */
export function loadedGate(): GateEngine | undefined {
  return engine
}

class FvadGate implements SpeechGate {
  readonly #module: FvadModule
  /** One frame in WASM memory, shared by all gates: every call is synchronous. */
  readonly #scratch: number
  /** Input samples in one of ours; not whole for 22.05 and 44.1 kHz. */
  readonly #ratio: number
  readonly #frame = new Int16Array(FRAME_SAMPLES)
  #detector: number
  #filled = 0
  #sum = 0
  #count = 0
  /** Input samples still to come before the mean in hand is complete. */
  #due: number

  constructor(module: FvadModule, scratch: number, sampleRateHz: number) {
    if (!(sampleRateHz >= RATE_HZ))
      throw new RangeError(`the speech gate needs 8000 Hz or more: ${sampleRateHz}`)
    this.#module = module
    this.#scratch = scratch
    this.#ratio = sampleRateHz / RATE_HZ
    this.#due = this.#ratio
    this.#detector = module._fvad_new()
    if (this.#detector === 0) throw new Error('no memory for a speech gate')
    module._fvad_set_mode(this.#detector, MOST_PERMISSIVE)
    module._fvad_set_sample_rate(this.#detector, RATE_HZ)
  }

  hears(samples: Int16Array): boolean {
    if (this.#detector === 0) throw new Error('the speech gate is closed')
    return this.#ratio === 1 ? this.#straight(samples) : this.#averaged(samples)
  }

  close(): void {
    if (this.#detector !== 0) this.#module._fvad_free(this.#detector)
    this.#detector = 0
  }

  #straight(samples: Int16Array): boolean {
    let speech = false
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(FRAME_SAMPLES - this.#filled, samples.length - at)
      this.#frame.set(samples.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
      if (this.#filled === FRAME_SAMPLES && this.#judge()) speech = true
    }
    return speech
  }

  #averaged(samples: Int16Array): boolean {
    const ratio = this.#ratio
    const frame = this.#frame
    let sum = this.#sum
    let count = this.#count
    let due = this.#due
    let filled = this.#filled
    let speech = false
    for (let i = 0; i < samples.length; i++) {
      sum += samples[i]!
      count++
      if (count < due) continue
      frame[filled++] = sum / count
      due += ratio - count
      sum = 0
      count = 0
      if (filled < FRAME_SAMPLES) continue
      this.#filled = filled
      if (this.#judge()) speech = true
      filled = 0
    }
    this.#sum = sum
    this.#count = count
    this.#due = due
    this.#filled = filled
    return speech
  }

  /** The frame is full: what is it? */
  #judge(): boolean {
    this.#filled = 0
    this.#module.HEAP16.set(this.#frame, this.#scratch >> 1)
    return this.#module._fvad_process(this.#detector, this.#scratch, FRAME_SAMPLES) === 1
  }
}
