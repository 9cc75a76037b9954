/** A pipeline as the rest of the server sees it: immutable, every default filled in. */
import type { Declined, StageName } from '../errors.ts'
import type { Guardrail } from '../experiment/figures.ts'
import type { Filter } from '../route/candidates.ts'
import type { SortKey } from '../route/sort.ts'
import type { Target } from './target.ts'
import { type VoiceTable, voiceIdIn } from './voice.ts'

export type Choice = 'instructions' | 'voice' | 'tools' | 'model'
export type Eagerness = 'low' | 'medium' | 'high' | 'auto'

/** Parts of a turn's budget, summing to 1. `endpoint` is the wait for the caller's silence. */
export type StageShares = Readonly<Record<StageName | 'endpoint', number>>

/** Ordered targets; a `sort` that is not empty reorders them at each turn. */
export interface TargetList {
  readonly type: 'list'
  readonly targets: readonly Target[]
  readonly sort: readonly SortKey[]
  readonly weights?: Readonly<Record<string, number>>
  readonly filter?: Filter
}

export interface Experiment {
  readonly type: 'experiment'
  readonly experiment: string | null
  /** A path into the routing context, such as `session.user`. */
  readonly sticky: string | null
  /** The first is the control. */
  readonly variants: readonly { readonly id: string; readonly weight: number; readonly use: TargetList }[]
  readonly guardrails?: readonly Guardrail[]
}

export type HedgeAfter = 'p50' | 'p90' | 'p95' | 'p99' | { readonly ms: number }

export interface Route {
  readonly name: string
  /** A CEL condition; null: always. */
  readonly when: string | null
  readonly use: TargetList | Experiment
  readonly hedge: { readonly after: HedgeAfter; readonly maxShare: number } | null
  /** Asked instead of the rest when a target declines so. */
  readonly insteadOf?: Readonly<Partial<Record<Declined, readonly Target[]>>>
}

export interface PipelineTurnDetection {
  readonly type: 'server_vad' | 'semantic_vad'
  readonly threshold: number
  readonly prefixPaddingMs: number
  readonly silenceDurationMs: number
  readonly eagerness: Eagerness
  readonly createResponse: boolean
  readonly interruptResponse: boolean
}

export type Rung =
  | { readonly rung: 'partial' }
  | { readonly rung: 'faster' }
  | { readonly rung: 'shorter'; readonly maxTokens: number }
  | { readonly rung: 'filler'; readonly afterMs: number; readonly say: readonly string[] }
  | { readonly rung: 'apology'; readonly say: string }

interface ToolFacts {
  readonly name: string
  readonly description: string | null
  readonly url: string
  readonly timeoutMs: number
  readonly filler: string | null
}
export type ServerTool =
  | (ToolFacts & { readonly type: 'http'; readonly parameters: Readonly<Record<string, unknown>> | null })
  | (ToolFacts & { readonly type: 'mcp'; readonly approval: 'never' | 'always' })

/** What the model may do with a telephone call. */
export interface CallPolicy {
  readonly hangUp: boolean
  /** Name → E.164 or a SIP address. Without prototype: a model's name is looked up. */
  readonly transfer: Readonly<Record<string, string>>
  readonly sendDigits: boolean
}

export interface VoicemailPolicy {
  /** What is said to a machine; null: it is hung up on. */
  readonly message: string | null
}

export interface Pipeline {
  readonly name: string
  readonly instructions: string
  readonly voice: string
  readonly language: string | null
  readonly greeting: string | null
  /** null: the client commits by hand. */
  readonly turnDetection: PipelineTurnDetection | null
  readonly interruption: {
    readonly minSpeechMs: number
    readonly minWords: number
    readonly ignore: readonly string[]
  }
  readonly idle: {
    readonly afterMs: number
    readonly say: readonly string[]
    readonly hangUpAfter: number
  } | null
  /** On the telephone; null: keys do nothing. */
  readonly dtmf: {
    readonly as: 'turns' | 'events'
    readonly endOn: string
    readonly afterMs: number
    readonly maxDigits: number
    readonly interrupts: 'first' | 'last'
  } | null
  /** On the telephone; null: the model may do nothing with a call. */
  readonly call: CallPolicy | null
  /** Of calls that the server placed; null: a machine is talked to. */
  readonly voicemail: VoicemailPolicy | null
  readonly speculation: { readonly maxRevisions: number }
  readonly clientMay: readonly Choice[]
  readonly tools: readonly ServerTool[]
  readonly budget: { readonly turnMs: number; readonly ladder: readonly Rung[] }
  readonly stt: { readonly routes: readonly Route[] }
  readonly llm: { readonly routes: readonly Route[] }
  readonly tts: { readonly routes: readonly Route[] }
  readonly voices: VoiceTable
}

/** Every list of targets a route may choose from, with its path inside the route as the file has it. */
export function listsOf(
  route: Route,
): { readonly path: readonly (string | number)[]; readonly list: TargetList }[] {
  const own =
    route.use.type === 'list'
      ? [{ path: ['use'], list: route.use }]
      : route.use.variants.map((variant, i) => ({ path: ['variants', i, 'use'], list: variant.use }))
  return [...own, ...insteadLists(route)]
}

function insteadLists({ insteadOf = {} }: Route) {
  const members = { context_overflow: 'onContextOverflow', content_refusal: 'onContentRefusal' } as const
  return (['context_overflow', 'content_refusal'] as const).flatMap((declined) => {
    const targets = insteadOf[declined]
    const list: TargetList = { type: 'list', targets: targets ?? [], sort: [] }
    return targets ? [{ path: [members[declined]], list }] : []
  })
}

/** The voice id of `provider` for a voice name, or undefined: then the provider's own default speaks. */
export function voiceFor(
  { voices }: Pipeline,
  voice: string,
  provider: string,
  language?: string | null,
): string | undefined {
  return voiceIdIn(voices, voice, provider, language)
}
