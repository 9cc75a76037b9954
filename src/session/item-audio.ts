/**
 * Audio of conversation items kept for retrieval. Bounded: the oldest leave first, their transcript stays.
 *
 * Frames are copied together: kept one by one, the 200 views of a four-second answer weighed 19 kB beside its 32 kB of
 * G.711, and every full collection walked them.
 */
export const MAX_ITEM_AUDIO_BYTES = 8 * 1024 * 1024

/** An answer's second at 24 kHz, four of G.711. Items begin with less, so that a short one holds little unused. */
const BLOCK_BYTES = 32 * 1024
const FIRST_BLOCK_BYTES = 2 * 1024

interface Item {
  /** Full, but for the last. */
  readonly blocks: Uint8Array[]
  bytes: number
  /** Room left in the last block. */
  free: number
}

export class ItemAudio {
  /** `never`: nobody can ask for it, and nothing is kept. */
  readonly #retrieval: () => 'kept' | 'never'
  readonly #items = new Map<string, Item>()
  /** Memory of all blocks. */
  #bytes = 0

  constructor(retrieval: () => 'kept' | 'never' = () => 'kept') {
    this.#retrieval = retrieval
  }

  /** Copies `audio`. */
  append(itemId: string, audio: Uint8Array): void {
    if (this.#retrieval() === 'never') return
    const item = this.#items.get(itemId) ?? { blocks: [], bytes: 0, free: 0 }
    this.#items.set(itemId, item)
    for (let at = 0; at < audio.length; ) {
      if (item.free === 0) this.#addBlock(item, audio.length - at)
      const block = item.blocks.at(-1)!
      const piece = audio.subarray(at, at + item.free)
      block.set(piece, block.length - item.free)
      item.free -= piece.length
      item.bytes += piece.length
      at += piece.length
    }
    for (const oldest of this.#items.keys()) {
      if (this.#bytes <= MAX_ITEM_AUDIO_BYTES) break
      this.forget(oldest)
    }
  }

  /** Cuts to the first `bytes`: what lies behind was never heard. */
  truncate(itemId: string, bytes: number): void {
    const whole = this.get(itemId)
    if (!whole || whole.length <= bytes) return
    this.forget(itemId)
    this.append(itemId, whole.subarray(0, bytes))
  }

  /** A copy. Null when nothing of it is kept. */
  get(itemId: string): Uint8Array | null {
    const item = this.#items.get(itemId)
    return item ? Buffer.concat(item.blocks, item.bytes) : null
  }

  forget(itemId: string): void {
    for (const block of this.#items.get(itemId)?.blocks ?? []) this.#bytes -= block.length
    this.#items.delete(itemId)
  }

  /** Doubles an item up to the usual block; a large chunk gets one of its own size. */
  #addBlock(item: Item, needed: number): void {
    const usual = Math.min(BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, item.bytes))
    const block = new Uint8Array(Math.max(usual, needed))
    item.blocks.push(block)
    item.free = block.length
    this.#bytes += block.length
  }
}
