/** What a language-model adapter offers: one call, one stream of neutral events; and its own wire, for the gateway. */
import type { Clock } from '../clock.ts'
import type { Delivery, DialectName, Encoded, Frame } from '../dialect/codec.ts'
import type { ModelEvent, ModelRequest } from '../dialect/neutral.ts'

export interface LlmCaps {
  readonly tools: boolean
  readonly json: boolean
  /** The last message may be the assistant's own beginning, which the model continues. */
  readonly prefill: boolean
}

export interface LlmStreamOptions {
  readonly signal: AbortSignal
  readonly clock: Clock
}

export interface LlmAdapter {
  /** `provider/model`. */
  readonly id: string
  readonly caps: LlmCaps
  /** It will be asked soon: connects, unless a connection stands. Never throws. Left out: there is nothing to connect. */
  warm?(): void
  /** The iteration throws `ProviderError`, or the signal's reason once it aborts. */
  stream(request: ModelRequest, options: LlmStreamOptions): AsyncIterable<ModelEvent>
  /** What `stream` leaves out of a request, as `Encoded.dropped`; where it has no wire. */
  omits?(request: ModelRequest): readonly string[]
  /** Left out: it has no wire of its own, and is asked by `stream`. */
  readonly wire?: LlmWire
}

/** A whole answer: the provider's JSON text, and what it means. */
export interface WholeAnswer {
  readonly text: string
  readonly events: readonly ModelEvent[]
}

export interface WireCall extends LlmStreamOptions {
  /** In the dialect. */
  readonly body: Readonly<Record<string, unknown>>
  /** Lists, in lower case, added to those of the adapter. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The model by its own dialect. What is thrown is as with `stream`. */
export interface LlmWire {
  readonly dialect: DialectName
  encode(request: ModelRequest, delivery: Delivery): Encoded
  /** A client's body of the same dialect, as this server wants it. `drop` is told each member that had to be left out. */
  fit(body: Record<string, unknown>, drop?: (member: string) => void): Record<string, unknown>
  /** As reads of the socket bring them. */
  frames(call: WireCall): AsyncIterable<readonly Frame[]>
  whole(call: WireCall): Promise<WholeAnswer>
}
