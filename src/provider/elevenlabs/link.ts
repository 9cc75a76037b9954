/**
 * One socket to ElevenLabs and the contexts on it, one for each sentence being spoken. The server counts at most five
 * contexts, and counts one until it has said `isFinal`, also when nobody wants its sound any more; so do we.
 *
 *     opening ─► open ─► over
 *
 * While nothing is spoken a spare context, already opened, is kept alive: it keeps the socket warm, and the next
 * sentence is spoken in it.
 */
import { Cancelled, openScope } from '../../cancel.ts'
import type { Clock, Timer } from '../../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../../errors.ts'
import type { Alignment } from '../aligned-words.ts'
import type { Line } from '../answer-stream.ts'
import { dial } from '../dial.ts'
import type { Link } from '../link-pool.ts'
import { type Connect, type Socket, UpgradeRefused } from '../socket.ts'
import {
  CLOSE_SOCKET,
  closeContext,
  honestStatus,
  keepContext,
  kindOfClose,
  kindOfCode,
  openContext,
  parseMessage,
  type ServerMessage,
  speakText,
  type VoiceSettings,
} from './wire.ts'

/** The provider's own limit. */
const CONTEXTS = 5
/** Two sentences at once each: the one that sounds and the one after it. The fifth place is for what was cut off. */
const ANSWERS = 2
const CONTEXTS_AN_ANSWER = 2
const CONNECT_MS = 5_000
/** Half of what kills a context. */
const KEEP_ALIVE_MS = 10_000
/** Nobody spoke for so long: the socket goes. */
const IDLE_MS = 240_000
/** Contexts are open and the socket is silent, longer than the server lets a context live: it lost them. */
const STALLED_MS = 30_000
/** From asking the server to close to closing. */
const CLOSE_MS = 1_000

export interface Hearing {
  audio(bytes: Uint8Array, alignment: Alignment | undefined): void
  /** No more of it. */
  final(): void
  failed(error: ProviderError): void
}

/** An answer's hold on a link. */
export interface ElevenLabsLine extends Line {
  /** Speaks a whole sentence; undefined while no context is free. The function given back lets go of its sound. */
  speak(text: string, hearing: Hearing): (() => void) | undefined
}

export interface LinkOptions {
  readonly connect: Connect
  readonly url: string
  readonly apiKey: string
  readonly provider: string
  /** The same for every context of a socket: the server closes it on a context that differs. */
  readonly settings: VoiceSettings
  readonly clock: Clock
  readonly onOver: () => void
}

export class ElevenLabsLink implements Link {
  /** Rejects with `ProviderError`. */
  readonly ready: Promise<void>
  readonly #options: LinkOptions
  readonly #scope = openScope()
  /** Contexts the server counts, with who hears them; null: nobody any more. */
  readonly #contexts = new Map<string, Hearing | null>()
  /** The answers' `onRoom`. */
  readonly #answers = new Set<() => void>()
  #state: 'opening' | 'open' | 'over' = 'opening'
  #socket: Socket | undefined
  #gone = Promise.resolve()
  #spare: string | undefined
  #suspected = false
  #opened = 0
  #tick: Timer | undefined
  #heardAt: number
  #usedAt: number

  constructor(options: LinkOptions) {
    this.#options = options
    this.#heardAt = this.#usedAt = options.clock.now()
    this.ready = this.#open()
    // Whoever waits for it hears of it; nobody may.
    this.ready.catch(() => {})
  }

  get roomy(): boolean {
    const free = CONTEXTS - this.#contexts.size
    const fits = this.#answers.size < ANSWERS && free >= CONTEXTS_AN_ANSWER
    return this.#state !== 'over' && !this.#suspected && fits
  }

  get idle(): boolean {
    return this.#answers.size === 0
  }

  /** Holds a place for one answer, from before the socket is open. */
  lease(onRoom: () => void): ElevenLabsLine {
    this.#answers.add(onRoom)
    const link = this
    return {
      get usable() {
        return link.#state === 'open'
      },
      speak: (text, hearing) => this.#speak(text, hearing),
      suspect: (since) => {
        if (this.#heardAt <= since) this.#suspected = true
      },
      release: () => {
        this.#answers.delete(onRoom)
        if (this.#suspected && this.idle) void this.close()
      },
    }
  }

  close(): Promise<void> {
    this.#end(this.#error('cancelled', 'the provider was closed'))
    return this.#gone
  }

  async #open(): Promise<void> {
    const { url, apiKey, provider, clock } = this.#options
    const headers = { 'xi-api-key': apiKey }
    const { signal } = this.#scope
    const connect: Connect = (request) => this.#options.connect(request).catch(rethrowHonestly)
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
    this.#arm()
    this.#listen(this.#socket).catch(() => this.#broken('a message could not be handled'))
  }

  #speak(text: string, hearing: Hearing): (() => void) | undefined {
    if (this.#contexts.size >= CONTEXTS) return undefined
    const context = this.#spare ?? this.#begin()
    this.#spare = undefined
    this.#contexts.set(context, hearing)
    this.#usedAt = this.#options.clock.now()
    this.#socket?.sendText(speakText(context, text))
    this.#socket?.sendText(closeContext(context))
    return () => {
      if (this.#contexts.get(context) === hearing) this.#contexts.set(context, null)
    }
  }

  #begin(): string {
    const context = `s${++this.#opened}`
    this.#socket?.sendText(openContext(context, this.#options.settings))
    return context
  }

  async #listen(socket: Socket): Promise<void> {
    for await (const data of socket.messages) {
      this.#heardAt = this.#options.clock.now()
      const message = typeof data === 'string' ? parseMessage(data) : undefined
      if (!message) return this.#broken('a message was not understood')
      this.#hear(message)
      if (this.#state === 'over') return
    }
    const { code, reason } = await socket.closed
    this.#end(this.#error(kindOfClose(code, reason), `the connection closed with ${code}`))
  }

  #hear({ context, audio, alignment, final, error }: ServerMessage): void {
    if (error !== undefined) {
      const failure = this.#error(kindOfCode(error), `the provider says ${error}`)
      // Without a context it may be any of them, and the socket closes.
      if (context === undefined) return this.#end(failure)
      return this.#over(context, (hearing) => hearing.failed(failure))
    }
    if (context === undefined) return
    if (audio) this.#contexts.get(context)?.audio(audio, alignment)
    if (final) this.#over(context, (hearing) => hearing.final())
  }

  #over(context: string, tell: (hearing: Hearing) => void): void {
    if (this.#spare === context) this.#spare = undefined
    const hearing = this.#contexts.get(context)
    if (!this.#contexts.delete(context)) return
    this.#usedAt = this.#options.clock.now()
    if (hearing) tell(hearing)
    for (const onRoom of [...this.#answers]) onRoom()
  }

  #arm(): void {
    this.#tick = this.#options.clock.setTimer(KEEP_ALIVE_MS, () => {
      this.#arm()
      this.#keepWarm()
    })
  }

  #keepWarm(): void {
    const now = this.#options.clock.now()
    const busy = this.#contexts.size > 0
    if (busy && now - this.#heardAt >= STALLED_MS) this.#suspected = true
    const unused = busy ? this.#suspected : now - this.#usedAt >= IDLE_MS
    if (this.idle && unused) return void this.close()
    if (busy) return
    if (this.#spare === undefined) this.#spare = this.#begin()
    else this.#socket?.sendText(keepContext(this.#spare))
  }

  #broken(what: string): void {
    this.#socket?.terminate()
    this.#end(this.#error('transient', what))
  }

  /** Everything open fails; the link is no more. */
  #end(error: ProviderError): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#tick?.cancel()
    this.#options.onOver()
    const open = [...this.#contexts.values()]
    this.#contexts.clear()
    for (const hearing of open) hearing?.failed(error)
    // Whoever waits for a free context here finds another socket.
    for (const onRoom of [...this.#answers]) onRoom()
    this.#gone = this.#hangUp()
  }

  async #hangUp(): Promise<void> {
    const socket = this.#socket
    if (!socket) {
      this.#scope.cancel('done')
      return this.ready.catch(() => {})
    }
    // The server acts on `close_socket` only while no context is open.
    if (this.#spare !== undefined) socket.sendText(closeContext(this.#spare))
    socket.sendText(CLOSE_SOCKET)
    const timer = this.#options.clock.setTimer(CLOSE_MS, () => socket.terminate())
    socket.close(1000)
    await socket.closed
    timer.cancel()
  }

  #error(kind: ProviderErrorKind, message: string): ProviderError {
    return new ProviderError({ provider: this.#options.provider, stage: 'tts', kind, message })
  }
}

function rethrowHonestly(error: unknown): never {
  if (!(error instanceof UpgradeRefused)) throw error
  throw new UpgradeRefused(honestStatus(error.status, error.body), error.headers, error.body)
}
