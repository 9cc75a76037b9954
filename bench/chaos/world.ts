/**
 * What the doubles and the callers of one run share: which turn is which, whether a fault strikes now, what each caller
 * heard, and whatever went wrong.
 */
import type { StageName } from '../../src/errors.ts'
import type { Conversation, Fault, RunPlan, TurnPlan } from './plan.ts'

export interface Violation {
  readonly turn: number | null
  readonly what: string
}

/** What the caller heard of an answer, in places of its words; and what was called. */
export interface Outcome {
  /** Whole words heard, from the first on. */
  words: number
  /** One more may count: it lacks less than the server lets pass. */
  maybe: 0 | 1
  /** One fewer may be known: the voice broke before it told of it. */
  less: 0 | 1
  toolCalls: number
}

export class World {
  readonly violations: Violation[] = []
  readonly outcomes = new Map<number, Outcome>()
  /** Brings a turn's outcome up to now, while its caller is on the line. */
  readonly listeners = new Map<number, () => void>()
  /** Every strike, `turn stage`. */
  readonly struck = new Set<string>()
  readonly log: { readonly turn: number; readonly at: number; readonly what: string }[] = []
  readonly #plans = new Map<number, TurnPlan>()
  readonly #conversations = new Map<number, Conversation>()
  readonly #attempts = new Map<string, number>()
  readonly #current = new Map<number, TurnPlan>()

  constructor(
    run: RunPlan,
    private readonly now: () => number,
  ) {
    for (const conversation of run.conversations) {
      for (const plan of conversation.turns) {
        this.#plans.set(plan.turn, plan)
        this.#conversations.set(plan.turn, conversation)
        this.outcomes.set(plan.turn, { words: 0, maybe: 0, less: 0, toolCalls: 0 })
      }
    }
  }

  plan(turn: number): TurnPlan | undefined {
    return this.#plans.get(turn)
  }

  /** Turns of the same conversation before this one, oldest first. */
  before(turn: number): readonly TurnPlan[] {
    return this.#conversations.get(turn)?.turns.filter((plan) => plan.turn < turn) ?? []
  }

  /** The caller of a lane begins this turn. */
  begin(plan: TurnPlan): void {
    this.#current.set(plan.lane, plan)
  }

  current(lane: number): TurnPlan | undefined {
    return this.#current.get(lane)
  }

  /** An attempt of a stage of a turn: its fault, if it is to strike this one. `when`: left out, both. */
  attempt(turn: number, stage: StageName, when?: Fault['when']): Fault | undefined {
    const key = `${turn} ${stage}`
    const made = (this.#attempts.get(key) ?? 0) + 1
    const fault = this.faultOf(turn, stage)
    if (when !== undefined && fault && fault.when !== when) return undefined
    this.#attempts.set(key, made)
    return fault && made <= fault.depth ? fault : undefined
  }

  attemptsOf(turn: number, stage: StageName): number {
    return this.#attempts.get(`${turn} ${stage}`) ?? 0
  }

  faultOf(turn: number, stage: StageName): Fault | undefined {
    return this.#plans.get(turn)?.faults.find((fault) => fault.stage === stage)
  }

  strikes(turn: number, { stage, name, when }: Fault): void {
    this.struck.add(`${turn} ${stage}`)
    this.note(turn, `fault ${stage} ${name} (${when})`)
  }

  note(turn: number, what: string): void {
    this.log.push({ turn, at: this.now(), what })
  }

  wrong(turn: number | null, what: string): void {
    if (this.violations.some((one) => one.turn === turn && one.what === what)) return
    this.violations.push({ turn, what })
    if (turn !== null) this.note(turn, `WRONG ${what}`)
  }
}
