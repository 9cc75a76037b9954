/**
 * One socket to Cartesia and the contexts on it. Messages of a context nobody holds any more are dropped, so late sound
 * after a cancel finds nobody. The server closes a socket that was idle for five minutes, with 1000, as if all were
 * well; so nothing is sent on one that was idle for four.
 */
import { Cancelled, openScope } from '../../cancel.ts'
import type { Clock, Timer } from '../../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../../errors.ts'
import type { Line } from '../answer-stream.ts'
import { dial } from '../dial.ts'
import type { Link } from '../link-pool.ts'
import type { Connect, Socket } from '../socket.ts'
import { kindOfClose, parseMessage, type ServerMessage } from './wire.ts'

/** The provider says "dozens" of contexts a socket; so one that breaks does not take everybody with it. */
const ANSWERS = 16
const CONNECT_MS = 5_000
const IDLE_MS = 240_000
/** From closing to ending the connection without an answer. */
const CLOSE_MS = 1_000

export type ContextMessage = Exclude<ServerMessage, { type: 'error' | 'other' }>

export interface Hearing {
  message(message: ContextMessage): void
  failed(error: ProviderError): void
}

/** An answer's hold on a link. */
export interface CartesiaLine extends Line {
  /** A context id never used before; its messages go to `hearing` until it is dropped. */
  begin(hearing: Hearing): string
  send(text: string): void
  drop(context: string): void
}

export interface LinkOptions {
  readonly connect: Connect
  readonly url: string
  readonly apiKey: string
  readonly provider: string
  readonly clock: Clock
  readonly newContext: () => string
  readonly onOver: (link: CartesiaLink) => void
}

export class CartesiaLink implements Link {
  /** Rejects with `ProviderError`. */
  readonly ready: Promise<void>
  readonly #options: LinkOptions
  readonly #scope = openScope()
  readonly #contexts = new Map<string, Hearing>()
  #answers = 0
  #state: 'opening' | 'open' | 'over' = 'opening'
  #socket: Socket | undefined
  #gone = Promise.resolve()
  #suspected = false
  #timer: Timer | undefined
  #heardAt: number
  /** Last anything was sent or heard. */
  #usedAt: number

  constructor(options: LinkOptions) {
    this.#options = options
    this.#heardAt = this.#usedAt = options.clock.now()
    this.ready = this.#open()
    // Whoever waits for it hears of it; nobody may.
    this.ready.catch(() => {})
  }

  get roomy(): boolean {
    return this.#state !== 'over' && !this.#suspected && !this.#stale && this.#answers < ANSWERS
  }

  get idle(): boolean {
    return this.#answers === 0
  }

  /** Holds a place for one answer, from before the socket is open. */
  lease(): CartesiaLine {
    this.#answers++
    let held = true
    const link = this
    return {
      get usable() {
        return link.#state === 'open' && !link.#stale
      },
      begin: (hearing) => {
        const context = this.#options.newContext()
        this.#contexts.set(context, hearing)
        return context
      },
      send: (text) => {
        this.#usedAt = this.#options.clock.now()
        this.#socket?.sendText(text)
      },
      drop: (context) => void this.#contexts.delete(context),
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

  close(): Promise<void> {
    this.#end(this.#error('cancelled', 'the provider was closed'))
    return this.#gone
  }

  get #stale(): boolean {
    return this.#state === 'open' && this.#options.clock.now() - this.#usedAt >= IDLE_MS
  }

  async #open(): Promise<void> {
    const { connect, url, apiKey, provider, clock } = this.#options
    const headers = { 'x-api-key': apiKey }
    const { signal } = this.#scope
    try {
      const call = { connect, url, headers, provider, stage: 'tts', signal, clock } as const
      this.#socket = await dial({ ...call, connectMs: CONNECT_MS })
    } catch (error) {
      const ours = error instanceof Cancelled
      const failure = ours ? this.#error('cancelled', 'the provider was closed') : error
      this.#end(failure as ProviderError)
      throw failure
    }
    this.#state = 'open'
    this.#heardAt = this.#usedAt = clock.now()
    this.#watch(IDLE_MS)
    this.#listen(this.#socket).catch(() => this.#broken('a message could not be handled'))
  }

  /** Closes an idle socket before the server does. */
  #watch(ms: number): void {
    const { clock } = this.#options
    this.#timer = clock.setTimer(ms, () => {
      const leftMs = this.#usedAt + IDLE_MS - clock.now()
      if (leftMs > 0) this.#watch(leftMs)
      else if (this.idle) void this.close()
      // An answer that pauses so long takes another line at its next sentence, and lets go of this one.
    })
  }

  async #listen(socket: Socket): Promise<void> {
    for await (const data of socket.messages) {
      this.#heardAt = this.#usedAt = this.#options.clock.now()
      const message = typeof data === 'string' ? parseMessage(data) : undefined
      if (!message) return this.#broken('a message was not understood')
      this.#hear(message)
      if (this.#state === 'over') return
    }
    const { code, reason } = await socket.closed
    this.#end(this.#error(kindOfClose(code, reason), `the connection closed with ${code}`))
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'other') return
    if (message.type !== 'error') return this.#contexts.get(message.context)?.message(message)
    const failure = this.#error(message.kind, message.message)
    // Without a context it may be any of them.
    if (message.context === undefined) return this.#end(failure)
    const hearing = this.#contexts.get(message.context)
    this.#contexts.delete(message.context)
    hearing?.failed(failure)
  }

  #broken(what: string): void {
    this.#socket?.terminate()
    this.#end(this.#error('transient', what))
  }

  /** Everything open fails; the link is no more. */
  #end(error: ProviderError): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#timer?.cancel()
    this.#options.onOver(this)
    const open = [...this.#contexts.values()]
    this.#contexts.clear()
    for (const hearing of open) hearing.failed(error)
    this.#gone = this.#hangUp()
  }

  async #hangUp(): Promise<void> {
    const socket = this.#socket
    if (!socket) {
      this.#scope.cancel('done')
      return this.ready.catch(() => {})
    }
    const timer = this.#options.clock.setTimer(CLOSE_MS, () => socket.terminate())
    socket.close(1000)
    await socket.closed
    timer.cancel()
  }

  #error(kind: ProviderErrorKind, message: string): ProviderError {
    return new ProviderError({ provider: this.#options.provider, stage: 'tts', kind, message })
  }
}
