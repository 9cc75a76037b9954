/**
 * From the wire's bytes to the model's 16 kHz samples, under the gate:
 *
 *     closed: decode ─► gate                     (neither resampling nor inference; the last bytes are remembered)
 *     open:   decode ─► gate, resample ─► VadStream
 *
 * Opening replays what is remembered, so the model hears the onset that opened it; reopening soon after closing
 * goes on without a seam. The gate stays open while `hold` says so (an open utterance, windows still being judged).
 */
import { type Converter, createConverter, createDecoder } from '../audio/convert.ts'
import { type AudioFormat, bytesPerSample, msToBytes, PCM16_16K } from '../audio/format.ts'
import type { SpeechGate } from './gate.ts'
import { RecentBytes } from './recent.ts'
import type { RecentSamples } from './recent-samples.ts'
import { VAD_SAMPLE_RATE_HZ, type VadStream } from './vad.ts'

/** The gate opens up to 260 ms after the first sound of speech 36 dB softer than usual (`bench/listen.ts`). */
export const REPLAY_MS = 400
/**
 * The usual silence that ends a turn: while a turn is open the gate stays open anyway, and the model keeps its state
 * through the caller's pauses. At 1,000 a caller in conversation cost the model an eighth more.
 */
export const CLOSE_AFTER_MS = 500

export interface FeedOptions {
  readonly format: AudioFormat
  /** Null: always open. Closed with the feed. */
  readonly gate: SpeechGate | null
  readonly stream: VadStream
  /** Where the first byte stands: 16 kHz samples since the ear opened. */
  readonly position: number
  readonly hold: () => boolean
  /** Keeps what the model is given; null: nobody asks for it. */
  readonly recent: () => RecentSamples | null
}

export class Feed {
  readonly format: AudioFormat
  readonly #gate: SpeechGate | null
  readonly #hold: () => boolean
  readonly #decode: (bytes: Uint8Array) => Int16Array
  readonly #recent: RecentBytes
  readonly #keep: () => RecentSamples | null
  #stream: VadStream
  #converter: Converter | undefined
  #state: 'closed' | 'open' = 'closed'
  #quietMs = 0
  /** All three in 16 kHz samples since the ear opened. */
  #position: number
  #sent: number
  #judged: number

  constructor(options: FeedOptions) {
    this.format = options.format
    this.#gate = options.gate
    this.#hold = options.hold
    this.#keep = options.recent
    this.#stream = options.stream
    this.#position = options.position
    this.#sent = Math.round(options.position)
    this.#judged = this.#sent
    this.#decode = createDecoder(options.format)
    this.#recent = new RecentBytes(msToBytes(options.format, REPLAY_MS))
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** Exclusive end of the audio taken in, 16 kHz samples, with a fraction at odd rates. */
  get position(): number {
    return this.#position
  }

  /** Samples the model was given and has not judged. */
  get pending(): number {
    return this.#sent - this.#judged
  }

  /** No window that is still to come begins before this. */
  get horizon(): number {
    return Math.min(this.#judged, this.#position - this.#samples(this.#recent.length))
  }

  /** The model has judged everything before `endSample`. */
  judged(endSample: number): void {
    this.#judged = Math.max(this.#judged, Math.min(endSample, this.#sent))
  }

  /** Whole samples in `format`, a fraction of a second at a time. The bytes are not kept. */
  write(bytes: Uint8Array): void {
    this.#position += this.#samples(bytes.length)
    const speech = this.#gate ? this.#gate.hears(this.#decode(bytes)) : true
    this.#quietMs = speech ? 0 : this.#quietMs + (this.#samples(bytes.length) * 1000) / VAD_SAMPLE_RATE_HZ
    if (this.#state === 'open' && this.#quietMs >= CLOSE_AFTER_MS && !this.#hold()) {
      this.#state = 'closed'
      this.#recent.clear()
    }
    if (this.#state === 'open') return this.#send(bytes)
    this.#recent.write(bytes)
    if (speech || this.#hold()) this.#openGate()
  }

  /** Audio up to `position` will not be heard: the model starts anew there. */
  skipTo(position: number): void {
    this.#position = position
    this.#shut()
  }

  /** A new stream after the old one failed: it starts at the next sample. */
  reattach(stream: VadStream): void {
    this.#stream = stream
    this.#shut()
  }

  close(): void {
    this.#shut()
    this.#gate?.close()
  }

  /** What is remembered goes first: after a short closing the very samples that follow, else a fresh start. */
  #openGate(): void {
    const replay = this.#recent.read()
    if (!this.#converter || !this.#recent.complete) {
      this.#converter?.close()
      this.#converter = createConverter(this.format, PCM16_16K)
      this.#sent = Math.max(0, Math.round(this.#position - this.#samples(replay.length)))
      this.#judged = this.#sent
      this.#stream.restart(this.#sent)
    }
    this.#state = 'open'
    this.#recent.clear()
    this.#send(replay)
  }

  /**
   * The resampler holds 5 ms back, which would keep a window that ends with this frame waiting for the next one, 20 ms.
   * So the stream is kept up with the audio: silence stands in front, and what the model hears is 5 ms late.
   */
  #send(bytes: Uint8Array): void {
    const samples = samplesOf(this.#converter!.process(bytes), bytes)
    const behind = Math.round(this.#position) - this.#sent - samples.length
    if (behind > 0) this.#give(new Int16Array(behind))
    if (samples.length > 0) this.#give(samples)
  }

  #give(samples: Int16Array): void {
    this.#stream.write(samples)
    this.#keep()?.write(this.#sent, samples)
    this.#sent += samples.length
  }

  #shut(): void {
    this.#state = 'closed'
    this.#recent.clear()
    this.#converter?.close()
    this.#converter = undefined
    this.#sent = Math.round(this.#position)
    this.#judged = this.#sent
  }

  #samples(bytes: number): number {
    return ((bytes / bytesPerSample(this.format)) * VAD_SAMPLE_RATE_HZ) / this.format.sampleRateHz
  }
}

/** 16-bit view; a copy where it would be the client's own memory. Of a `Buffer`, `slice` would be no copy, and at any place. */
function samplesOf(converted: Uint8Array, input: Uint8Array): Int16Array {
  const own = converted.buffer === input.buffer ? new Uint8Array(converted) : converted
  return new Int16Array(own.buffer, own.byteOffset, own.length >> 1)
}
