/**
 * What a request says about its own routing, whatever dialect it said it in. Plain data; what is null or empty was not said.
 */
import type { HedgeAfter } from '../../attempt/hedge.ts'
import type { Declined, ProviderErrorKind } from '../../errors.ts'
import type { SortKey } from '../../route/sort.ts'
import type { Query } from './portkey-query.ts'

/** One sort key as it was asked for. */
export interface Sort {
  readonly key: SortKey
  /** Against the usual direction: the dearest, the slowest first. */
  readonly worstFirst: boolean
  /** The caller's word, one of a fixed set: `cost`, `coding`. */
  readonly asked: string
}

export interface Retry {
  /** Further attempts at the same target. */
  readonly attempts: number
  /** After which failures; null: after those that are worth it. */
  readonly on: readonly ProviderErrorKind[] | null
}

/** A model that is asked for, by a name that is not resolved yet: a pipeline, `router/NAME`, `provider/model`, a bare name. */
export interface Wish {
  readonly name: string
  /** What replaces the request's own members when this one is asked. */
  readonly params: Readonly<Record<string, unknown>>
  /** Of a suffix: `:floor`, `:nitro`; null: as the whole request. */
  readonly sort: Sort | null
  readonly timeoutMs: number | null
  readonly retry: Retry | null
  /** Failures after which the next wish is tried; null: any. */
  readonly nextOn: readonly ProviderErrorKind[] | null
  /** Where the request says it: `model`, `models[1]`, `config.targets[0]`. */
  readonly place: string
}

/** Which models, and how one leads to the next. `plan.ts` makes a list of it. */
export type Plan =
  | { readonly type: 'model'; readonly wish: Wish }
  | { readonly type: 'first'; readonly of: readonly Plan[]; readonly nextOn: Wish['nextOn'] }
  | {
      readonly type: 'split'
      readonly shares: readonly { readonly weight: number; readonly plan: Plan }[]
      readonly place: string
    }
  | {
      readonly type: 'switch'
      readonly cases: readonly { readonly query: Query; readonly plan: Plan }[]
      readonly otherwise: Plan | null
      readonly place: string
    }

/** By percentile; of one plain number the p50. */
export interface Cutoffs {
  readonly p50?: number
  readonly p75?: number
  readonly p90?: number
  readonly p99?: number
}

/** US dollars a million tokens. */
export interface MaxPrice {
  readonly prompt?: number
  readonly completion?: number
}

/** What can be said once: by two members of a request it is refused, since one of them would be ignored. */
export interface Said {
  /** `provider` or `provider/model`, in lower case, as in `ignore` and `order`. */
  readonly only: readonly string[]
  readonly ignore: readonly string[]
  /** These come first, in this order. */
  readonly order: readonly string[]
  /** False: nobody beyond `order`, or beyond the first of each model. */
  readonly allowFallbacks: boolean
  readonly sort: readonly Sort[]
  /** `model`: each model's targets are sorted among themselves. `none`: all together. */
  readonly partition: 'model' | 'none'
  readonly maxPrice: MaxPrice | null
  /** Only targets that can do what the request asks for; otherwise they are preferred. */
  readonly requireParameters: boolean
  /** Required whatever the request holds. */
  readonly capabilities: readonly string[]
  /** Tokens a second. */
  readonly minThroughput: Cutoffs | null
  readonly maxLatencyMs: Cutoffs | null
  /** An attempt that gave nothing useful by then is given up. */
  readonly firstTokenMs: number | null
  /** The whole answer. */
  readonly timeoutMs: number | null
  readonly retry: Retry | null
  /** `off`: no second target for a slow call, whatever the route says. */
  readonly hedge: HedgeAfter | 'off' | null
  /** Whether an answer that broke off is gone on with by the next target. */
  readonly resume: boolean | null
  readonly pipeline: string | null
  /** Keys that the request brings, by provider. Secret. */
  readonly keys: ReadonlyMap<string, string> | null
  /** What the conversation is called: who asks for the same one keeps the target that has its prompt cached. */
  readonly session: string | null
}

/** Whose answer the caller expects, beside its API's own. */
export type Dialect = 'openrouter' | 'inworld' | 'portkey' | 'litellm' | 'vercel'

export interface Preferences extends Said {
  /** Null: the request names no model. */
  readonly plan: Plan | null
  /** `model` is `auto`: the plan is a pool, of which the best by `sort` comes first. */
  readonly auto: boolean
  /** Instead of the rest, when a target declines so. */
  readonly instead: Readonly<Partial<Record<Declined, readonly Wish[]>>>
  /** What routes may read; the key's own attributes and what was minted win over it elsewhere. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly user: string | null
  /** Those of whose members or headers there was one. */
  readonly dialects: readonly Dialect[]
  /** `openrouter_metadata` was asked for. */
  readonly tellsRouting: boolean
  /** Members that were read past: they ask for nothing that is done here, and nothing that must not be left undone. */
  readonly ignored: readonly string[]
}

export const NOT_SAID: Said = {
  only: [],
  ignore: [],
  order: [],
  allowFallbacks: true,
  sort: [],
  partition: 'model',
  maxPrice: null,
  requireParameters: false,
  capabilities: [],
  minThroughput: null,
  maxLatencyMs: null,
  firstTokenMs: null,
  timeoutMs: null,
  retry: null,
  hedge: null,
  keys: null,
  resume: null,
  pipeline: null,
  session: null,
}
