/** Audio of conversation items kept for retrieval. Bounded: the oldest leave first, their transcript stays. */
export const MAX_ITEM_AUDIO_BYTES = 8 * 1024 * 1024

export class ItemAudio {
  readonly #chunks = new Map<string, Uint8Array[]>()
  #bytes = 0

  append(itemId: string, audio: Uint8Array): void {
    const chunks = this.#chunks.get(itemId)
    if (chunks) chunks.push(audio)
    else this.#chunks.set(itemId, [audio])
    this.#bytes += audio.length
    for (const oldest of this.#chunks.keys()) {
      if (this.#bytes <= MAX_ITEM_AUDIO_BYTES) break
      this.forget(oldest)
    }
  }

  /** Cuts to the first `bytes`: what lies behind was never heard. */
  truncate(itemId: string, bytes: number): void {
    const whole = this.get(itemId)
    if (!whole || whole.length <= bytes) return
    this.forget(itemId)
    this.append(itemId, whole.slice(0, bytes))
  }

  /** Null when nothing of it is kept. */
  get(itemId: string): Uint8Array | null {
    const chunks = this.#chunks.get(itemId)
    return chunks ? Buffer.concat(chunks) : null
  }

  forget(itemId: string): void {
    for (const chunk of this.#chunks.get(itemId) ?? []) this.#bytes -= chunk.length
    this.#chunks.delete(itemId)
  }
}
