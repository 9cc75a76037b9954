/**
 * A target becomes a candidate for each of its provider's keys: in an order drawn by their weights that is the session's own for ever, so
 * that a conversation meets the prompt cache it filled, and all sessions together have the shares that the weights say.
 */
import type { RoutingFacts } from '../route/context.ts'
import { stickyKey } from '../route/sticky.ts'
import { type Draw, drawOf } from '../route/variants.ts'
import type { Provider } from '../stage/provider.ts'
import type { Health } from './health.ts'

/** Salts are hashed once a provider. */
const draws = new WeakMap<Provider, Draw>()
const UNNAMED = [undefined]

/** What the order of keys sticks to: the user where there is one, else the session. */
export function keyOrderOf(facts: RoutingFacts): string {
  return stickyKey(null, facts).key
}

/** The adapter of each key, in the order they are to be tried. `sticky`: as `keyOrderOf`; asked where there are several. */
export function withEachKey<A>(
  provider: Provider | undefined,
  sticky: () => string,
  adapterOf: (provider: Provider, credential: string | undefined) => A | undefined,
): { readonly adapter: A; readonly credential: string | undefined }[] {
  if (!provider) return []
  return idsFor(provider, sticky).flatMap((credential) => {
    const adapter = adapterOf(provider, credential)
    return adapter ? [{ adapter, credential }] : []
  })
}

/** The ids of a target's keys, for what is known of its health; `''` stands for one without a name. */
export function keyIdsOf(providers: ReadonlyMap<string, Provider>): (target: string) => readonly string[] {
  return (target) => {
    const { credentials } = providers.get(target.slice(0, target.indexOf('/'))) ?? {}
    return credentials?.map(({ id }) => id) ?? ['']
  }
}

/** What is known of every target, its keys taken together. */
export function byTarget(health: Health) {
  type Told = ReturnType<Health['read']> extends Generator<infer P> ? P : never
  const targets = new Map<string, Told>()
  for (const place of health.read()) {
    const id = `${place.stage} ${place.target}`
    const known = targets.get(id)
    targets.set(id, {
      ...place,
      circuit: health.targetCircuit(place),
      inFlight: place.inFlight + (known?.inFlight ?? 0),
      opened: place.opened + (known?.opened ?? 0),
    })
  }
  return targets.values()
}

function idsFor(provider: Provider, sticky: () => string): readonly (string | undefined)[] {
  const { credentials, name } = provider
  if (!credentials) return UNNAMED
  const draw = draws.get(provider) ?? drawOf(`keys of ${name}`, credentials)
  draws.set(provider, draw)
  return draw.order(sticky()).map((i) => credentials[i]?.id)
}
