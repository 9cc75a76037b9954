/**
 * Who is asked for one request, in which order and within which times: what its `model` is called by, and what the request says about
 * its own routing on top of that. Most requests say nothing, and take the short way.
 */
import { idOf } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import type { HedgeShare } from '../../attempt/hedge-share.ts'
import type { Candidate } from '../../attempt/lineup.ts'
import type { Retries } from '../../attempt/roster.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Costs } from '../../price/pricing.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { ClientKeys } from '../client-keys.ts'
import { Refusal } from '../failure.ts'
import type { ConversationPins } from '../pins.ts'
import {
  applyPreferences,
  type Choice,
  choicesOf,
  needsOf,
  PreferenceError,
  type Preferences,
  pricesOf,
  type Read,
  type RoutingTold,
  type Wish,
  wishesOf,
} from '../preferences/index.ts'
import { withKeys } from './keys.ts'
import { type FactsFor, type Named, type ResolveDeps, resolve } from './resolve.ts'

/** A candidate, and what the request wants of it alone. */
export interface Target extends Candidate<LlmAdapter> {
  /** Instead of the request's and the settings' own. */
  readonly timeoutMs?: number | null
  readonly retries?: Retries | null
  /** Failures after which another is asked; null: any. */
  readonly nextOn?: readonly ProviderErrorKind[] | null
}

export interface Plan extends Omit<Named, 'candidates' | 'insteadOf'> {
  readonly candidates: readonly Target[]
  readonly insteadOf: Readonly<Partial<Record<'context_overflow' | 'content_refusal', readonly Target[]>>>
  /** To the first useful output of each attempt; null: as the pipeline and the settings have it. */
  readonly firstTokenMs: number | null
  /** Of the whole answer; null: no such limit. */
  readonly timeoutMs: number | null
  /** Whether a text that broke off is gone on with. */
  readonly resume: 'on' | 'off'
  /** For answers that tell it. */
  readonly told: RoutingTold
  readonly order: readonly Choice[]
}

export interface PlanDeps extends ResolveDeps {
  readonly health: HealthView
  readonly pricing: Costs
  readonly pins: ConversationPins
  /** Of requests that ask for a hedge where no route has one. */
  readonly hedgeShare: HedgeShare
  readonly defaultPipeline: () => string
  /** Null: requests bring no keys. */
  readonly clientKeys: ClientKeys | null
}

export interface PlanRequest {
  readonly read: Read
  readonly factsFor: FactsFor
  /** What draws stick to. */
  readonly key: string
  readonly pinKey: string | null
}

/** Throws `Refusal` or `PreferenceError`. */
export function planFor(request: PlanRequest, deps: PlanDeps): Plan {
  const plan = targetsFor(request, deps)
  const { providers, clientKeys } = deps
  const brought = request.read.preferences.keys
  if (brought && !clientKeys)
    throw new PreferenceError('parley.keys', 'is not taken: this server calls with its own keys')
  const keyed = (targets: readonly Target[]) =>
    withKeys(targets, { providers, sticky: request.key, brought, clientKeys })
  const candidates = keyed(plan.candidates)
  const { context_overflow: overflow, content_refusal: refusal } = plan.insteadOf
  // Nobody has several keys.
  if (candidates === plan.candidates && !overflow && !refusal) return plan
  return {
    ...plan,
    candidates,
    insteadOf: {
      ...(overflow && { context_overflow: keyed(overflow) }),
      ...(refusal && { content_refusal: keyed(refusal) }),
    },
  }
}

function targetsFor({ read, factsFor, key, pinKey }: PlanRequest, deps: PlanDeps): Plan {
  const { preferences, rest } = read
  const simple = simpleName(read)
  if (simple !== undefined) {
    const named = resolve(simple, deps, factsFor)
    if (!named)
      throw new Refusal('model_not_found', `The model '${shown(simple)}' does not exist here.`, 'model')
    const strategy = { kind: 'direct', by: [], stuckTo: null, lost: [] } as const
    return {
      firstTokenMs: null,
      timeoutMs: null,
      resume: 'on',
      told: { requested: simple, strategy, available: [] },
      order: [],
      ...named,
    }
  }
  const wishes = wishesFor(preferences, key, factsFor)
  const found = new Map<Wish, Named>()
  const choices = choicesOf(wishes, (wish) => {
    const named = wish.name === 'auto' ? undefined : resolve(wish.name, deps, factsFor)
    const one = named ?? (wish.name === 'auto' ? resolve(deps.defaultPipeline(), deps, factsFor) : undefined)
    if (one) found.set(wish, one)
    return one ? one.candidates.map(asTarget) : null
  })
  const pin = pinKey === null ? null : deps.pins.of(pinKey)
  const applied = applyPreferences(choices, preferences, {
    factsOf: deps.health.factsOf('llm', null),
    pricesOf: pricesOf(deps.pricing),
    needs: needsOf(rest.body),
    pin: pin === null ? null : { target: pin, why: 'cache' },
  })
  if (applied.order.length === 0) {
    const why = applied.refused[0]
      ? `: ${applied.refused.map(({ target, why }) => `${target.id} ${why}`).join(', ')}`
      : ''
    throw new Refusal('no_target', `What the request wants leaves nobody to ask${why}.`, null)
  }
  const first = [...found.values()].find(({ pipeline }) => pipeline !== null) ?? [...found.values()][0]
  return {
    pipeline: first?.pipeline ?? null,
    candidates: applied.order.map((choice) => targetOf(choice, preferences)),
    insteadOf: { ...first?.insteadOf, ...insteadOf(preferences, deps, factsFor) },
    hedge: hedgeOf(preferences, first, deps),
    exposures: first?.exposures ?? [],
    turnMs: first?.turnMs ?? null,
    firstTokenMs: preferences.firstTokenMs,
    timeoutMs: preferences.timeoutMs,
    resume: preferences.resume === false ? 'off' : 'on',
    told: {
      requested: preferences.plan?.type === 'model' ? preferences.plan.wish.name : (wishes[0]?.name ?? ''),
      strategy: applied.strategy,
      available: applied.order,
    },
    order: applied.order,
  }
}

/** The only thing a request says of its routing: its model. */
function simpleName({ preferences, rest }: Read): string | undefined {
  const { plan, dialects, auto } = preferences
  if (auto || plan?.type !== 'model' || plan.wish.sort || dialects.length > 0) return undefined
  const others = rest.extensions.some((name) => name !== 'metadata' && name !== 'parley')
  const ours = preferences.pipeline ?? preferences.firstTokenMs ?? preferences.timeoutMs
  const more = ours ?? preferences.resume ?? preferences.hedge ?? preferences.session
  return others || more !== null ? undefined : plan.wish.name
}

function wishesFor(preferences: Preferences, key: string, factsFor: FactsFor): readonly Wish[] {
  const { pipeline, plan, auto } = preferences
  if (pipeline !== null) return [{ ...NO_WISH, name: pipeline, place: 'parley.pipeline' }]
  if (!plan && !auto)
    throw new Refusal('missing_required_parameter', "Missing required parameter: 'model'.", 'model')
  return plan ? wishesOf(plan, { facts: factsFor(0), key }) : [{ ...NO_WISH, name: 'auto', place: 'model' }]
}

const NO_WISH = { params: {}, sort: null, timeoutMs: null, retry: null, nextOn: null } as const

type Found = Candidate<LlmAdapter> & { readonly id: string }

function asTarget(candidate: Candidate<LlmAdapter>): Found {
  return { ...candidate, id: idOf(candidate) }
}

function targetOf({ target, wish }: Choice<Found>, { retry }: Preferences): Target {
  const params = { ...target.params, ...wish.params }
  return {
    ...target,
    ...(Object.keys(params).length > 0 && { params }),
    timeoutMs: wish.timeoutMs,
    retries: wish.retry ?? retry,
    nextOn: wish.nextOn,
  }
}

function insteadOf({ instead }: Preferences, deps: PlanDeps, factsFor: FactsFor): Plan['insteadOf'] {
  const lists = Object.entries(instead).map(([declined, wishes]) => {
    const choices = choicesOf(
      wishes,
      ({ name }) => resolve(name, deps, factsFor)?.candidates.map(asTarget) ?? null,
    )
    return [declined, choices.map(({ target }) => target)]
  })
  return Object.fromEntries(lists)
}

function hedgeOf({ hedge }: Preferences, named: Named | undefined, { hedgeShare }: PlanDeps): Plan['hedge'] {
  if (hedge === 'off') return null
  if (hedge === null) return named?.hedge ?? null
  return { after: hedge, share: named?.hedge?.share ?? hedgeShare }
}

/** A client's own word, in an error to that client: cut to what a name may be. */
function shown(name: string): string {
  return name.length <= 200 ? name : `${name.slice(0, 200)}…`
}
