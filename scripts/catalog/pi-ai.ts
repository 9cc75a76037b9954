/**
 * Models out of `@earendil-works/pi-ai` (MIT), which generates its data from models.dev and from providers' own lists: for each
 * provider a JSON file of models by the API they speak. Read 2026-11-25 in version 1.5.2.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pacote from 'pacote'
import { z } from 'zod'
import type { ModelFields } from '../../src/catalog/fields.ts'
import { npmSettings } from '../../src/provider/local/models/npm-settings.ts'

export const PI_AI = {
  package: '@earendil-works/pi-ai',
  version: '1.5.2',
  integrity:
    'sha512-2tWPSnV3qzfiDIY3aWluBag3vC++Vs+VsXt/UquSU5onPMohPih72FUhIhaqmDdMYubOgB3Byl9uF4Vk40JLvQ==',
}

/** Sold by the month, not by the token: what they list costs nothing there. Or no place of their own. */
const LEFT_OUT =
  /^(openai-codex|github-copilot|kimi-coding|qwen-token-plan.*|xiaomi-token-plan.*|zai-coding.*|opencode-go|radius|typesafe)$/

const usd = z.number()
const rates = { input: usd, output: usd, cacheRead: usd, cacheWrite: usd }
const model = z.object({
  type: z.string(),
  id: z.string(),
  name: z.string(),
  reasoning: z.boolean().optional(),
  input: z.array(z.string()),
  cost: z.object({
    ...rates,
    tiers: z.array(z.object({ inputTokensAbove: z.number(), ...rates })).optional(),
  }),
  contextWindow: z.number().optional(),
  maxTokens: z.number().optional(),
  compat: z
    .object({ supportsStrictMode: z.boolean().optional(), supportsTemperature: z.boolean().optional() })
    .optional(),
})
type PiModel = z.output<typeof model>
const providerFile = z.record(z.string(), z.record(z.string(), z.looseObject({ type: z.string() })))

export interface PiAiData {
  /** The day the data was generated. */
  readonly asOf: string
  readonly providers: ReadonlyMap<string, ReadonlyMap<string, ModelFields>>
}

/** Fetches the pinned package by npm's own fetcher; throws when it is not the one that was pinned. */
export async function readPiAi(): Promise<PiAiData> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-catalog-'))
  try {
    const { integrity, version } = PI_AI
    await pacote.extract(`${PI_AI.package}@${version}`, folder, { ...(await npmSettings()), integrity })
    return await readFolder(join(folder, 'dist/providers/data'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readFolder(data: string): Promise<PiAiData> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(data, name), 'utf8'))
  const manifest = z.object({ generatedAt: z.string() }).parse(await json('.manifest.json'))
  const providers = new Map<string, Map<string, ModelFields>>()
  for (const name of await readdir(data)) {
    const provider = name.replace(/\.json$/, '')
    if (name.startsWith('.') || LEFT_OUT.test(provider)) continue
    const byApi = providerFile.parse(await json(name))
    const chats = Object.values(byApi)
      .flatMap((models) => Object.values(models))
      .filter(({ type }) => type === 'chat')
      .map((one) => model.parse(one))
      // Answers within a day, at half the price: nothing to talk to.
      .filter(({ id }) => !/[:-]batch$/.test(id))
    if (chats.length > 0) providers.set(provider, new Map(chats.map((one) => [one.id, fieldsOf(one)])))
  }
  return { asOf: manifest.generatedAt.slice(0, 10), providers }
}

export function fieldsOf(one: PiModel): ModelFields {
  const cost = costOf(one)
  const sees = one.input.includes('image')
  return {
    name: one.name,
    // "The chat catalog only includes models that support tool calling."
    tool_call: true,
    ...(one.reasoning && { reasoning: true }),
    ...(one.compat?.supportsStrictMode && { structured_output: true }),
    ...(one.compat?.supportsTemperature === false && { temperature: false }),
    ...(sees && { modalities: { input: ['text', 'image'] } }),
    limit: {
      ...(one.contextWindow && { context: one.contextWindow }),
      ...(one.maxTokens && { output: one.maxTokens }),
    },
    ...(cost && { cost }),
  }
}

/** 0 stands there for what is not known as well as for what is free. */
function costOf({ id, cost }: PiModel): ModelFields['cost'] {
  if (cost.input < 0 || cost.output < 0) return undefined
  if (cost.input === 0 && cost.output === 0) return id.endsWith(':free') ? { input: 0, output: 0 } : undefined
  const tiers = cost.tiers?.map(({ inputTokensAbove, ...rates }) => ({
    above: inputTokensAbove,
    ...ratesOf(rates),
  }))
  return { ...ratesOf(cost), ...(tiers?.length && { tiers }) }
}

function ratesOf({ input, output, cacheRead, cacheWrite }: PiModel['cost']) {
  return {
    input: round(input),
    output: round(output),
    ...(cacheRead > 0 && { cache_read: round(cacheRead) }),
    ...(cacheWrite > 0 && { cache_write: round(cacheWrite) }),
  }
}

/** Prices a token times a million leave 0.30000000000000004. */
function round(value: number): number {
  return Number(value.toPrecision(10))
}
