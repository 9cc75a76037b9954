/** What adapters and the catalogue say of targets, as health and rules want it. */
import type { Catalog } from '../catalog/catalog.ts'
import type { StageName } from '../errors.ts'
import type { Pricing } from '../price/pricing.ts'
import { type Prior, priorAround, priorOf } from '../route/priors.ts'
import type { Provider } from '../stage/provider.ts'
import type { Traits } from './health.ts'

const MAX_KNOWN = 2000

/** Undefined: a target nobody offers. What is known of a target stays as long as the process: adapters and prices do. */
export function traitsOf(
  providers: ReadonlyMap<string, Provider>,
  pricing: Pricing,
): (stage: StageName, target: string) => Traits | undefined {
  const known = new Map<string, Traits>()
  return (stage, target) => {
    const key = `${stage} ${target}`
    const before = known.get(key)
    if (before) return before
    const slash = target.indexOf('/')
    const adapter = providers.get(target.slice(0, slash))?.[stage]?.(target.slice(slash + 1))
    if (!adapter) return undefined
    const caps: object = adapter.caps
    const traits = {
      priceUsd: pricing.usd(stage, target),
      quality: pricing.quality(target),
      languages: 'languages' in caps ? (caps.languages as readonly string[] | 'any') : 'any',
      capabilities: Object.entries(caps).flatMap(([name, value]) => (value === true ? [name] : [])),
    }
    // Names of models may be a client's own: so many are kept, and no more.
    if (known.size < MAX_KNOWN) known.set(key, traits)
    return traits
  }
}

/** The catalogue's typical time of a target, else what is known of its provider. */
export function priorsOf(catalog: Catalog): (stage: StageName, target: string) => Prior {
  // As many as the catalogue has entries with a time: targets that it lacks are not kept.
  const known = new Map<string, Prior>()
  return (stage, target) => {
    const entry = catalog.target(target)
    if (!entry || entry.ttftMs === null || entry.kind !== stage) return priorOf(stage, target)
    const key = `${entry.provider}/${entry.id}`
    const prior = known.get(key) ?? priorAround(stage, entry.ttftMs)
    known.set(key, prior)
    return prior
  }
}
