/**
 * Whether anybody spoke since a recogniser was asked for a preview. The session asks when its ear notices a pause; what comes
 * after is silence, unless the caller goes on. By loudness, as the recognisers that hear a stretch as a whole have it, so it
 * errs towards speech.
 */
import { createDecoder } from '../audio/convert.ts'
import type { AudioFormat } from '../audio/format.ts'
import { samplesOf } from '../audio/samples.ts'
import { Loudness } from './loudness.ts'

const FRAME_MS = 20
/** What a question looks back for, and more. */
const KEPT_MS = 1_000

export class Quiet {
  readonly #decode: (bytes: Uint8Array) => Int16Array
  readonly #samplesPerMs: number
  #loudness: Loudness
  #written = 0
  /** Samples before the preview; undefined: none was asked for in this utterance. */
  #previewed: number | undefined
  #forgotten = 0

  constructor(format: AudioFormat) {
    this.#decode = format.encoding === 'pcm16' ? samplesOf : createDecoder(format)
    this.#samplesPerMs = format.sampleRateHz / 1000
    this.#loudness = this.#fresh()
  }

  write(audio: Uint8Array): void {
    const samples = this.#decode(audio)
    this.#loudness.push(samples)
    this.#written += samples.length
    const keptFrom = (this.#previewed ?? this.#written) - KEPT_MS * this.#samplesPerMs
    if (keptFrom - this.#forgotten < KEPT_MS * this.#samplesPerMs) return
    this.#loudness.forgetBefore(keptFrom)
    this.#forgotten = keptFrom
  }

  /** A preview was asked for here. */
  preview(): void {
    this.#previewed = this.#written
  }

  /** Nobody spoke since the preview, and there was one. */
  get sincePreview(): boolean {
    return this.#previewed !== undefined && !this.#loudness.speechSince(this.#previewed)
  }

  /** The next utterance. */
  begin(): void {
    this.#loudness = this.#fresh()
    this.#written = 0
    this.#previewed = undefined
    this.#forgotten = 0
  }

  #fresh(): Loudness {
    return new Loudness(FRAME_MS * this.#samplesPerMs)
  }
}
