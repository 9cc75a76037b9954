/**
 * One socket to a voice and the answers on it: opened once, shared, kept alive where the provider wants that, closed
 * when nobody used it for long. What is said on it, and whose a message is, each provider knows.
 *
 *     opening ─► open ─► over (closed by either side, broken, no longer used)
 */
import { Cancelled, openScope } from '../cancel.ts'
import type { Clock, Timer } from '../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { Line } from './answer-stream.ts'
import { dial, kindOfCloseCode } from './dial.ts'
import type { Link } from './link-pool.ts'
import { Malformed } from './protocol.ts'
import type { Connect, Socket } from './socket.ts'

const CONNECT_MS = 5_000
/** From closing to ending the connection without an answer. */
const CLOSE_MS = 1_000

export interface SpeechLinkOptions {
  readonly connect: Connect
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly provider: string
  readonly clock: Clock
  readonly onOver: () => void
}

export interface SpeechLinkRules {
  /** Answers at once. */
  readonly answers: number
  /** Not used for so long, the server may have forgotten it: closed, and nothing is sent on it. */
  readonly idleMs: number
  /** Sent while it is open. */
  readonly keepAlive?: { readonly text: string; readonly everyMs: number }
  /** Said before closing. */
  readonly goodbye?: string
}

export abstract class SpeechLink implements Link {
  /** Rejects with `ProviderError`. */
  readonly ready: Promise<void>
  protected readonly options: SpeechLinkOptions
  readonly #rules: SpeechLinkRules
  readonly #scope = openScope()
  #answers = 0
  #state: 'opening' | 'open' | 'over' = 'opening'
  #socket: Socket | undefined
  #gone = Promise.resolve()
  #suspected = false
  #idling: Timer | undefined
  #keeping: Timer | undefined
  #heardAt: number
  /** Last anything was sent or heard. */
  #usedAt: number

  constructor(options: SpeechLinkOptions, rules: SpeechLinkRules) {
    this.options = options
    this.#rules = rules
    this.#heardAt = this.#usedAt = options.clock.now()
    this.ready = this.#open()
    // Whoever waits for it hears of it; nobody may.
    this.ready.catch(() => {})
  }

  get roomy(): boolean {
    return this.#state !== 'over' && !this.#suspected && !this.#stale && this.#answers < this.#rules.answers
  }

  get idle(): boolean {
    return this.#answers === 0
  }

  close(): Promise<void> {
    this.end(this.error('cancelled', 'the provider was closed'))
    return this.#gone
  }

  /** What came. False, or throws `Malformed`, when it is nothing that this protocol speaks. */
  protected abstract heard(data: string | Uint8Array): boolean
  /** Everything open fails. */
  protected abstract lost(error: ProviderError): void
  /** What a close while something was owed means to the router. */
  protected kindOfClose(code: number, _reason: string): ProviderErrorKind {
    return kindOfCloseCode(code)
  }

  /** Holds a place for one answer, from before the socket is open. */
  protected hold(): Line {
    this.#answers++
    let held = true
    const link = this
    return {
      get usable() {
        return link.#state === 'open' && !link.#stale
      },
      suspect: (since) => {
        if (this.#heardAt <= since) this.#suspected = true
      },
      release: () => {
        if (!held) return
        held = false
        this.#answers--
        if (this.idle && (this.#suspected || this.#stale)) void this.close()
      },
    }
  }

  protected send(text: string): void {
    this.#usedAt = this.options.clock.now()
    this.#socket?.sendText(text)
  }

  /** No further answers on this one. */
  protected retire(): void {
    this.#suspected = true
    if (this.idle) void this.close()
  }

  /** The link is no more. */
  protected end(error: ProviderError): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#idling?.cancel()
    this.#keeping?.cancel()
    this.options.onOver()
    this.lost(error)
    this.#gone = this.#hangUp()
  }

  protected error(kind: ProviderErrorKind, message: string): ProviderError {
    return new ProviderError({ provider: this.options.provider, stage: 'tts', kind, message })
  }

  get #stale(): boolean {
    return this.#state === 'open' && this.options.clock.now() - this.#usedAt >= this.#rules.idleMs
  }

  async #open(): Promise<void> {
    const { connect, url, headers, provider, clock } = this.options
    const { signal } = this.#scope
    try {
      const call = { connect, url, headers, provider, stage: 'tts', signal, clock } as const
      this.#socket = await dial({ ...call, connectMs: CONNECT_MS })
    } catch (error) {
      const ours = error instanceof Cancelled
      const failure = ours ? this.error('cancelled', 'the provider was closed') : error
      this.end(failure as ProviderError)
      throw failure
    }
    this.#state = 'open'
    this.#heardAt = this.#usedAt = clock.now()
    this.#watch(this.#rules.idleMs)
    this.#keepAlive()
    this.#listen(this.#socket).catch(() => this.#broken('a message could not be handled'))
  }

  /** Closes an idle socket before the server does. */
  #watch(ms: number): void {
    const { clock } = this.options
    this.#idling = clock.setTimer(ms, () => {
      const leftMs = this.#usedAt + this.#rules.idleMs - clock.now()
      if (leftMs > 0) this.#watch(leftMs)
      else if (this.idle) void this.close()
      // An answer that pauses so long takes another line at its next sentence, and lets go of this one.
    })
  }

  #keepAlive(): void {
    const { keepAlive } = this.#rules
    if (!keepAlive) return
    this.#keeping = this.options.clock.setTimer(keepAlive.everyMs, () => {
      this.#socket?.sendText(keepAlive.text)
      this.#keepAlive()
    })
  }

  async #listen(socket: Socket): Promise<void> {
    for await (const data of socket.messages) {
      this.#heardAt = this.#usedAt = this.options.clock.now()
      if (!this.#understood(data)) return this.#broken('a message was not understood')
      if (this.#state === 'over') return
    }
    const { code, reason } = await socket.closed
    this.end(this.error(this.kindOfClose(code, reason), `the connection closed with ${code}`))
  }

  #understood(data: string | Uint8Array): boolean {
    try {
      return this.heard(data)
    } catch (error) {
      if (error instanceof Malformed) return false
      throw error
    }
  }

  #broken(what: string): void {
    this.#socket?.terminate()
    this.end(this.error('transient', what))
  }

  async #hangUp(): Promise<void> {
    const socket = this.#socket
    if (!socket) {
      this.#scope.cancel('done')
      return this.ready.catch(() => {})
    }
    if (this.#rules.goodbye !== undefined) socket.sendText(this.#rules.goodbye)
    const timer = this.options.clock.setTimer(CLOSE_MS, () => socket.terminate())
    socket.close(1000)
    await socket.closed
    timer.cancel()
  }
}
