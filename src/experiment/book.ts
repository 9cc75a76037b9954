/**
 * All experiments of the process: which conversation was exposed to which variant, what became of it, and which variants were
 * stopped. Fed by the turns' records; bounded by the open conversations and the newest that ended. Pure.
 *
 *     exposed ─► turn turn turn … ─► closed ─► one observation a variant ─► guard-rails ─► stopped
 *                    feedback ────────┴──────────► (replaces the conversation's own)
 */
import { Figures, type Guardrail, type Observation, type Stop, type VariantTold } from './figures.ts'

/** An experiment as the pipelines have it now. */
export interface Plan {
  readonly name: string
  /** The first is the control. */
  readonly variants: readonly string[]
  readonly guardrails: readonly Guardrail[]
}

export interface Exposure {
  readonly experiment: string
  readonly variant: string
}

/** Of one closed turn. */
export interface TurnFacts {
  /** Null: nothing was heard. */
  readonly firstAudioMs: number | null
  readonly costUsd: number | null
  readonly interrupted: 'yes' | 'no'
  readonly outcome: 'said' | 'superseded' | 'failed' | 'cancelled'
  readonly degraded: 'yes' | 'no'
}

export interface ExperimentTold {
  readonly name: string
  readonly running: 'yes' | 'no'
  readonly variants: readonly VariantTold[]
}

interface Conversation {
  readonly exposures: Map<string, string>
  turns: number
  firstAudioMs: number
  heard: number
  costUsd: number
  priced: number
  interruptions: number
  errors: number
  degraded: number
  /** By what it is of, such as a turn. */
  readonly scores: Map<string, number>
  closed: 'yes' | 'no'
}

export interface BookOptions {
  readonly onExposed?: (exposure: Exposure) => void
  readonly onStopped?: (exposure: Exposure, stop: Stop) => void
}

const MAX_EXPERIMENTS = 200
/** Conversations that ended and may still get a word of their caller. */
const MAX_CLOSED = 5_000
const MAX_SCORES = 100

export class ExperimentBook {
  readonly #options: BookOptions
  readonly #figures = new Map<string, Figures>()
  #plans = new Map<string, Plan>()
  /** By session; those that ended are the older ones. */
  readonly #conversations = new Map<string, Conversation>()
  #ended = 0

  constructor(options: BookOptions = {}) {
    this.#options = options
  }

  /** The pipelines were loaded: what there is now. Figures of what is gone are kept. */
  load(plans: readonly Plan[]): void {
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]))
    for (const { name, variants } of plans) this.#of(name)?.measureBy(variants[0] ?? '')
  }

  isStopped({ experiment, variant }: Exposure): boolean {
    return this.#figures.get(experiment)?.isStopped(variant) ?? false
  }

  /** An answer of this variant was let go to the caller. */
  exposed(session: string, exposures: readonly Exposure[]): void {
    if (exposures.length === 0) return
    const conversation = this.#conversation(session)
    for (const exposure of exposures) {
      const { experiment, variant } = exposure
      // The first one counts: a conversation belongs to one variant.
      if (conversation.exposures.has(experiment)) continue
      conversation.exposures.set(experiment, variant)
      this.#options.onExposed?.(exposure)
    }
  }

  /** Of conversations that were not exposed nothing is kept. */
  turn(session: string, facts: TurnFacts): void {
    const conversation = this.#conversations.get(session)
    if (!conversation || conversation.closed === 'yes' || facts.outcome === 'superseded') return
    conversation.turns++
    if (facts.firstAudioMs !== null) {
      conversation.firstAudioMs += facts.firstAudioMs
      conversation.heard++
    }
    if (facts.costUsd !== null) {
      conversation.costUsd += facts.costUsd
      conversation.priced++
    }
    if (facts.interrupted === 'yes') conversation.interruptions++
    if (facts.outcome === 'failed') conversation.errors++
    if (facts.degraded === 'yes') conversation.degraded++
  }

  closed(session: string): void {
    const conversation = this.#conversations.get(session)
    if (!conversation || conversation.closed === 'yes') return
    conversation.closed = 'yes'
    // Set again: the map's order is the order of ending.
    this.#conversations.delete(session)
    this.#conversations.set(session, conversation)
    this.#ended++
    const observation = observed(conversation)
    for (const [experiment, variant] of conversation.exposures) {
      if (conversation.turns > 0) this.#of(experiment)?.add(variant, observation)
      this.#judge(experiment)
    }
    if (this.#ended > MAX_CLOSED) this.#forgetOne()
  }

  /** −1 to 1. The same `of` again replaces. False: of a conversation that is not known (any more), or has too many. */
  feedback(session: string, of: string, score: number): boolean {
    const conversation = this.#conversations.get(session)
    if (!conversation) return false
    const { scores } = conversation
    if (!scores.has(of) && scores.size >= MAX_SCORES) return false
    const before = mean(scores)
    scores.set(of, score)
    if (conversation.closed === 'no') return true
    const now = mean(scores) as number
    for (const [experiment, variant] of conversation.exposures) {
      this.#of(experiment)?.feedback(variant, before, now)
      this.#judge(experiment)
    }
    return true
  }

  /** By name; those of the pipelines first. */
  read(): ExperimentTold[] {
    const names = new Set([...this.#plans.keys(), ...this.#figures.keys()])
    return [...names].map((name) => this.#told(name))
  }

  get(name: string): ExperimentTold | undefined {
    return this.#plans.has(name) || this.#figures.has(name) ? this.#told(name) : undefined
  }

  #told(name: string): ExperimentTold {
    const running = this.#plans.has(name) ? 'yes' : 'no'
    return { name, running, variants: this.#figures.get(name)?.read() ?? [] }
  }

  #judge(experiment: string): void {
    const rails = this.#plans.get(experiment)?.guardrails ?? []
    if (rails.length === 0) return
    for (const { variant, stop } of this.#of(experiment)?.judge(rails) ?? []) {
      this.#options.onStopped?.({ experiment, variant }, stop)
    }
  }

  #of(experiment: string): Figures | undefined {
    let figures = this.#figures.get(experiment)
    if (figures || this.#figures.size >= MAX_EXPERIMENTS) return figures
    figures = new Figures(this.#plans.get(experiment)?.variants[0] ?? '')
    this.#figures.set(experiment, figures)
    return figures
  }

  #conversation(session: string): Conversation {
    let one = this.#conversations.get(session)
    if (one) return one
    one = {
      exposures: new Map(),
      turns: 0,
      firstAudioMs: 0,
      heard: 0,
      costUsd: 0,
      priced: 0,
      interruptions: 0,
      errors: 0,
      degraded: 0,
      scores: new Map(),
      closed: 'no',
    }
    this.#conversations.set(session, one)
    return one
  }

  #forgetOne(): void {
    for (const [session, { closed }] of this.#conversations) {
      if (closed === 'no') continue
      this.#conversations.delete(session)
      this.#ended--
      return
    }
  }
}

function observed(one: Conversation): Observation {
  const { turns } = one
  const rate = (count: number) => (turns > 0 ? count / turns : null)
  return {
    turns,
    firstAudioMs: one.heard > 0 ? one.firstAudioMs / one.heard : null,
    costUsd: one.priced > 0 ? one.costUsd / one.priced : null,
    interruptionRate: rate(one.interruptions),
    errorRate: rate(one.errors),
    degradedRate: rate(one.degraded),
    feedback: mean(one.scores),
  }
}

function mean(scores: ReadonlyMap<string, number>): number | null {
  if (scores.size === 0) return null
  let sum = 0
  for (const score of scores.values()) sum += score
  return sum / scores.size
}
