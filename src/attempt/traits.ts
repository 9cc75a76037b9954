/** What adapters say of themselves, as health and rules want it. */
import type { StageName } from '../errors.ts'
import type { Pricing } from '../price/pricing.ts'
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
