/** The speaker's audio thread: plays what waits, and knows to the sample how much of each item was played. */
import type { FromPlayback, PlayedItem, ToPlayback } from './messages.ts'
import { levelOf, WIRE_RATE_HZ } from './pcm.ts'
import { type Cut, PlayQueue } from './play-queue.ts'
import { Resampler } from './resampler.ts'

/** Ten minutes, 29 MB: a server sends an answer faster than it is spoken, but no answer is that long. */
const CAPACITY = 600 * WIRE_RATE_HZ
/** How often progress is told: often enough for words to light up as they are spoken. */
const REPORT_SAMPLES = WIRE_RATE_HZ / 25

class Playback extends AudioWorkletProcessor {
  readonly #queue = new PlayQueue(CAPACITY)
  readonly #resampler = new Resampler(WIRE_RATE_HZ, sampleRate)
  readonly #source = new Float32Array(1024)
  #sinceReport = 0
  #wasPlaying = false

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<ToPlayback>) => this.#receive(data)
  }

  override process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]?.[0]
    if (!output) return true
    const source = this.#source.subarray(0, this.#resampler.needed(output.length))
    for (const item of this.#queue.read(source)) this.#tell({ type: 'finished', item: played(item) })
    this.#resampler.process(source, output)
    this.#sinceReport += source.length
    const current = this.#queue.current
    if (this.#sinceReport >= REPORT_SAMPLES && (current || this.#wasPlaying)) {
      this.#sinceReport = 0
      this.#wasPlaying = current !== undefined
      this.#tell({
        type: 'progress',
        item: current ? played(current) : null,
        level: levelOf(output, output.length),
      })
    }
    return true
  }

  #receive(message: ToPlayback): void {
    if (message.type === 'end') this.#queue.end(message.itemId)
    else if (message.type === 'clear') this.#tell({ type: 'cleared', cuts: this.#queue.clear().map(played) })
    else if (!this.#queue.push(message.itemId, message.samples))
      this.#tell({ type: 'full', itemId: message.itemId })
  }

  #tell(message: FromPlayback): void {
    this.port.postMessage(message)
  }
}

function played(cut: Cut): PlayedItem {
  return { itemId: cut.itemId, playedMs: Math.floor((cut.playedSamples * 1000) / WIRE_RATE_HZ) }
}

registerProcessor('playback', Playback)
