/**
 * Warm sockets shared by the answers of a whole process: an answer gets one that has room for it, or a new one. What
 * a socket's address fixes (voice, format …) is its key; sockets of different keys are not exchanged.
 */
export interface Link {
  /** Open or opening, and with room for one more answer. */
  readonly roomy: boolean
  /** Nobody needs it now. */
  readonly idle: boolean
  /** Resolves when the socket is gone. Idempotent. */
  close(): Promise<void>
}

export class LinkPool<L extends Link> {
  /** Sockets at once, over all keys. */
  readonly limit: number
  readonly #links = new Map<L, string>()
  #closed = false

  constructor(limit: number) {
    this.limit = limit
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Undefined when all sockets there may be are taken, or the pool is closed. */
  take(key: string, open: (onOver: () => void) => L): L | undefined {
    if (this.#closed) return undefined
    for (const [link, its] of this.#links) if (its === key && link.roomy) return link
    if (this.#links.size >= this.limit && !this.#makeRoom()) return undefined
    const link = open(() => void this.#links.delete(link))
    this.#links.set(link, key)
    return link
  }

  /** Opens one ahead of need, where none has room and no other has to go for it. */
  warm(key: string, open: (onOver: () => void) => L): void {
    if (this.#links.size < this.limit) this.take(key, open)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#links.keys()].map((link) => link.close()))
  }

  /** The one longest here that nobody needs goes. */
  #makeRoom(): boolean {
    for (const link of this.#links.keys()) {
      if (!link.idle) continue
      this.#links.delete(link)
      void link.close()
      return true
    }
    return false
  }
}
