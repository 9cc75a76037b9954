/** From a checked pipeline file to the immutable `Pipeline`. */
import { bare, deepFreeze } from './freeze.ts'
import type { Pipeline, Route, TargetList } from './pipeline.ts'
import type { PipelineInput } from './pipeline-schema.ts'
import { parseTarget, type Target } from './target.ts'
import type { Voice } from './voice.ts'

type RouteInput = PipelineInput['llm']['routes'][number]
type VoiceInput = PipelineInput['voices'][string][string]
type UseInput = NonNullable<RouteInput['use']>

export function toPipeline(input: PipelineInput): Pipeline {
  const stage = (routes: readonly RouteInput[]) => ({ routes: routes.map(toRoute) })
  return deepFreeze({
    name: input.name,
    instructions: input.instructions,
    voice: input.voice,
    language: input.language ?? null,
    greeting: input.greeting,
    turnDetection: input.turnDetection,
    interruption: input.interruption,
    idle: input.idle,
    dtmf: input.dtmf,
    call: input.call && { ...input.call, transfer: bare(Object.entries(input.call.transfer)) },
    voicemail: input.voicemail && { message: input.voicemail.say ?? null },
    speculation: input.speculation,
    clientMay: input.clientMay,
    tools: input.tools.map((tool) => {
      const facts = { ...tool, description: tool.description ?? null, filler: tool.filler ?? null }
      return facts.type === 'http' ? { ...facts, parameters: facts.parameters ?? null } : facts
    }),
    budget: input.budget,
    stt: stage(input.stt.routes),
    llm: stage(input.llm.routes),
    tts: stage(input.tts.routes),
    voices: bare(
      Object.entries(input.voices).map(([name, providers]) => [
        name,
        bare(Object.entries(providers).map(([provider, voice]) => [provider, toVoice(voice)])),
      ]),
    ),
  })
}

function toVoice(given: VoiceInput): Voice {
  const {
    id,
    byLanguage = {},
    gender = null,
    languages = null,
    sampleRateHz = null,
  } = typeof given === 'string' ? { id: given } : given
  const tags = Object.entries(byLanguage).map(([tag, voice]) => [tag.toLowerCase(), voice] as const)
  return { id, byLanguage: bare(tags), gender, languages, sampleRateHz }
}

function toRoute(route: RouteInput): Route {
  const { hedge, variants } = route
  return {
    name: route.name,
    when: route.when ?? null,
    use: variants
      ? {
          type: 'experiment',
          experiment: route.experiment ?? null,
          sticky: route.sticky ?? null,
          ...(route.guardrails && { guardrails: route.guardrails }),
          variants: variants.map(({ id, weight, use }) => ({ id, weight, use: toList(use) })),
        }
      : toList(route.use ?? []),
    ...insteadOf(route),
    hedge: hedge ? { after: hedge.after ?? { ms: hedge.afterMs ?? 0 }, maxShare: hedge.maxShare } : null,
  }
}

function insteadOf({ onContextOverflow, onContentRefusal }: RouteInput): Pick<Route, 'insteadOf'> {
  if (!onContextOverflow && !onContentRefusal) return {}
  return {
    insteadOf: {
      ...(onContextOverflow && { context_overflow: toTargets(onContextOverflow) }),
      ...(onContentRefusal && { content_refusal: toTargets(onContentRefusal) }),
    },
  }
}

function toList(use: UseInput): TargetList {
  if (Array.isArray(use)) return { type: 'list', targets: toTargets(use), sort: [] }
  const { from, sort = [], weights, only = [], ignore = [], maxPriceUsd = null, capabilities = [] } = use
  const filters = only.length + ignore.length + capabilities.length > 0 || maxPriceUsd !== null
  return {
    type: 'list',
    targets: toTargets(from),
    sort,
    ...(weights && { weights: bare(Object.entries(weights)) }),
    ...(filters && { filter: { only, ignore, maxPriceUsd, capabilities } }),
  }
}

function toTargets(entries: Extract<UseInput, readonly unknown[]>): Target[] {
  return entries.map((entry) => {
    const { target, params } = typeof entry === 'string' ? { target: entry, params: {} } : entry
    const parsed = parseTarget(target, params)
    if (!parsed) throw new TypeError('a target that the schema should have refused')
    return parsed
  })
}
