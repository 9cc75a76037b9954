/**
 * Other rules on the same calls: what each stage of each turn was given, and what another pipeline would have given it, on
 * the very facts that were known at that moment. Nobody is called, so what follows from another answer is not told.
 */
import { Health, type HealthView } from '../attempt/health.ts'
import type { Habits } from '../attempt/lineup.ts'
import { PipelineRouter } from '../attempt/router.ts'
import { VirtualClock } from '../clock.ts'
import type { Pipeline } from '../config/pipeline.ts'
import type { StageName } from '../errors.ts'
import type { TargetFacts } from '../route/candidates.ts'
import type { RoutingFacts } from '../route/context.ts'
import type { JudgedFacts } from './lines.ts'
import type { Recording } from './read.ts'

export interface Choice {
  readonly route: string | null
  readonly variant: string | null
  /** In the order they are tried. */
  readonly targets: readonly string[]
  /** Expected of the first, ms to its first useful output; null: nobody to ask. */
  readonly p50Ms: number | null
  /** Whether that was measured in the recording's process, or is what is thought of such a target. */
  readonly from: 'measured' | 'prior' | null
  /** Of the first, in the unit of its stage; null: not known. */
  readonly priceUsd: number | null
}

export interface Judgement {
  /** Counted from one; 0: before the first turn. */
  readonly turn: number
  readonly stage: StageName
  readonly recorded: Choice
  readonly other: Choice
  readonly verdict: 'same' | 'changed'
  /** Whether the recorded pipeline's rules still choose what they chose. */
  readonly rules: 'as recorded' | 'judged otherwise now'
}

/** Throws `TypeError` for a condition that does not compile, which only a file that was changed by hand has. */
export function whatIf({ head, judged }: Recording, other: Pipeline): Judgement[] {
  const known = knownTargets(judged)
  const mine = judgeOf(head.pipeline, known)
  const decided = judged.map((facts) => mine(facts))
  const absent = absentTargets(judged, decided)
  const theirs = judgeOf(other, known)
  return judged.map((facts, i): Judgement => {
    const { stage } = facts
    const recorded = present(decided[i]!, absent[stage])
    const instead = present(theirs(facts), absent[stage])
    const same =
      recorded.route === instead.route &&
      recorded.variant === instead.variant &&
      namesOf(recorded) === namesOf(instead)
    const drifted = facts.lineup !== null && namesOf(recorded) !== facts.lineup.join(' ')
    return {
      turn: facts.facts.session.turns,
      stage,
      recorded: choiceOf(recorded),
      other: choiceOf(instead),
      verdict: same ? 'same' : 'changed',
      rules: drifted ? 'judged otherwise now' : 'as recorded',
    }
  })
}

interface Decided {
  readonly route: string | null
  readonly variant: string | null
  readonly targets: readonly { readonly id: string; readonly facts: TargetFacts }[]
}

type Known = Readonly<Record<StageName, ReadonlyMap<string, TargetFacts>>>

const namesOf = ({ targets }: Decided) => targets.map(({ id }) => id).join(' ')

/** The newest that the recording says of a target, for decisions at which it was not among the pipeline's. */
function knownTargets(judged: readonly JudgedFacts[]): Known {
  const known = { stt: new Map(), llm: new Map(), tts: new Map() }
  for (const { stage, targets } of judged) {
    for (const [id, facts] of Object.entries(targets)) known[stage].set(id, facts)
  }
  return known
}

/** Targets that the rules named and the lineup did not: that server had no adapter for them. */
function absentTargets(judged: readonly JudgedFacts[], decided: readonly Decided[]) {
  const absent = { stt: new Set<string>(), llm: new Set<string>(), tts: new Set<string>() }
  judged.forEach(({ stage, lineup }, i) => {
    if (lineup === null) return
    for (const { id } of decided[i]!.targets) if (!lineup.includes(id)) absent[stage].add(id)
  })
  return absent
}

function present(decided: Decided, absent: ReadonlySet<string>): Decided {
  return { ...decided, targets: decided.targets.filter(({ id }) => !absent.has(id)) }
}

function choiceOf({ route, variant, targets }: Decided): Choice {
  const first = targets[0]
  return {
    route,
    variant,
    targets: targets.map(({ id }) => id),
    p50Ms: first ? Math.round(first.facts.latency.p50Ms) : null,
    from: first ? (first.facts.latency.from === 'prior' ? 'prior' : 'measured') : null,
    priceUsd: first?.facts.priceUsd ?? null,
  }
}

/** Facts are the recording's; of a target it never heard of, what is expected of such a one. */
function judgeOf(pipeline: Pipeline, known: Known): (facts: JudgedFacts) => Decided {
  // Only for expectations: nothing is ever recorded in it.
  const expectations = new Health({ clock: new VirtualClock() })
  let now: JudgedFacts | undefined
  const router = new PipelineRouter<HealthView>(pipeline, new Map(), {
    admit: (place, language) => expectations.admit(place, language),
    resort: (place, language) => expectations.resort(place, language),
    offOf: () => null,
    circuit: () => 'closed',
    latency: (place, language) => expectations.latency(place, language),
    timeoutsInARow: () => 0,
    healthyMs: (place, language, quantile) => expectations.healthyMs(place, language, quantile),
    health: () => (target) => own(now?.health ?? {}, target),
    factsOf: (stage, language) => (target) =>
      own(now?.targets ?? {}, target.id) ??
      known[stage].get(target.id) ??
      expectations.factsOf(stage, language)(target),
  })
  return (judged) => {
    now = judged
    const { stage, facts, voice, cache, exposed, slackMs } = judged
    const habits: Habits = {
      voice,
      cache,
      exposed: new Map(Object.entries(exposed)),
      ...(slackMs === null ? {} : { slackMs }),
    }
    const { turn, request, inputTokens, ...rest } = facts
    const routing: RoutingFacts = {
      ...rest,
      turn: turn && (() => turn),
      request: request && (() => request),
      inputTokens: () => inputTokens,
      health: (target) => own(judged.health, target),
    }
    const decision = router.decide(stage, () => routing, habits)
    return {
      route: decision.route?.name ?? null,
      variant: decision.assignment?.variant ?? null,
      targets: decision.candidates
        .filter(({ refused }) => refused === null)
        .map(({ target, facts: of }) => ({ id: target.id, facts: of })),
    }
  }
}

function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
