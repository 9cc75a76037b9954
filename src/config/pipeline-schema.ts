/** The shape of `pipelines/*.yaml`. `pipelines/schema.json` is made from it; descriptions show in editors. */
import { z } from 'zod'
import { GENDERS } from '../catalog/voice-entry.ts'
import { METRICS } from '../experiment/figures.ts'
import { SORT_KEYS } from '../route/sort.ts'
import { callMember, voicemailMember } from './call-schema.ts'
import * as defaults from './defaults.ts'

/** Names of pipelines, routes, voices and variants: no slash, which parts `provider/model`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
const name = z
  .string()
  .max(64)
  .regex(NAME, 'wants letters, digits, dots, dashes and underscores, beginning with a letter or digit')

const text = z.string().min(1).max(2000)
const ms = (least: number, most: number) => z.int().min(least).max(most)

const targetId = z
  .string()
  .max(200)
  .regex(/^[^/\s]+\/\S+$/, 'wants provider/model, without spaces')
  .describe('provider/model, split at the first slash')

const use = z
  .union([
    targetId,
    z.strictObject({
      target: targetId,
      params: z.record(z.string(), z.unknown()).optional().describe('Passed to the provider as they are.'),
    }),
  ])
  .describe('provider/model, or a target with parameters')

const filterName = z
  .string()
  .max(200)
  .regex(/^[^/\s]+(\/\S+)?$/, 'wants a provider, or provider/model')

const targetList = z.array(use).min(1).max(16)

const choice = z
  .union([
    targetList,
    z.strictObject({
      from: targetList,
      sort: z
        .array(z.enum(SORT_KEYS))
        .min(1)
        .max(4)
        .optional()
        .describe('What decides the order, most important first. Left out: as written.'),
      weights: z
        .record(targetId, z.number().min(0).max(1_000_000))
        .optional()
        .describe('For `weighted`: by target; one that is left out has the weight 1.'),
      only: z.array(filterName).max(32).optional().describe('Providers or targets; all others are left out.'),
      ignore: z.array(filterName).max(32).optional().describe('Providers or targets that are left out.'),
      maxPriceUsd: z
        .number()
        .gt(0)
        .optional()
        .describe('In the unit of the stage: a minute, a million tokens, a thousand characters.'),
      capabilities: z.array(name).max(16).optional().describe('What a target must be able to do.'),
    }),
  ])
  .describe('Targets in the order they are tried, or a set and what sorts it.')

const hedge = z
  .strictObject({
    afterMs: ms(50, 60_000).optional().describe('Starts the next target when nothing useful came by then.'),
    after: z
      .enum(['p50', 'p90', 'p95', 'p99'])
      .optional()
      .describe('The same, learned from the target itself.'),
    maxShare: z
      .number()
      .gt(0)
      .max(1)
      .default(defaults.HEDGE_MAX_SHARE)
      .describe('At most this share of calls.'),
  })
  .refine((h) => (h.afterMs === undefined) !== (h.after === undefined), 'wants either afterMs or after')

const variant = z.strictObject({
  id: name,
  weight: z.number().min(0).max(1_000_000).describe('Relative to the sum of the weights.'),
  use: choice,
})

const guardrail = z
  .strictObject({
    metric: z.enum(METRICS),
    worseBy: z.number().min(0).describe('In the unit of the metric; for feedback, a loss of so much.'),
    minConversations: z.int().min(30).max(1_000_000).default(defaults.GUARDRAIL_CONVERSATIONS),
  })
  .describe('A variant that is surely worse than the first one by more than this is stopped.')

const route = z
  .strictObject({
    name,
    when: text.optional().describe('A CEL condition. First match wins; the last route has none.'),
    use: choice.optional(),
    hedge: hedge.optional(),
    onContextOverflow: targetList
      .optional()
      .describe('Asked instead of the rest when a target says that the prompt is too long for it.'),
    onContentRefusal: targetList
      .optional()
      .describe('Asked instead of the rest when a target declines for the content’s sake.'),
    experiment: name.optional().describe('The name under which exposures and results are kept.'),
    sticky: z
      .string()
      .max(200)
      .regex(
        /^(session|metadata|key)(\.[A-Za-z_][A-Za-z0-9_]*)+$/,
        'wants a path such as session.user or metadata.account',
      )
      .optional()
      .describe('The value whose owner always gets the same variant.'),
    guardrails: z.array(guardrail).max(8).optional(),
    variants: z
      .array(variant)
      .min(1)
      .max(16)
      .refine((list) => new Set(list.map((v) => v.id)).size === list.length, 'must have a different id each')
      .refine((list) => list.some((v) => v.weight > 0), 'must not all have the weight 0')
      .optional(),
  })
  .refine((r) => (r.use === undefined) !== (r.variants === undefined), 'wants either use or variants')
  .refine(
    (r) =>
      r.variants !== undefined ||
      (r.experiment === undefined && r.sticky === undefined && r.guardrails === undefined),
    'has experiment, sticky or guardrails but no variants',
  )

const stage = (targets: readonly string[]) =>
  z
    .strictObject({
      routes: z
        .array(route)
        .min(1)
        .max(64)
        .refine(
          (routes) => new Set(routes.map((r) => r.name)).size === routes.length,
          'must have a different name each',
        )
        .refine(
          (routes) => routes.at(-1)?.when === undefined,
          'must end with a route without `when`, for all the rest',
        ),
    })
    .prefault({ routes: [{ name: 'default', use: [...targets] }] })

const turnDetection = z
  .strictObject({
    type: z.enum(['server_vad', 'semantic_vad']).default('server_vad'),
    threshold: z.number().min(0).max(1).default(defaults.VAD_THRESHOLD).describe('Speech probability.'),
    prefixPaddingMs: ms(0, 2000)
      .default(defaults.PREFIX_PADDING_MS)
      .describe('Audio kept from before the speech.'),
    silenceDurationMs: ms(100, 10_000)
      .default(defaults.SILENCE_DURATION_MS)
      .describe('Silence that ends a turn.'),
    eagerness: z
      .enum(['low', 'medium', 'high', 'auto'])
      .default(defaults.EAGERNESS)
      .describe('Of semantic_vad.'),
    createResponse: z.boolean().default(true).describe('A turn that ends is answered by itself.'),
    interruptResponse: z.boolean().default(true).describe('Speech stops the answer that plays.'),
  })
  .nullable()
  .prefault({})
  .describe('null: the client says when a turn ends.')

const rung = z.discriminatedUnion('rung', [
  z.strictObject({ rung: z.literal('partial') }).describe('The last stable partial becomes the final.'),
  z
    .strictObject({ rung: z.literal('faster') })
    .describe('A later target of the same route whose p50 still fits.'),
  z
    .strictObject({ rung: z.literal('shorter'), maxTokens: z.int().min(1).max(4096) })
    .describe('A smaller answer.'),
  z
    .strictObject({ rung: z.literal('filler'), afterMs: ms(100, 60_000), say: z.array(text).min(1).max(32) })
    .describe('A phrase that is said while the answer is on its way.'),
  z.strictObject({ rung: z.literal('apology'), say: text }).describe('When nothing is left.'),
])

const toolFacts = {
  name: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_-]+$/, 'wants letters, digits, dashes and underscores'),
  description: text.optional(),
  timeoutMs: ms(100, 600_000).default(defaults.TOOL_TIMEOUT_MS),
  filler: text.optional().describe('Said while the tool works.'),
}
const httpUrl = z
  .string()
  .max(2000)
  .refine(isHttpUrl, 'wants an http or https address without a password in it')
const tool = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('http'),
    ...toolFacts,
    url: httpUrl,
    parameters: z.record(z.string(), z.unknown()).optional().describe('JSON Schema of the arguments.'),
  }),
  z.strictObject({
    type: z.literal('mcp'),
    ...toolFacts,
    url: httpUrl,
    approval: z
      .enum(['never', 'always'])
      .default(defaults.PIPELINE_TOOL_APPROVAL)
      .describe('always: the client must agree to each call; not offered where it cannot be asked.'),
  }),
])

const voiceId = z.string().min(1).max(200)
const primaryTag = z.string().regex(/^[A-Za-z]{2,3}$/, 'wants a primary language tag such as en')
const voice = z.union([
  voiceId,
  z.strictObject({
    id: voiceId,
    byLanguage: z
      .record(primaryTag, voiceId)
      .optional()
      .describe('Its voices for what is spoken in other languages, by primary tag.'),
    gender: z.enum(GENDERS).optional().describe('Of a voice that the catalogue does not know.'),
    languages: z.array(primaryTag).min(1).max(200).optional().describe('What it speaks, primary tags.'),
    sampleRateHz: z.int().min(8_000).max(48_000).optional().describe('The most it is sampled at.'),
  }),
])

export const pipelineSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors.'),
    name: name.describe('What clients ask for as `model`.'),
    default: z.boolean().default(false).describe('The pipeline of a client that names none.'),
    instructions: z.string().max(100_000).default(defaults.INSTRUCTIONS).describe('The system prompt.'),
    voice: name.default(defaults.VOICE).describe("Mapped to each provider's voice id by `voices`."),
    language: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'wants a language tag such as en or de-AT')
      .optional()
      .describe('BCP-47. Left out: the provider finds out.'),
    greeting: text.nullable().default(null).describe('Said when a session begins.'),
    turnDetection,
    interruption: z
      .strictObject({
        minSpeechMs: ms(0, 5000).default(defaults.INTERRUPTION_MIN_SPEECH_MS),
        minWords: z.int().min(0).max(20).default(defaults.INTERRUPTION_MIN_WORDS),
        ignore: z
          .array(z.string().min(1).max(60))
          .max(100)
          .default([])
          .describe('Words that never interrupt.'),
      })
      .prefault({}),
    idle: z
      .strictObject({
        afterMs: ms(1000, 3_600_000),
        say: z.array(text).min(1).max(32),
        hangUpAfter: z.int().min(0).max(100).default(0).describe('Hang up after so many times; 0: never.'),
      })
      .nullable()
      .default(null),
    dtmf: z
      .strictObject({
        as: z
          .enum(['turns', 'events'])
          .default('turns')
          .describe(
            'A turn of the caller, or events alone (GET /v1/calls/events), of which the model is not told.',
          ),
        endOn: z
          .string()
          .regex(/^[0-9*#]$/, 'wants one key of a telephone')
          .default(defaults.DTMF_END_ON),
        afterMs: ms(200, 60_000).default(defaults.DTMF_AFTER_MS),
        maxDigits: z.int().min(1).max(64).default(defaults.DTMF_MAX_DIGITS),
        interrupts: z.enum(['first', 'last']).default('first').describe('Which key stops what plays.'),
      })
      .nullable()
      .prefault({})
      .describe('Keys of a telephone; null: they do nothing.'),
    call: callMember,
    voicemail: voicemailMember,
    speculation: z
      .strictObject({ maxRevisions: z.int().min(0).max(3).default(defaults.MAX_REVISIONS) })
      .prefault({})
      .describe('Model calls begun before the turn is certain; 0: none.'),
    clientMay: z
      .array(z.enum(['instructions', 'voice', 'tools', 'model']))
      .max(16)
      .default([...defaults.CLIENT_MAY])
      .describe('What a client may override.'),
    tools: z
      .array(tool)
      .max(128)
      .refine(
        (list) => new Set(list.map((t) => t.name)).size === list.length,
        'must have a different name each',
      )
      .default([])
      .describe('Run by the server.'),
    budget: z
      .strictObject({
        turnMs: ms(100, 600_000)
          .default(defaults.TURN_MS)
          .describe("From the caller's real end of speech to the first audio of the answer."),
        ladder: z
          .array(rung)
          .max(16)
          .default([])
          .describe('What is done when time runs short, in this order.'),
      })
      .prefault({}),
    stt: stage(defaults.DEFAULT_TARGETS.stt),
    llm: stage(defaults.DEFAULT_TARGETS.llm),
    tts: stage(defaults.DEFAULT_TARGETS.tts),
    voices: z
      .record(name, z.record(name, voice))
      .default({})
      .describe(
        "For each voice name: provider → that provider's voice id, or an object of it and what is known of it.",
      ),
  })
  .meta({ title: 'Parley pipeline' })

export type PipelineInput = z.output<typeof pipelineSchema>

/** The published JSON Schema: what `pipelines/schema.json` holds and `parley check --schema` prints. */
export function pipelineJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(pipelineSchema, { io: 'input' }) as Record<string, unknown>
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
}
