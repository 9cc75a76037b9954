/**
 * A model as files write it: models.dev's members (https://models.dev/api.json, read 2026-11-25) and ours for speech. One
 * shape for the table that comes with Parley, for what is refreshed, and for the operator's own entries.
 */
import { z } from 'zod'
import { KINDS, MODALITIES } from './entry.ts'

/** US dollars a million tokens; nothing on sale comes near the bound. */
const rate = z.number().min(0).max(1_000_000).optional()
const tokens = z.int().min(0).max(1_000_000_000).optional()
const date = z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'wants YYYY-MM-DD')
const line = (max: number) => z.string().min(1).max(max)

const RATES = {
  input: rate,
  output: rate,
  cache_read: rate,
  cache_write: rate,
  reasoning: rate,
  input_audio: rate,
  output_audio: rate,
} as const
const tier = z.strictObject({ above: z.int().min(1).max(1_000_000_000), ...RATES })
const COST = {
  ...RATES,
  usd_per_audio_minute_in: rate,
  usd_per_audio_minute_out: rate,
  usd_per_1k_chars: rate,
  tiers: z.array(tier).max(8).optional(),
} as const
const modality = z.enum(MODALITIES)

const FIELDS = {
  name: line(200).optional(),
  kind: z.enum(KINDS).optional(),
  limit: z.strictObject({ context: tokens, input: tokens, output: tokens }).optional(),
  modalities: z
    .strictObject({
      input: z.array(modality).max(5).optional(),
      output: z.array(modality).max(5).optional(),
    })
    .optional(),
  tool_call: z.boolean().optional(),
  structured_output: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  temperature: z.boolean().optional(),
  open_weights: z.boolean().optional(),
  streaming: z.boolean().optional(),
  streaming_text: z.boolean().optional(),
  languages: z.union([z.literal('any'), z.array(line(16)).max(300)]).optional(),
  cost: z.strictObject(COST).optional(),
  ttft_ms: z.number().min(1).max(600_000).optional(),
  quality: z.number().min(0).max(1).optional(),
  knowledge: date.optional(),
  release_date: date.optional(),
  status: z.enum(['alpha', 'beta', 'deprecated']).optional(),
  aliases: z.array(line(200)).max(100).optional(),
  source: line(300).optional(),
  as_of: date.optional(),
  note: line(500).optional(),
} as const

/** Wrong and unknown members are told: for what people write. */
export const modelFields = z.strictObject(FIELDS)
export type ModelFields = z.output<typeof modelFields>

export const MODEL_ID = /^[^\s]{1,200}$/
export const PROVIDER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** `catalog/models.json`, and what a refresh keeps. `source` and `as_of` hold for every model that has none of its own. */
export const catalogFile = z.strictObject({
  $schema: line(200).optional(),
  source: line(300),
  as_of: date,
  providers: z.record(z.string().regex(PROVIDER_ID), z.record(z.string().regex(MODEL_ID), modelFields)),
})
export type CatalogFile = z.output<typeof catalogFile>

/** For editors, and for whoever reads the file elsewhere; `catalog/schema.json` holds it. */
export function catalogJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(catalogFile, { io: 'input' })
}
