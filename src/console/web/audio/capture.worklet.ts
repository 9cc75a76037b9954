/** The microphone's audio thread: whatever rate the device has, 20 ms chunks of 24 kHz PCM16 leave it. */
import type { Captured } from './messages.ts'
import { levelOf, toPcm16, WIRE_RATE_HZ } from './pcm.ts'
import { Resampler } from './resampler.ts'

const CHUNK = WIRE_RATE_HZ / 50

class Capture extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, WIRE_RATE_HZ)
  readonly #chunk = new Float32Array(CHUNK)
  #filled = 0

  override process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0]
    if (!input) return true
    this.#filled += this.#resampler.process(input, this.#chunk.subarray(this.#filled))
    while (this.#filled === CHUNK) {
      const samples = toPcm16(this.#chunk, CHUNK)
      const message: Captured = { samples, level: levelOf(this.#chunk, CHUNK) }
      this.port.postMessage(message, [samples.buffer])
      this.#filled = this.#resampler.process(new Float32Array(0), this.#chunk)
    }
    return true
  }
}

registerProcessor('capture', Capture)
