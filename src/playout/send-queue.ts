/**
 * The one queue between a session and its wire. Two lanes:
 *
 *     control ─► ┌─────────────┐
 *                │ overtakes   │ ─► for await (one reader: the wire; taking an item is what "sent" means)
 *     answer  ─► │ keeps order │
 *                └─────────────┘
 *
 * Producers of answers wait for `room`, so that what was synthesised but not yet sent stays small and can be taken
 * back; control never waits. A reader that stops reading fills a lane to its bound, and `onOverflow` is called once.
 */
import { orAborted } from '../cancel.ts'

export interface SendQueueOptions<T> {
  /** Items an interruption may take back: audio and text deltas, never the events that open or close something. */
  readonly droppable: (item: T) => boolean
  /** Called as the reader takes each item, before it sees it. */
  readonly onTaken?: (item: T) => void
  /** The reader does not read: called once, and the queue has aborted. Close the session with an error. */
  readonly onOverflow?: () => void
  readonly answerBytes?: number
  readonly laneItems?: number
  readonly laneBytes?: number
}

export interface AnswerFacts {
  /** What the item weighs on the wire, about: 0 for the small ones. */
  readonly bytes: number
  readonly response: string
}

/**
 * Where `room` ends: 64 kB are 1.4 s of PCM16 at 24 kHz (8 s of G.711), enough to ride out a slow reader and
 * little enough to throw away at an interruption; the socket below holds as much again.
 */
export const ANSWER_BYTES = 64 * 1024
/** A client that creates items in a flood gets two control events each before the reader runs: 4,096 allow 2,000. */
export const LANE_ITEMS = 4096
/** Two retrievals of the longest item kept (8 MB) may wait at once. */
export const LANE_BYTES = 20 * 1024 * 1024

interface Queued<T> {
  readonly item: T
  readonly bytes: number
  readonly response: string
}

interface Mark {
  readonly fire: () => void
  readonly response: string | null
}

type Reader<T> = (result: IteratorResult<T>) => void

export class SendQueue<T> implements AsyncIterable<T> {
  readonly #options: SendQueueOptions<T>
  readonly #answerBytes: number
  readonly #laneItems: number
  readonly #laneBytes: number
  readonly #control: Queued<T>[] = []
  #answer: (Queued<T> | Mark)[] = []
  #controlWeight = 0
  #answerWeight = 0
  #waiting: (() => void)[] = []
  #reader: Reader<T> | undefined
  #iterated = false
  #state: 'open' | 'closing' | 'ended' = 'open'

  constructor(options: SendQueueOptions<T>) {
    this.#options = options
    this.#answerBytes = options.answerBytes ?? ANSWER_BYTES
    this.#laneItems = options.laneItems ?? LANE_ITEMS
    this.#laneBytes = options.laneBytes ?? LANE_BYTES
  }

  /** Bytes of answers not yet taken. */
  get answerBytes(): number {
    return this.#answerWeight
  }

  /** Overtakes all answers. Ignored once closed. `bytes` where the item is heavy (retrieved audio). */
  control(item: T, bytes = 0): void {
    if (this.#state !== 'open') return
    if (this.#handOver(item)) return
    this.#control.push({ item, bytes, response: '' })
    this.#controlWeight += bytes
    if (this.#control.length > this.#laneItems || this.#controlWeight > this.#laneBytes) this.#overflow()
  }

  /** Keeps its order among answers. Ignored once closed. Await `room` before heavy ones. */
  answer(item: T, facts: AnswerFacts): void {
    if (this.#state !== 'open') return
    if (this.#handOver(item)) return
    this.#answer.push({ item, bytes: facts.bytes, response: facts.response })
    this.#answerWeight += facts.bytes
    this.#checkAnswers()
  }

  /**
   * Resolves when less than the bound is queued, or when the queue ends (what is added then is ignored). Rejects with
   * the signal's reason when that aborts.
   */
  room(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#state !== 'open' || this.#answerWeight < this.#answerBytes) return Promise.resolve()
    let wake = () => {}
    const room = new Promise<void>((resolve) => {
      wake = resolve
      this.#waiting.push(wake)
    })
    return orAborted(room, signal).catch((error) => {
      this.#waiting = this.#waiting.filter((one) => one !== wake)
      throw error
    })
  }

  /**
   * Calls `fire` once all answers queued before are taken: at once when none is. With a `response`, dropping that
   * response forgets the mark; so does the queue's end.
   */
  after(fire: () => void, response: string | null = null): void {
    if (this.#state !== 'open') return
    if (this.#answer.length === 0) return fire()
    this.#answer.push({ fire, response })
    this.#checkAnswers()
  }

  /** Takes back what of a response may be taken back, in order, and forgets its marks. */
  drop(response: string): T[] {
    const dropped: T[] = []
    this.#answer = this.#answer.filter((entry) => {
      if (entry.response !== response) return true
      if (!('item' in entry)) return false
      if (!this.#options.droppable(entry.item)) return true
      dropped.push(entry.item)
      this.#answerWeight -= entry.bytes
      return false
    })
    this.#fireMarks()
    this.#wakeWriters()
    return dropped
  }

  /** Nothing more is accepted; answers are forgotten; the reader gets the queued control items, then the end. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#forgetAnswers()
    if (this.#control.length === 0) this.#end()
  }

  /** Ends at once: the reader gets no further item. */
  abort(): void {
    if (this.#state === 'ended') return
    this.#control.length = 0
    this.#controlWeight = 0
    this.#forgetAnswers()
    this.#end()
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    if (this.#iterated) throw new Error('the send queue has its reader already')
    this.#iterated = true
    return {
      next: () => this.#next(),
      return: () => {
        this.abort()
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  #next(): Promise<IteratorResult<T>> {
    const queued = this.#control.shift()
    if (queued) {
      this.#controlWeight -= queued.bytes
      this.#options.onTaken?.(queued.item)
      if (this.#state === 'closing' && this.#control.length === 0) this.#end()
      return Promise.resolve({ value: queued.item, done: false })
    }
    if (this.#state === 'ended') return Promise.resolve({ value: undefined, done: true })
    const next = this.#answer.shift()
    // A mark never stands first: it is fired as soon as what stood before it is gone.
    if (next && 'item' in next) {
      this.#answerWeight -= next.bytes
      this.#options.onTaken?.(next.item)
      this.#fireMarks()
      this.#wakeWriters()
      return Promise.resolve({ value: next.item, done: false })
    }
    if (this.#reader) return Promise.reject(new Error('the send queue is read one item at a time'))
    return new Promise((resolve) => {
      this.#reader = resolve
    })
  }

  #handOver(item: T): boolean {
    const reader = this.#reader
    if (!reader) return false
    this.#reader = undefined
    this.#options.onTaken?.(item)
    reader({ value: item, done: false })
    return true
  }

  #fireMarks(): void {
    for (let first = this.#answer[0]; first && !('item' in first); first = this.#answer[0]) {
      this.#answer.shift()
      first.fire()
    }
  }

  #wakeWriters(): void {
    if (this.#waiting.length === 0 || (this.#state === 'open' && this.#answerWeight >= this.#answerBytes))
      return
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #forgetAnswers(): void {
    this.#answer = []
    this.#answerWeight = 0
  }

  #checkAnswers(): void {
    if (this.#answer.length > this.#laneItems || this.#answerWeight > this.#laneBytes) this.#overflow()
  }

  #overflow(): void {
    this.abort()
    this.#options.onOverflow?.()
  }

  #end(): void {
    this.#state = 'ended'
    this.#wakeWriters()
    this.#reader?.({ value: undefined, done: true })
    this.#reader = undefined
  }
}
