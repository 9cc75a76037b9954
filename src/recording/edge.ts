/**
 * The edge of a session: everything that comes to it from outside, and all it does there. A recording writes it down; a
 * replay answers it from the file. Two kinds of facts make a recording:
 *
 *     step    something came in: audio, a client's event, a pull of the wire, a timer, an answer of a worker or provider.
 *             Each has a turn of the event loop for itself, and the session's clock stands still until the next one
 *     mark    what the session did in that step: what it asked, what it was told at once, what it put out
 *
 * So the marks follow from the steps, and a replay that hands in the same steps must see the same marks.
 */
import type { Clock } from '../clock.ts'

/** What is written of a mark; encoded by the edge. */
export type Detail = Readonly<Record<string, unknown>>

export interface Edge {
  /** Stands still within a step; its timers fire as steps. */
  readonly clock: Clock
  /** The session did this: told a provider, put out an event. */
  tell(kind: string, detail: Detail): void
  /** The session asked and was answered at once. `otherwise`: for a replay that has gone another way. */
  ask<T>(kind: string, detail: Detail, answer: () => T, otherwise: T): T
  /** The session asked and is answered in a step of its own. `signal`'s reason is not written, only that it was the reason. */
  run<T>(kind: string, detail: Detail, signal: AbortSignal, start: () => Promise<T>): Promise<T>
  /** For what is too long to be written: a hash of what would have been. */
  hash(value: unknown): string
}

/** Numbers what is opened at the edge, in the order of opening. */
export class Count {
  #last = 0
  next(): number {
    return ++this.#last
  }
}

/** An iterator whose every answer is a step. */
export function overEdge<T>(
  edge: Edge,
  kind: string,
  id: number,
  signal: AbortSignal,
  real: () => AsyncIterator<T>,
): AsyncIterator<T> {
  return {
    next: () => edge.run(`${kind}.next`, { id }, signal, () => real().next()),
    return: () =>
      edge.run(
        `${kind}.return`,
        { id },
        signal,
        async () => (await real().return?.()) ?? { value: undefined, done: true },
      ),
  }
}
