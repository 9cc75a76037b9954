/** The speaker: audio in by item, and back how far each item was played. */
import type { FromPlayback, PlayedItem, ToPlayback } from './messages.ts'
import workletUrl from './playback.worklet.ts?worker&url'

export interface SpeakerEvents {
  onProgress(item: PlayedItem | null, level: number): void
  onFinished(item: PlayedItem): void
  onFull(): void
}

export class Speaker {
  readonly #node: AudioWorkletNode
  readonly #waiting = new Set<string>()
  readonly #cut = new Set<string>()
  readonly #clears: ((cuts: readonly PlayedItem[]) => void)[] = []
  readonly #events: SpeakerEvents

  private constructor(node: AudioWorkletNode, events: SpeakerEvents) {
    this.#node = node
    this.#events = events
    node.port.onmessage = ({ data }: MessageEvent<FromPlayback>) => this.#receive(data)
  }

  static async open(context: AudioContext, events: SpeakerEvents): Promise<Speaker> {
    await context.audioWorklet.addModule(workletUrl)
    const node = new AudioWorkletNode(context, 'playback', { numberOfInputs: 0, outputChannelCount: [1] })
    node.connect(context.destination)
    return new Speaker(node, events)
  }

  /** Something is being played or waits to be. */
  get busy(): boolean {
    return this.#waiting.size > 0
  }

  /** Audio of an item that was cut is dropped: the server may still be sending it. */
  push(itemId: string, samples: Int16Array<ArrayBuffer>): void {
    if (this.#cut.has(itemId)) return
    this.#waiting.add(itemId)
    this.#post({ type: 'push', itemId, samples }, [samples.buffer])
  }

  end(itemId: string): void {
    this.#post({ type: 'end', itemId })
  }

  /** Silence at once. Resolves to the items that were cut, each with what was played of it. */
  clear(): Promise<readonly PlayedItem[]> {
    for (const itemId of this.#waiting) this.#cut.add(itemId)
    this.#waiting.clear()
    this.#post({ type: 'clear' })
    return new Promise((resolve) => this.#clears.push(resolve))
  }

  #post(message: ToPlayback, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(message, transfer)
  }

  #receive(message: FromPlayback): void {
    switch (message.type) {
      case 'progress':
        return this.#events.onProgress(message.item, message.level)
      case 'finished':
        this.#waiting.delete(message.item.itemId)
        return this.#events.onFinished(message.item)
      case 'cleared':
        return this.#clears.shift()?.(message.cuts)
      case 'full':
        return this.#events.onFull()
    }
  }
}
