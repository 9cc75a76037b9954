/**
 * A socket dialled ahead of the request that will want it. Nothing is sent on it but its handshake.
 *
 *     dialling ─► ready ─► handed to a request | dropped | lost: the dial failed, or the server hung up
 */
import { Socket } from 'node:net'
import type { buildConnector } from 'undici'

export type Callback = buildConnector.Callback

export class SpareSocket {
  /** Of a dial under way. */
  readonly #dialled: Socket | null
  #ready: Socket | null = null
  /** Who asked for it while it was dialled. */
  #waiting: Callback | null = null
  #dropped = false
  readonly #onLost: () => void

  /** `onLost` is not called once it was handed or dropped, and never at once. */
  constructor(dial: (callback: Callback) => void, onLost: () => void) {
    this.#onLost = onLost
    // The types do not tell of it.
    const made: unknown = dial((...result) => this.#dialledTo(result))
    this.#dialled = made instanceof Socket ? made : null
    // No process lives for its sake.
    this.#dialled?.unref()
  }

  get isReady(): boolean {
    return this.#ready !== null
  }

  /** Not broken. What the server may have said (some say 408 before they hang up) undici reads before it writes, and dials anew. */
  get isFit(): boolean {
    return this.#ready?.writable ?? true
  }

  /** To be told of the socket, or of why there is none; never before this returns. Once. */
  hand(callback: Callback): void {
    this.#waiting = callback
    this.#dialled?.ref()
    const socket = this.#ready
    if (!socket) return
    socket.off('close', this.#onLost)
    queueMicrotask(() => callback(null, socket.ref()))
  }

  /** Idempotent; not for one that was handed. */
  drop(): void {
    this.#dropped = true
    this.#ready?.off('close', this.#onLost)
    this.#ready?.destroy()
    this.#dialled?.destroy()
  }

  #dialledTo(result: Parameters<Callback>): void {
    if (this.#waiting) return this.#waiting(...result)
    const [error, socket] = result
    if (this.#dropped) return void socket?.destroy()
    if (error) return this.#onLost()
    this.#ready = socket.unref()
    socket.once('close', this.#onLost)
  }
}
