/**
 * One socket to Cartesia and the contexts on it. Messages of a context nobody holds any more are dropped, so late sound
 * after a cancel finds nobody. The server closes a socket that was idle for five minutes, with 1000, as if all were
 * well; so nothing is sent on one that was idle for four.
 */
import type { ProviderError, ProviderErrorKind } from '../../errors.ts'
import type { Line } from '../answer-stream.ts'
import { SpeechLink, type SpeechLinkOptions } from '../speech-link.ts'
import { kindOfClose, parseMessage, type ServerMessage } from './wire.ts'

/** The provider says "dozens" of contexts a socket; so one that breaks does not take everybody with it. */
const RULES = { answers: 16, idleMs: 240_000 }

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

export class CartesiaLink extends SpeechLink {
  readonly #newContext: () => string
  readonly #contexts = new Map<string, Hearing>()

  constructor(options: SpeechLinkOptions, newContext: () => string) {
    super(options, RULES)
    this.#newContext = newContext
  }

  lease(): CartesiaLine {
    return Object.assign(this.hold(), {
      begin: (hearing: Hearing) => {
        const context = this.#newContext()
        this.#contexts.set(context, hearing)
        return context
      },
      send: (text: string) => this.send(text),
      drop: (context: string) => void this.#contexts.delete(context),
    })
  }

  protected heard(data: string | Uint8Array): boolean {
    const message = typeof data === 'string' ? parseMessage(data) : undefined
    if (message) this.#hear(message)
    return message !== undefined
  }

  protected lost(error: ProviderError): void {
    const open = [...this.#contexts.values()]
    this.#contexts.clear()
    for (const hearing of open) hearing.failed(error)
  }

  protected override kindOfClose(code: number, reason: string): ProviderErrorKind {
    return kindOfClose(code, reason)
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'other') return
    if (message.type !== 'error') return this.#contexts.get(message.context)?.message(message)
    const failure = this.error(message.kind, message.message)
    // Without a context it may be any of them.
    if (message.context === undefined) return this.end(failure)
    const hearing = this.#contexts.get(message.context)
    this.#contexts.delete(message.context)
    hearing?.failed(failure)
  }
}
