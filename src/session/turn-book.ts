/**
 * Where a session writes down its turns: one trace each, from the first sign of a turn to its close and a little
 * beyond, since what was heard may be amended late. Times are the clock's.
 */
import type { BudgetPlan } from '../budget/plan.ts'
import type { Clock } from '../clock.ts'
import type { ExperimentBook, Exposure, TurnFacts } from '../experiment/book.ts'
import type { Metrics } from '../trace/metrics.ts'
import type { MarkName, TurnEnd, TurnRecord } from '../trace/record.ts'
import type { TurnStore } from '../trace/turn-store.ts'
import { type PressedKey, TurnTrace } from '../trace/turn-trace.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { Effect } from './effects.ts'
import type { Heard } from './items.ts'
import type { ResponseView } from './output.ts'

/** Turns closed and still open to a late word about what was heard. */
const KEPT_CLOSED = 4
/** Of a turn of many tool rounds, the last that are heard. The speaker keeps as many. */
const MAX_RESPONSES = 8
/** As many as a record holds. */
const MAX_EARLY_KEYS = 64

export interface TurnBookOptions {
  readonly clock: Clock
  readonly sessionId: string
  readonly keyId: string | null
  readonly wire: string
  readonly pipeline: string
  readonly turnMs: number
  readonly turns: TurnStore
  readonly metrics: Metrics
  /** Left out: nobody keeps figures of experiments. */
  readonly experiments?: ExperimentBook
  /** What was heard of a response as far as known now. */
  readonly heardOf: (response: string) => Heard | null
  /** Every record as it is closed or amended, for wires that show it. */
  readonly onRecord?: (record: TurnRecord) => void
}

interface Page {
  readonly trace: TurnTrace
  opened: boolean
  closed: boolean
  /** What answered it, oldest first; a tool's result is answered by another. `said` is by the one it is of. */
  responses: string[]
  readonly said: Map<string, string>
  /** Whether the newest response reached its end. */
  finished: boolean
  sttFinalAt: number | null
}

export class TurnBook {
  readonly #options: TurnBookOptions
  readonly #pages = new Map<string, Page>()
  /** Pressed before there was a turn. */
  #early: readonly PressedKey[] = []

  constructor(options: TurnBookOptions) {
    this.#options = options
  }

  /** Something of a turn happens that may never become one. Idempotent. */
  begin(turn: string): void {
    if (this.#pages.has(turn)) return
    const {
      turns: _turns,
      metrics: _metrics,
      experiments: _experiments,
      heardOf: _heardOf,
      onRecord: _onRecord,
      ...facts
    } = this.#options
    const trace = new TurnTrace({ id: turn, ...facts })
    this.#pages.set(turn, {
      trace,
      opened: false,
      closed: false,
      responses: [],
      said: new Map(),
      finished: false,
      sttFinalAt: null,
    })
  }

  /** It became none. */
  forget(turn: string): void {
    if (!this.#pages.get(turn)?.opened) this.#pages.delete(turn)
  }

  /** From here on it is a turn; `zeroAt` is what its times count from. */
  open(turn: string, zeroAt: number, endedBy?: TurnEnd): void {
    this.begin(turn)
    const page = this.#pages.get(turn) as Page
    page.opened = true
    page.trace.zero(zeroAt)
    if (endedBy) page.trace.ended(endedBy)
    page.trace.pressed(this.#early)
    this.#early = []
  }

  attempts(turn: string): AttemptLog | undefined {
    return this.#pages.get(turn)?.trace
  }

  /** The model is asked, for the first time or, if the answer before was dropped, once more. */
  respond(turn: string, response: string): void {
    const page = this.#pages.get(turn)
    if (!page) return
    const { trace } = page
    if (page.responses.length > 0 && !page.finished) {
      page.responses.pop()
      trace.revise(trace.revision + 1)
      if (page.sttFinalAt !== null) trace.mark('sttFinal', page.sttFinalAt)
    }
    page.responses.push(response)
    if (page.responses.length > MAX_RESPONSES) page.said.delete(page.responses.shift()!)
    page.finished = false
    trace.response(response)
  }

  degraded(turn: string, what: string): void {
    this.#pages.get(turn)?.trace.degraded(what)
  }

  /** An answer of these variants was let go to the caller. */
  exposed(turn: string, exposures: readonly Exposure[]): void {
    if (exposures.length === 0) return
    this.#pages.get(turn)?.trace.exposed(exposures)
    this.#options.experiments?.exposed(this.#options.sessionId, exposures)
  }

  /** Where each part of the turn's time was meant to go. */
  planned(turn: string, { shares }: BudgetPlan): void {
    this.#pages.get(turn)?.trace.plan(shares)
  }

  mark(turn: string, name: MarkName, at: number): void {
    const page = this.#pages.get(turn)
    if (!page) return
    if (name === 'sttFinal') page.sttFinalAt = at
    page.trace.mark(name, at)
    // The words that interrupt may open the next turn before the cut is reported.
    if (page.closed && name === 'interrupted') this.#keep(page.trace)
  }

  underrun(turn: string): void {
    this.#pages.get(turn)?.trace.underrun()
  }

  /** Keys of the telephone; `turn` null: of the newest turn, or of the first one if there is none yet. */
  #keys(turn: string | null, keys: readonly PressedKey[]): void {
    const page = turn === null ? this.#newest() : this.#pages.get(turn)
    if (!page?.opened) {
      this.#early = [...this.#early, ...keys].slice(-MAX_EARLY_KEYS)
      return
    }
    if (page.trace.pressed(keys) === 'full') return
    if (page.closed) this.#keep(page.trace)
    else if (page.finished) this.#options.turns.put(page.trace.snapshot())
  }

  #newest(): Page | undefined {
    return [...this.#pages.values()].findLast(({ opened }) => opened)
  }

  #userSaid(turn: string, text: string, language: string | null): void {
    this.#pages.get(turn)?.trace.userSaid(text, language)
  }

  do(effect: Extract<Effect, { do: 'mark' | 'userSaid' | 'keys' }>): void {
    switch (effect.do) {
      case 'mark':
        return this.mark(effect.turn, effect.name, effect.at)
      case 'userSaid':
        return this.#userSaid(effect.turn, effect.text, effect.language)
      case 'keys':
        return this.#keys(effect.turn, effect.keys)
      default:
        effect satisfies never
    }
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
    if (said.length > 0) page.said.set(response.id, said.join(' ').trim())
    if (page.said.size > 0) trace.said([...page.said.values()].join(' '))
    this.#hear(page)
    const record = trace.snapshot()
    // While the answer still plays the record can be read already, as `open`.
    if (page.opened) this.#options.turns.put(record)
    return record
  }

  close(turn: string, outcome: Exclude<TurnRecord['outcome'], 'open'>): void {
    const page = this.#pages.get(turn)
    if (!page || page.closed) return
    page.closed = true
    this.#hear(page)
    this.#keep(page.trace.close(outcome))
    const record = page.trace.snapshot()
    this.#options.metrics.turn(record)
    this.#options.experiments?.turn(record.sessionId, factsOf(record))
    const closed = [...this.#pages].filter(([, p]) => p.closed)
    for (const [id] of closed.slice(0, -KEPT_CLOSED)) this.#pages.delete(id)
  }

  /** The client's late word on what was heard. */
  amend(turn: string): void {
    const page = this.#pages.get(turn)
    if (!page) return
    this.#hear(page)
    if (page.closed) this.#keep(page.trace)
  }

  /** What was heard of all that answered it. */
  #hear(page: Page): void {
    const heard = page.responses.flatMap((response) => this.#options.heardOf(response) ?? [])
    if (heard.length === 0) return
    const text = heard.map((one) => one.text).filter((one) => one !== '')
    const ms = heard.reduce((sum, one) => sum + one.ms, 0)
    page.trace.heard({ ms, text: text.join(' '), interrupted: heard.some((one) => one.interrupted) })
  }

  #keep(trace: TurnTrace): void {
    const record = trace.snapshot()
    this.#options.turns.put(record)
    this.#options.onRecord?.(record)
  }
}

function factsOf({ budget, costUsd, heard, outcome }: TurnRecord): TurnFacts {
  return {
    firstAudioMs: budget.actualMs,
    costUsd,
    interrupted: heard?.interrupted ? 'yes' : 'no',
    outcome: outcome === 'open' || outcome === 'transcribed' ? 'superseded' : outcome,
    degraded: budget.degraded.length > 0 ? 'yes' : 'no',
  }
}
