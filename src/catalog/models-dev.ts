/**
 * models.dev's `api.json` (read in its schema, anomalyco/models.dev, 2026-11-25) into the catalogue's own shape. A model that does not fit
 * is left out and counted; a file that is something else is refused. Pure.
 */
import { z } from 'zod'
import { MODALITIES } from './entry.ts'
import { type CatalogFile, MODEL_ID, type ModelFields, modelFields, PROVIDER_ID } from './fields.ts'
import { canonicalProvider } from './names.ts'

export interface Converted {
  readonly file: CatalogFile
  readonly models: number
  /** Models that did not fit. */
  readonly left: number
}

/** In words for a person. */
export class NotACatalog extends Error {
  override readonly name = 'NotACatalog'
}

const MAX_PROVIDERS = 2_000
const MAX_MODELS = 100_000
/** More unfit ones than this share, and the shape has changed: better the old prices than half of the new. */
const MAX_UNFIT = 0.1

const rates = z.object({
  input: z.number().optional(),
  output: z.number().optional(),
  cache_read: z.number().optional(),
  cache_write: z.number().optional(),
  reasoning: z.number().optional(),
  input_audio: z.number().optional(),
  output_audio: z.number().optional(),
})
const flag = z.union([z.boolean(), z.object({ supported: z.boolean() }).transform((one) => one.supported)])
const theirs = z.object({
  name: z.string().optional(),
  limit: z.object({ context: z.number().optional(), output: z.number().optional() }).optional(),
  modalities: z.object({ input: z.array(z.string()), output: z.array(z.string()) }).optional(),
  tool_call: flag.optional(),
  structured_output: flag.optional(),
  reasoning: flag.optional(),
  temperature: z.boolean().optional(),
  open_weights: z.boolean().optional(),
  cost: rates
    .extend({
      context_over_200k: rates.optional(),
      tiers: z
        .array(rates.extend({ tier: z.object({ type: z.literal('context'), size: z.number() }) }))
        .optional()
        .catch(undefined),
    })
    .optional(),
  knowledge: z.string().optional().catch(undefined),
  release_date: z.string().optional().catch(undefined),
  status: z.enum(['alpha', 'beta', 'deprecated']).optional().catch(undefined),
})

/** `asOf`: the day it was fetched. Throws `NotACatalog` and nothing else. */
export function fromModelsDev(json: unknown, source: string, asOf: string): Converted {
  const whole = z.record(z.string(), z.object({ models: z.record(z.string(), z.unknown()) })).safeParse(json)
  if (!whole.success)
    throw new NotACatalog('is not a list of providers with their models, as models.dev serves it')
  const providers: Record<string, Record<string, ModelFields>> = Object.create(null)
  let models = 0
  let left = 0
  for (const [name, { models: list }] of Object.entries(whole.data).slice(0, MAX_PROVIDERS)) {
    const provider = canonicalProvider(name)
    for (const [id, one] of Object.entries(list)) {
      const fields = PROVIDER_ID.test(provider) && MODEL_ID.test(id) ? fieldsOf(one) : undefined
      if (fields === undefined || models >= MAX_MODELS) left++
      else if (fields !== 'no text') {
        const known = (providers[provider] ??= Object.create(null) as Record<string, ModelFields>)
        known[id] = fields
        models++
      }
    }
  }
  if (models === 0) throw new NotACatalog('has no model in it')
  if (left > MAX_UNFIT * (models + left)) {
    throw new NotACatalog(`has ${left} models of ${models + left} in a shape that is not known`)
  }
  return { file: { source, as_of: asOf, providers }, models, left }
}

/** `no text`: makes pictures or films only. Undefined: does not fit. */
function fieldsOf(one: unknown): ModelFields | 'no text' | undefined {
  const parsed = theirs.safeParse(one)
  if (!parsed.success) return undefined
  const { cost, modalities, ...rest } = parsed.data
  const output = known(modalities?.output)
  if (modalities && !output.some((kind) => kind === 'text' || kind === 'audio')) return 'no text'
  const fields = {
    ...defined(rest),
    ...(modalities && { modalities: { input: known(modalities.input), output } }),
    ...(cost && !isBlank(cost) && { cost: costOf(cost) }),
  }
  const checked = modelFields.safeParse(fields)
  return checked.success ? checked.data : undefined
}

function costOf({ tiers, context_over_200k: over, ...cost }: NonNullable<z.output<typeof theirs>['cost']>) {
  const list = tiers?.map(({ tier, ...above }) => ({ above: tier.size, ...defined(above) }))
  const long = over ? [{ above: 200_000, ...defined(over) }] : undefined
  const steps = list?.length ? list : long
  return { ...defined(cost), ...(steps && { tiers: steps }) }
}

/** Plans by the month are listed at 0 a token, as what is free is: which it is cannot be told. */
function isBlank({ input = 0, output = 0 }: z.output<typeof rates>): boolean {
  return input === 0 && output === 0
}

function known(modalities: readonly string[] = []) {
  return MODALITIES.filter((one) => modalities.includes(one))
}

function defined<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
}
