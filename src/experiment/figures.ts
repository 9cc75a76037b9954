/**
 * What is known of the variants of one experiment. The unit is the conversation: each counts once in every metric, however many
 * turns it had. Pure.
 */
import { differenceInterval, type Interval, Moments, meanInterval } from './stats.ts'

/** Lower is better for all but `feedback`. */
export const METRICS = [
  'firstAudioMs',
  'costUsd',
  'interruptionRate',
  'errorRate',
  'degradedRate',
  'feedback',
] as const
export type Metric = (typeof METRICS)[number]

/** One conversation; null: it says nothing of that. */
export type Observation = Readonly<Record<Metric, number | null>> & { readonly turns: number }

/** Stops a variant that is surely worse than the control by more than this, in the metric's own unit. */
export interface Guardrail {
  readonly metric: Metric
  readonly worseBy: number
  readonly minConversations: number
}

export interface Stop {
  readonly metric: Metric
  /** Surely at least so much worse. */
  readonly worseBy: number
  readonly conversations: number
}

export interface MetricTold {
  readonly metric: Metric
  readonly conversations: number
  readonly mean: number | null
  /** Holds at any time with 95 %; null while there are too few. */
  readonly interval: Interval | null
  /** Against the control; null for the control itself, and while there are too few. */
  readonly difference:
    | (Interval & { readonly mean: number; readonly sure: 'better' | 'worse' | 'open' })
    | null
}

export interface VariantTold {
  readonly variant: string
  readonly role: 'control' | 'variant'
  readonly conversations: number
  readonly turns: number
  readonly stopped: Stop | null
  readonly metrics: readonly MetricTold[]
}

interface Variant {
  conversations: number
  turns: number
  stopped: Stop | null
  readonly moments: Readonly<Record<Metric, Moments>>
}

/** As many as the schema allows, and some of earlier files. */
const MAX_VARIANTS = 64

export class Figures {
  readonly #variants = new Map<string, Variant>()
  #control: string

  constructor(control: string) {
    this.#control = control
  }

  /** The file may have changed: another variant is the measure now. */
  measureBy(control: string): void {
    this.#control = control
  }

  add(variant: string, observation: Observation): void {
    const one = this.#of(variant)
    if (!one) return
    one.conversations++
    one.turns += observation.turns
    for (const metric of METRICS) {
      const value = observation[metric]
      if (value !== null) one.moments[metric].add(value)
    }
  }

  /** Somebody told, or told again, how they liked it. */
  feedback(variant: string, before: number | null, now: number): void {
    const moments = this.#of(variant)?.moments.feedback
    if (before !== null) moments?.remove(before)
    moments?.add(now)
  }

  /** Those that are to be stopped from now on; each is told once. */
  judge(guardrails: readonly Guardrail[]): { readonly variant: string; readonly stop: Stop }[] {
    const control = this.#variants.get(this.#control)
    if (!control) return []
    const told: { variant: string; stop: Stop }[] = []
    for (const [variant, one] of this.#variants) {
      if (one === control || one.stopped) continue
      one.stopped = guardrails.reduce<Stop | null>((stop, rail) => stop ?? broken(rail, one, control), null)
      if (one.stopped) told.push({ variant, stop: one.stopped })
    }
    return told
  }

  isStopped(variant: string): boolean {
    return variant !== this.#control && this.#variants.get(variant)?.stopped != null
  }

  read(): VariantTold[] {
    const control = this.#variants.get(this.#control)
    return [...this.#variants].map(([variant, one]) => ({
      variant,
      role: one === control ? 'control' : 'variant',
      conversations: one.conversations,
      turns: one.turns,
      stopped: one.stopped,
      metrics: METRICS.map((metric) => told(metric, one, control)),
    }))
  }

  #of(variant: string): Variant | undefined {
    let one = this.#variants.get(variant)
    if (one || this.#variants.size >= MAX_VARIANTS) return one
    const moments = Object.fromEntries(METRICS.map((metric) => [metric, new Moments()]))
    one = { conversations: 0, turns: 0, stopped: null, moments: moments as Record<Metric, Moments> }
    this.#variants.set(variant, one)
    return one
  }
}

function told(metric: Metric, one: Variant, control: Variant | undefined): MetricTold {
  const moments = one.moments[metric]
  const against = control && control !== one ? control.moments[metric] : undefined
  const between = against ? differenceInterval(moments, against) : null
  return {
    metric,
    conversations: moments.n,
    mean: moments.n === 0 ? null : moments.mean,
    interval: meanInterval(moments),
    difference:
      between && against
        ? { ...between, mean: moments.mean - against.mean, sure: judged(metric, between) }
        : null,
  }
}

function judged(metric: Metric, { low, high }: Interval): 'better' | 'worse' | 'open' {
  if (low <= 0 && high >= 0) return 'open'
  return low > 0 === (metric === 'feedback') ? 'better' : 'worse'
}

function broken(
  { metric, worseBy, minConversations }: Guardrail,
  one: Variant,
  control: Variant,
): Stop | null {
  if (one.conversations < minConversations) return null
  const between = differenceInterval(one.moments[metric], control.moments[metric])
  if (!between) return null
  const surely = metric === 'feedback' ? -between.high : between.low
  return surely > worseBy ? { metric, worseBy: surely, conversations: one.conversations } : null
}
