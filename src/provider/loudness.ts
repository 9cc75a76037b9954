/**
 * How loud an utterance is, 20 ms at a time, and the two questions asked of it: was there speech since …, and
 * where is the quietest place to cut. Pure.
 */
export const FRAME_SAMPLES = 320

/** Root mean square below which nothing is speech: -58 dBFS, under any microphone's own noise. */
const SILENT = 40
/** Frames in a row that make speech: a click or a breath is shorter, a word is not. */
const SPEECH_FRAMES = 3
/** The stretch before a mark that stands for the background: 100 ms. */
const BACKGROUND_FRAMES = 5
/** A background this near to the voice is no background: the mark was set while someone spoke. -9 dB. */
const NOT_BACKGROUND = 0.35
/** Speech stands out of the background by 6 dB … */
const OVER_BACKGROUND = 2
/** … and is not more than 26 dB under the utterance's own level. */
const UNDER_LEVEL = 0.05

/** Half-octave bins of loudness, for percentiles without keeping every frame. */
const BINS = 64

export class Loudness {
  /** Of each whole frame since `start`. */
  #frames: number[] = []
  #start = 0
  readonly #histogram = new Uint32Array(BINS)
  #counted = 0
  #sum = 0
  #inFrame = 0
  readonly #frameSamples: number

  /** `frameSamples`: 20 ms; left out: at 16 kHz. Everything is asked in samples of that rate. */
  constructor(frameSamples = FRAME_SAMPLES) {
    this.#frameSamples = frameSamples
  }

  /** Adds samples that follow the last ones. */
  push(samples: Int16Array): void {
    for (let at = 0; at < samples.length; ) {
      const end = Math.min(samples.length, at + this.#frameSamples - this.#inFrame)
      this.#inFrame += end - at
      let sum = 0
      for (; at < end; at++) sum += samples[at]! * samples[at]!
      this.#sum += sum
      if (this.#inFrame === this.#frameSamples) this.#frame()
    }
  }

  /** Frames before `sample` are no longer asked for. */
  forgetBefore(sample: number): void {
    const drop = Math.floor(sample / this.#frameSamples) - this.#start
    if (drop <= 0) return
    this.#frames = this.#frames.slice(drop)
    this.#start += drop
  }

  /** Anything but silence since `sample`? */
  anySoundSince(sample: number): boolean {
    const from = Math.max(0, Math.floor(sample / this.#frameSamples) - this.#start)
    return this.#frames.some((level, i) => i >= from && level >= SILENT) || this.#partFrameIsLoud()
  }

  /**
   * Was there speech since `mark`, at which the caller was believed silent? Judged against the utterance itself:
   * three frames in a row that stand 6 dB over the 100 ms before the mark and are not 26 dB under the voice.
   * When in doubt the answer is yes, which costs an inference and loses no word.
   */
  speechSince(mark: number): boolean {
    const at = Math.floor(mark / this.#frameSamples) - this.#start
    const since = this.#frames.slice(Math.max(0, at))
    if (since.length < SPEECH_FRAMES) return false
    const voice = this.#level()
    if (voice < SILENT) return false
    const before = this.#frames.slice(Math.max(0, at - BACKGROUND_FRAMES), Math.max(0, at))
    const background = Math.sqrt(before.reduce((sum, l) => sum + l * l, 0) / Math.max(1, before.length))
    const noBackground = before.length === 0 || background > NOT_BACKGROUND * voice
    const threshold = noBackground
      ? SILENT
      : Math.max(SILENT, OVER_BACKGROUND * background, UNDER_LEVEL * voice)
    let inRow = 0
    for (const level of since) {
      inRow = level >= threshold ? inRow + 1 : 0
      if (inRow === SPEECH_FRAMES) return true
    }
    return false
  }

  /** The middle of the quietest 100 ms between two samples, a whole frame. */
  quietestBetween(from: number, to: number): number {
    const first = Math.ceil(from / this.#frameSamples) - this.#start
    const last = Math.min(this.#frames.length, Math.floor(to / this.#frameSamples) - this.#start)
    let best = first
    let bestSum = Number.POSITIVE_INFINITY
    for (let i = first; i + BACKGROUND_FRAMES <= last; i++) {
      let sum = 0
      for (let j = 0; j < BACKGROUND_FRAMES; j++) sum += this.#frames[i + j]!
      if (sum < bestSum) {
        bestSum = sum
        best = i
      }
    }
    return (best + Math.floor(BACKGROUND_FRAMES / 2) + this.#start) * this.#frameSamples
  }

  #frame(): void {
    const level = Math.sqrt(this.#sum / this.#frameSamples)
    this.#frames.push(level)
    const bin = Math.min(BINS - 1, Math.floor(4 * Math.log2(level + 1)))
    this.#histogram[bin] = this.#histogram[bin]! + 1
    this.#counted++
    this.#sum = 0
    this.#inFrame = 0
  }

  /** The level that a tenth of all frames exceed. */
  #level(): number {
    let left = this.#counted / 10
    for (let bin = BINS - 1; bin >= 0; bin--) {
      left -= this.#histogram[bin]!
      if (left < 0) return 2 ** (bin / 4) - 1
    }
    return 0
  }

  #partFrameIsLoud(): boolean {
    return this.#inFrame > 0 && Math.sqrt(this.#sum / this.#inFrame) >= SILENT
  }
}
