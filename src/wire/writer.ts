/**
 * Writes to one socket with back-pressure. Above 64 kB unsent, events wait here, in order and bounded; whoever
 * feeds the writer stops at `ready()`. So a barge-in has at most a second of audio in front of it, and a reader that
 * never reads costs a bounded amount of memory for a bounded time.
 */
import type { Clock, Timer } from '../clock.ts'

/** What a connection needs of a WebSocket; `ws` fits, and so does a fake. */
export interface WireSocket<Message extends string | Uint8Array = string> {
  /** Bytes accepted by `send` that the network has not taken. */
  readonly bufferedAmount: number
  /** A string as a text message. `flushed` is called when it was handed to the network, or will never be. */
  send(message: Message, flushed: () => void): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
}

/** One second of 24 kHz PCM in base64. */
export const HIGH_WATER_BYTES = 64 * 1024
/** Errors for a flood of bad events, or one burst of a response's closing events. */
const MAX_HELD_EVENTS = 512
const MAX_HELD_SIZE = 32 * 1024 * 1024
/** No progress for this long, and the reader counts as gone. */
const STALL_MS = 20_000
/** On top, since one large event makes no visible progress until all of it is through: 16 kB a second. */
const SLOWEST_BYTES_PER_MS = 16

export class Writer<Message extends string | Uint8Array = string> {
  readonly #socket: WireSocket<Message>
  readonly #clock: Clock
  readonly #onStalled: () => void
  readonly #held: Message[] = []
  readonly #waiting: (() => void)[] = []
  /** Characters, and bytes of binary messages. */
  #heldSize = 0
  #stall: Timer | undefined
  #ended = false

  constructor(socket: WireSocket<Message>, clock: Clock, onStalled: () => void) {
    this.#socket = socket
    this.#clock = clock
    this.#onStalled = onStalled
  }

  get blocked(): boolean {
    return !this.#ended && (this.#held.length > 0 || this.#socket.bufferedAmount >= HIGH_WATER_BYTES)
  }

  readonly write = (message: Message): void => {
    if (this.#ended) return
    if (!this.blocked) return this.#socket.send(message, this.#flushed)
    this.#held.push(message)
    this.#heldSize += message.length
    this.#watch()
    if (this.#held.length > MAX_HELD_EVENTS || this.#heldSize > MAX_HELD_SIZE) this.#onStalled()
  }

  /** Resolves when the next event would go straight to the socket, or the writer ended. */
  ready(): Promise<void> {
    if (!this.blocked) return Promise.resolve()
    this.#watch()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Drops what is held. With `last`, that goes out at once, past everything that waits here. */
  end(last?: Message): void {
    if (this.#ended) return
    this.#ended = true
    this.#stall?.cancel()
    this.#held.length = 0
    if (last !== undefined) this.#socket.send(last, () => {})
    this.#wake()
  }

  readonly #flushed = (): void => {
    if (this.#ended) return
    while (this.#held.length > 0 && this.#socket.bufferedAmount < HIGH_WATER_BYTES) {
      const next = this.#held.shift()!
      this.#heldSize -= next.length
      this.#socket.send(next, this.#flushed)
    }
    this.#stall?.cancel()
    this.#stall = undefined
    if (this.blocked) this.#watch()
    else this.#wake()
  }

  #watch(): void {
    const patienceMs = STALL_MS + this.#socket.bufferedAmount / SLOWEST_BYTES_PER_MS
    this.#stall ??= this.#clock.setTimer(patienceMs, this.#onStalled)
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
