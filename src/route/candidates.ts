/**
 * The targets of a route as candidates of one decision: who may be asked, by the list's filters and by what the request
 * needs, and why not. Nobody disappears: those left out stay in the list with the reason, for explain. Pure.
 */
import { speaks } from './language.ts'
import type { LatencyView } from './latency.ts'

export interface Target {
  /** `provider/model`. */
  readonly id: string
  readonly provider: string
}

export type CircuitState = 'closed' | 'open' | 'halfOpen'

/** What is known of a target at the moment of a decision. */
export interface TargetFacts {
  readonly latency: LatencyView
  /**
   * US dollars in the unit of its stage: a minute of audio (STT), a million tokens, three of four of them input (LLM), a thousand
   * characters (TTS). Null: not known.
   */
  readonly priceUsd: number | null
  /** 0–1, from the operator's table; null: not known. */
  readonly quality: number | null
  readonly inFlight: number
  readonly circuit: CircuitState
  readonly languages: readonly string[] | 'any'
  /** `tools`, `json`, `prefill`, `wordTimes` … as its adapter says. */
  readonly capabilities: readonly string[]
}

/** A route's own filters; empty lists and null ask for nothing. */
export interface Filter {
  readonly capabilities: readonly string[]
  readonly maxPriceUsd: number | null
  /** `provider` or `provider/model`. */
  readonly only: readonly string[]
  readonly ignore: readonly string[]
}

export const NO_FILTER: Filter = { capabilities: [], maxPriceUsd: null, only: [], ignore: [] }

/** What the request at hand wants; when nobody has it, everybody may try. */
export interface Needs {
  readonly language: string | null
  readonly capabilities: readonly string[]
}

export interface Candidate<T extends Target = Target> {
  readonly target: T
  readonly facts: TargetFacts
  /** Why it is not asked; null: it may be. */
  readonly refused: string | null
  /** What moved it, in the order it happened. */
  readonly notes: readonly string[]
}

export function candidatesOf<T extends Target>(
  targets: readonly T[],
  filter: Filter,
  needs: Needs,
  factsOf: (target: T) => TargetFacts,
): Candidate<T>[] {
  const all = targets.map((target): Candidate<T> => {
    const facts = factsOf(target)
    return { target, facts, refused: refusal(target, facts, filter), notes: [] }
  })
  const { language, capabilities } = needs
  const able = capabilities.reduce(
    (left, wanted) =>
      preferAble(left, `cannot do ${wanted}`, ({ facts }) => facts.capabilities.includes(wanted)),
    all,
  )
  if (language === null) return able
  const note = `does not say that it knows ${language}`
  return preferAble(able, note, ({ facts }) => speaks(facts.languages, language))
}

/** Those that are not able are refused, unless nobody is: better a poor try than silence. */
function preferAble<T extends Target>(
  candidates: readonly Candidate<T>[],
  note: string,
  isAble: (candidate: Candidate<T>) => boolean,
): Candidate<T>[] {
  const open = candidates.filter(({ refused }) => refused === null)
  const others = open.some(isAble)
  return candidates.map((one) => {
    if (one.refused !== null || isAble(one)) return one
    return others
      ? { ...one, refused: note }
      : { ...one, notes: [...one.notes, `${note}, nor does any other`] }
  })
}

function refusal({ id, provider }: Target, facts: TargetFacts, filter: Filter): string | null {
  const names = (list: readonly string[]) => list.includes(id) || list.includes(provider)
  if (filter.only.length > 0 && !names(filter.only)) return 'not in only'
  if (names(filter.ignore)) return 'in ignore'
  const lacking = filter.capabilities.find((one) => !facts.capabilities.includes(one))
  if (lacking !== undefined) return `cannot do ${lacking}`
  if (filter.maxPriceUsd === null) return null
  if (facts.priceUsd === null) return 'its price is not known, and there is a highest one'
  return facts.priceUsd > filter.maxPriceUsd ? `costs ${facts.priceUsd}, ${filter.maxPriceUsd} at most` : null
}
