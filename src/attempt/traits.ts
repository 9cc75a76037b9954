/** What adapters and the catalogue say of targets, as health and rules want it. */
import type { Catalog } from '../catalog/catalog.ts'
import type { StageName } from '../errors.ts'
import type { Pricing } from '../price/pricing.ts'
import { type Prior, priorAround, priorOf } from '../route/priors.ts'
import type { Provider } from '../stage/provider.ts'
import type { Traits } from './health.ts'

/** Undefined: a target nobody offers. */
export function traitsOf(
  providers: ReadonlyMap<string, Provider>,
  pricing: Pricing,
): (stage: StageName, target: string) => Traits | undefined {
  return (stage, target) => {
    const slash = target.indexOf('/')
    const adapter = providers.get(target.slice(0, slash))?.[stage]?.(target.slice(slash + 1))
    if (!adapter) return undefined
    const caps: object = adapter.caps
    return {
      priceUsd: pricing.usd(stage, target),
      quality: pricing.quality(target),
      languages: 'languages' in caps ? (caps.languages as readonly string[] | 'any') : 'any',
      capabilities: Object.entries(caps).flatMap(([name, value]) => (value === true ? [name] : [])),
    }
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
