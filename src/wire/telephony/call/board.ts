/**
 * What happens to calls, told at once to whoever watches those of a key: `GET /v1/calls/events`. Nobody waits for a watcher, and
 * without one nothing is made.
 */
import type { Clock } from '../../../clock.ts'
import type { Call, CallEnd } from './call.ts'

export type CallNews =
  | { readonly type: 'call.started' }
  /** A key of the telephone: `0-9 * # A-D`. */
  | { readonly type: 'call.digit'; readonly digit: string }
  | { readonly type: 'call.ended'; readonly why: CallEnd }

export interface Watcher {
  /** Of the calls that it may see; null: those of nobody's key. */
  readonly keyId: string | null
  /** `json`: the whole event. Throws nothing. */
  tell(type: CallNews['type'], json: string): void
  /** There is nothing more to see: the server closes. */
  end(): void
}

/** Each is a socket that stays open. */
const MAX_WATCHERS = 200
/** One key leaves room for others. */
const MAX_OF_A_KEY = 20

export class CallBoard {
  readonly #clock: Clock
  readonly #watchers = new Set<Watcher>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Told from now on, until `leave`. */
  join(watcher: Watcher): 'joined' | 'full' {
    const own = [...this.#watchers].filter(({ keyId }) => keyId === watcher.keyId)
    if (this.#watchers.size >= MAX_WATCHERS || own.length >= MAX_OF_A_KEY) return 'full'
    this.#watchers.add(watcher)
    return 'joined'
  }

  leave(watcher: Watcher): void {
    this.#watchers.delete(watcher)
  }

  tell(call: Call, news: CallNews): void {
    const watchers = [...this.#watchers].filter(({ keyId }) => keyId === call.keyId)
    if (watchers.length === 0) return
    const { type, ...facts } = news
    const at = new Date(this.#clock.wallMs()).toISOString()
    const json = JSON.stringify({ type, at, call: callObject(call), ...facts })
    for (const watcher of watchers) watcher.tell(type, json)
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end()
    this.#watchers.clear()
  }
}

/** A call as the API shows it. */
export function callObject({ bridge, start, session, isOver, isWaiting }: Call) {
  return {
    id: `${bridge.name}/${start.callId}`,
    object: 'call',
    bridge: bridge.name,
    from: start.from,
    to: start.to,
    session_id: session.id,
    state: isOver ? 'ended' : isWaiting ? 'reconnecting' : 'connected',
  }
}
