/**
 * A voice-activity model that is told what to hear. Without a script, loud windows are speech and quiet ones are
 * not; answers come in the next microtask, or when the test releases them.
 */
import { Channel } from '../../src/channel.ts'
import { VAD_WINDOW_SAMPLES, type Vad, type VadStream, type VadWindow } from '../../src/listen/vad.ts'

export interface FakeVadOptions {
  /** Probability of one window of 512 samples that ends (exclusive) at `endSample`. */
  readonly probability?: (samples: Int16Array, endSample: number) => number
  /** `held`: windows wait for `release`, as for a busy worker. */
  readonly answers?: 'prompt' | 'held'
}

export class FakeVad implements Vad {
  readonly streams: FakeVadStream[] = []
  readonly #options: FakeVadOptions

  constructor(options: FakeVadOptions = {}) {
    this.#options = options
  }

  get last(): FakeVadStream {
    return this.streams.at(-1)!
  }

  open({ signal }: { readonly signal: AbortSignal }): FakeVadStream {
    const stream = new FakeVadStream(this.#options, signal)
    this.streams.push(stream)
    return stream
  }
}

export class FakeVadStream implements VadStream {
  /** Every `restart`, as the sample it was told. */
  readonly restarts: number[] = []
  samplesWritten = 0
  closed = false
  readonly #probability: (samples: Int16Array, endSample: number) => number
  readonly #answers: 'prompt' | 'held'
  readonly #out: Channel<readonly VadWindow[]>
  readonly #held: VadWindow[] = []
  readonly #window = new Int16Array(VAD_WINDOW_SAMPLES)
  #filled = 0
  #position = 0

  constructor(options: FakeVadOptions, signal: AbortSignal) {
    this.#probability = options.probability ?? loudness
    this.#answers = options.answers ?? 'prompt'
    this.#out = new Channel({ capacity: 100_000, signal })
  }

  get heldWindows(): number {
    return this.#held.length
  }

  write(samples: Int16Array): void {
    if (this.closed) throw new Error('written to after close')
    this.samplesWritten += samples.length
    for (const sample of samples) {
      this.#window[this.#filled++] = sample
      if (this.#filled === VAD_WINDOW_SAMPLES) this.#judge()
    }
  }

  restart(startSample: number): void {
    this.restarts.push(startSample)
    this.#filled = 0
    this.#position = startSample
  }

  close(): void {
    this.closed = true
    this.#out.close()
  }

  /** Answers up to `windows` of what is held, in one batch. */
  release(windows = Number.POSITIVE_INFINITY): void {
    const batch = this.#held.splice(0, windows)
    if (batch.length > 0) this.#out.push(batch)
  }

  /** The worker crashed. */
  crash(error: Error): void {
    this.#out.fail(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly VadWindow[]> {
    return this.#out[Symbol.asyncIterator]()
  }

  #judge(): void {
    this.#filled = 0
    this.#position += VAD_WINDOW_SAMPLES
    const window = {
      endSample: this.#position,
      probability: this.#probability(this.#window, this.#position),
    }
    if (this.#answers === 'held') this.#held.push(window)
    else this.#out.push([window])
  }
}

function loudness(samples: Int16Array): number {
  let energy = 0
  for (const sample of samples) energy += sample * sample
  return Math.sqrt(energy / samples.length) > 500 ? 0.95 : 0.02
}
