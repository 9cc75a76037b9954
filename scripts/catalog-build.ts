/**
 * `npm run catalog:build`: makes `catalog/models.json` and `catalog/schema.json` anew, out of two packages of fixed versions. Sorted,
 * a line a model, so that a new version shows as what changed.
 */
import { writeFileSync } from 'node:fs'
import { catalogFile, catalogJsonSchema, type ModelFields } from '../src/catalog/fields.ts'
import { canonicalProvider } from '../src/catalog/names.ts'
import { GENAI_PRICES, readGenAiPrices } from './catalog/genai-prices.ts'
import { PI_AI, readPiAi } from './catalog/pi-ai.ts'
import { render } from './catalog/render.ts'

const pi = await readPiAi()
const providers = new Map<string, Map<string, ModelFields>>()
for (const [name, models] of pi.providers) providers.set(canonicalProvider(name), new Map(models))

const other = { source: `${GENAI_PRICES.package} ${GENAI_PRICES.version}`, as_of: GENAI_PRICES.asOf }
for (const [name, models] of readGenAiPrices()) {
  const provider = canonicalProvider(name)
  const known = providers.get(provider) ?? new Map<string, ModelFields>()
  providers.set(provider, known)
  const first = new Set(known.keys())
  for (const [id, { aliases = [], ...fields }] of models) {
    const others = aliases.filter((alias) => !first.has(alias))
    const named = others.length > 0 ? { aliases: others } : {}
    const twin = known.get(id)
    if (twin) known.set(id, { ...twin, ...named })
    // An alias under which the first source has it: the newer price stands.
    else if (others.length === aliases.length) known.set(id, { ...fields, ...named, ...other })
  }
}

const file = catalogFile.parse({
  $schema: './schema.json',
  source: `${PI_AI.package} ${PI_AI.version}`,
  as_of: pi.asOf,
  providers: Object.fromEntries([...providers].map(([name, models]) => [name, Object.fromEntries(models)])),
})
const text = render(file)
writeFileSync(new URL('../catalog/models.json', import.meta.url), text)
writeFileSync(
  new URL('../catalog/schema.json', import.meta.url),
  `${JSON.stringify(catalogJsonSchema(), null, 2)}\n`,
)
const count = Object.values(file.providers).reduce((sum, models) => sum + Object.keys(models).length, 0)
console.log(`${count} models of ${providers.size} providers, ${Math.round(text.length / 1000)} kB`)
