/**
 * Where a session writes down its turns: one trace each, from the first sign of a turn to its close and a little
 * beyond, since what was heard may be amended late. Times are the clock's.
 */
import type { Lineup } from '../attempt/lineup.ts'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../trace/metrics.ts'
import type { MarkName, TurnRecord } from '../trace/record.ts'
import type { TurnStore } from '../trace/turn-store.ts'
import { TurnTrace } from '../trace/turn-trace.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { Heard } from './items.ts'
import type { ResponseView } from './output.ts'

/** Turns closed and still open to a late word about what was heard. */
const KEPT_CLOSED = 4

export interface TurnBookOptions {
  readonly clock: Clock
  readonly sessionId: string
  readonly keyId: string | null
  readonly wire: string
  readonly pipeline: string
  readonly turnMs: number
  readonly lineup: Lineup
  readonly turns: TurnStore
  readonly metrics: Metrics
  /** What was heard of a response as far as known now. */
  readonly heardOf: (response: string) => Heard | null
  /** Every record as it is closed or amended, for wires that show it. */
  readonly onRecord?: (record: TurnRecord) => void
}

interface Page {
  readonly trace: TurnTrace
  opened: boolean
  closed: boolean
  /** The newest response, and whether it reached its end. */
  response: string | null
  finished: boolean
  sttFinalAt: number | null
}

export class TurnBook {
  readonly #options: TurnBookOptions
  readonly #pages = new Map<string, Page>()

  constructor(options: TurnBookOptions) {
    this.#options = options
  }

  /** Something of a turn happens that may never become one. Idempotent. */
  begin(turn: string): void {
    if (this.#pages.has(turn)) return
    const {
      lineup,
      turns: _turns,
      metrics: _metrics,
      heardOf: _heardOf,
      onRecord: _onRecord,
      ...facts
    } = this.#options
    const trace = new TurnTrace({ id: turn, ...facts })
    for (const stage of ['stt', 'llm', 'tts'] as const) {
      const first = lineup[stage][0]
      if (first) trace.route(stage, first.route)
    }
    this.#pages.set(turn, {
      trace,
      opened: false,
      closed: false,
      response: null,
      finished: false,
      sttFinalAt: null,
    })
  }

  /** It became none. */
  forget(turn: string): void {
    if (!this.#pages.get(turn)?.opened) this.#pages.delete(turn)
  }

  /** From here on it is a turn; `zeroAt` is what its times count from. */
  open(turn: string, zeroAt: number): void {
    this.begin(turn)
    const page = this.#pages.get(turn) as Page
    page.opened = true
    page.trace.zero(zeroAt)
  }

  attempts(turn: string): AttemptLog | undefined {
    return this.#pages.get(turn)?.trace
  }

  /** The model is asked, for the first time or, if the answer before was dropped, once more. */
  respond(turn: string, response: string): void {
    const page = this.#pages.get(turn)
    if (!page) return
    const { trace } = page
    if (page.response !== null && !page.finished) {
      trace.revise(trace.revision + 1)
      if (page.sttFinalAt !== null) trace.mark('sttFinal', page.sttFinalAt)
    }
    page.response = response
    page.finished = false
    trace.response(response)
  }

  mark(turn: string, name: MarkName, at: number): void {
    const page = this.#pages.get(turn)
    if (!page) return
    if (name === 'sttFinal') page.sttFinalAt = at
    page.trace.mark(name, at)
  }

  underrun(turn: string): void {
    this.#pages.get(turn)?.trace.underrun()
  }

  userSaid(turn: string, text: string): void {
    this.#pages.get(turn)?.trace.userSaid(text)
  }

  /** The record as it stands, for `responseDone`. */
  responseDone(turn: string, response: ResponseView): TurnRecord | null {
    const page = this.#pages.get(turn)
    if (!page) return null
    page.finished = true
    const { trace } = page
    if (response.modality === 'text') trace.textOnly()
    const said = response.output.flatMap((item) =>
      item.type === 'message'
        ? item.parts.map((p) => (p.type === 'text' ? p.text : p.type === 'audio' ? p.transcript : ''))
        : [],
    )
    if (said.length > 0) trace.said(said.join(' ').trim())
    trace.heard(this.#options.heardOf(response.id))
    const record = trace.snapshot()
    // While the answer still plays the record can be read already, as `open`.
    if (page.opened) this.#options.turns.put(record)
    return record
  }

  close(turn: string, outcome: Exclude<TurnRecord['outcome'], 'open'>): void {
    const page = this.#pages.get(turn)
    if (!page || page.closed) return
    page.closed = true
    const heard = page.response === null ? null : this.#options.heardOf(page.response)
    if (heard) page.trace.heard(heard)
    this.#keep(page.trace.close(outcome))
    this.#options.metrics.turn(page.trace.snapshot())
    const closed = [...this.#pages].filter(([, p]) => p.closed)
    for (const [id] of closed.slice(0, -KEPT_CLOSED)) this.#pages.delete(id)
  }

  /** The client's late word on what was heard. */
  amend(turn: string, heard: Heard): void {
    const page = this.#pages.get(turn)
    if (!page) return
    page.trace.heard(heard)
    if (page.closed) this.#keep(page.trace)
  }

  #keep(trace: TurnTrace): void {
    const record = trace.snapshot()
    this.#options.turns.put(record)
    this.#options.onRecord?.(record)
  }
}
