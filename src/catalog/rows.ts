/** Rows of the catalogue's sources, laid over each other and made into entries. Pure. */
import type { Capability, CatalogEntry, Cost, Kind, Modality, TokenRates } from './entry.ts'
import type { CatalogFile, ModelFields } from './fields.ts'
import { canonicalProvider } from './names.ts'

export interface Row {
  readonly provider: string
  readonly id: string
  readonly fields: ModelFields
  readonly source: string
  readonly asOf: string | null
}

export function* rowsOfFile(file: CatalogFile): Generator<Row> {
  for (const [name, models] of Object.entries(file.providers)) {
    const provider = canonicalProvider(name)
    for (const [id, fields] of Object.entries(models)) {
      yield { provider, id, fields, source: fields.source ?? file.source, asOf: fields.as_of ?? file.as_of }
    }
  }
}

/** The operator's entries, by `provider/model`. */
export function* rowsOfSettings(catalog: Readonly<Record<string, ModelFields>>): Generator<Row> {
  for (const [target, fields] of Object.entries(catalog)) {
    const slash = target.indexOf('/')
    const provider = canonicalProvider(target.slice(0, slash))
    const { source = 'catalog in parley.yaml', as_of = null } = fields
    yield { provider, id: target.slice(slash + 1), fields, source, asOf: as_of }
  }
}

/**
 * `high` over `low`, member by member. `price`: whether a price of `high` replaces the one below as a whole, as one source's
 * price row does, or member by member, as an operator's correction does.
 */
export function lay(low: Row | undefined, high: Row, price: 'whole' | 'by member'): Row {
  if (!low) return high
  const cost =
    price === 'whole' ? (high.fields.cost ?? low.fields.cost) : both(low.fields.cost, high.fields.cost)
  const from = high.fields.cost ? high : low
  const limit = both(low.fields.limit, high.fields.limit)
  const modalities = both(low.fields.modalities, high.fields.modalities)
  const fields: ModelFields = {
    ...low.fields,
    ...high.fields,
    ...(cost && { cost }),
    ...(limit && { limit }),
    ...(modalities && { modalities }),
  }
  return { provider: high.provider, id: high.id, fields, source: from.source, asOf: from.asOf }
}

function both<T extends object>(low: T | undefined, high: T | undefined): T | undefined {
  return low && high ? { ...low, ...high } : (high ?? low)
}

export function entryOf({ provider, id, fields, source, asOf }: Row): CatalogEntry {
  const kind = fields.kind ?? kindOf(id, fields)
  const { input = INPUTS[kind], output = OUTPUTS[kind] } = fields.modalities ?? {}
  return {
    provider,
    id,
    name: fields.name ?? id,
    kind,
    contextTokens: fields.limit?.context ?? null,
    outputTokens: fields.limit?.output ?? null,
    input,
    output,
    can: capabilitiesOf(kind, fields, input),
    cost: fields.cost ? costOfFields(fields.cost) : null,
    languages: fields.languages ?? null,
    ttftMs: fields.ttft_ms ?? null,
    quality: fields.quality ?? null,
    knowledge: fields.knowledge ?? null,
    releasedOn: fields.release_date ?? null,
    status: fields.status ?? null,
    aliases: fields.aliases ?? [],
    source,
    asOf,
    note: fields.note ?? null,
  }
}

const INPUTS: Readonly<Record<Kind, readonly Modality[]>> = {
  llm: ['text'],
  embedding: ['text'],
  stt: ['audio'],
  tts: ['text'],
  realtime: ['text', 'audio'],
}
const OUTPUTS: Readonly<Record<Kind, readonly Modality[]>> = {
  llm: ['text'],
  embedding: [],
  stt: ['text'],
  tts: ['audio'],
  realtime: ['text', 'audio'],
}

/** Where a source does not say it, as models.dev does not. */
export function kindOf(id: string, { modalities }: ModelFields): Kind {
  if (/realtime|-live-|native-audio/.test(id)) return 'realtime'
  if (/embed/.test(id)) return 'embedding'
  const { input = [], output = [] } = modalities ?? {}
  if (output.length === 1 && output[0] === 'audio') return 'tts'
  return input.length === 1 && input[0] === 'audio' ? 'stt' : 'llm'
}

function capabilitiesOf(kind: Kind, fields: ModelFields, input: readonly Modality[]): Capability[] {
  const said: readonly (readonly [Capability, boolean | undefined])[] = [
    ['tools', fields.tool_call],
    ['structuredOutput', fields.structured_output],
    ['reasoning', fields.reasoning],
    ['vision', input.includes('image')],
    // Where nobody says: models that reason mostly take none.
    ['temperature', fields.temperature ?? (kind === 'llm' && !fields.reasoning)],
    ['openWeights', fields.open_weights],
    ['streaming', fields.streaming],
    ['streamingText', fields.streaming_text],
  ]
  return said.flatMap(([capability, can]) => (can ? [capability] : []))
}

type CostFields = NonNullable<ModelFields['cost']>

function costOfFields(cost: CostFields): Cost {
  const tiers = cost.tiers
    ?.map(({ above, ...rates }) => ({ aboveInputTokens: above, ...ratesOf(rates) }))
    .sort((a, b) => a.aboveInputTokens - b.aboveInputTokens)
  return {
    ...ratesOf(cost),
    usdPerAudioMinuteIn: cost.usd_per_audio_minute_in,
    usdPerAudioMinuteOut: cost.usd_per_audio_minute_out,
    usdPerThousandChars: cost.usd_per_1k_chars,
    tiers,
  }
}

function ratesOf(cost: Omit<NonNullable<CostFields['tiers']>[number], 'above'>): TokenRates {
  return {
    input: cost.input,
    output: cost.output,
    cacheRead: cost.cache_read,
    cacheWrite: cost.cache_write,
    reasoning: cost.reasoning,
    inputAudio: cost.input_audio,
    outputAudio: cost.output_audio,
  }
}
