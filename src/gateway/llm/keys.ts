/** The candidates of a request by each key of their providers, in an order that sticks to what the request's draws stick to. */
import { withEachKey } from '../../attempt/credentials.ts'
import { idOf } from '../../attempt/failure.ts'
import type { Candidate } from '../../attempt/lineup.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider } from '../../stage/provider.ts'
import type { ClientKeys } from '../client-keys.ts'
import { PreferenceError } from '../preferences/index.ts'

type Target = Candidate<LlmAdapter>

export interface KeyDeps {
  readonly providers: ReadonlyMap<string, Provider>
  /** What the order of keys sticks to. */
  readonly sticky: string
  /** Those that the request brings, by provider; null: none. */
  readonly brought: ReadonlyMap<string, string> | null
  readonly clientKeys: ClientKeys | null
}

/**
 * A target is chosen once, whatever its keys: preferences and pipelines speak of targets. Where a pipeline told its keys already, their
 * order is drawn anew, since only the request knows its conversation.
 */
export function withKeys<T extends Target>(targets: readonly T[], deps: KeyDeps): readonly T[] {
  const { providers, sticky, brought } = deps
  if (!brought && targets.every(({ provider }) => !providers.get(provider)?.credentials)) return targets
  return targets.flatMap((target, i) => {
    const before = targets[i - 1]
    if (before && target.credential !== undefined && isSame(before, target)) return []
    const { credential: _drawn, ...one } = target
    const own = brought?.get(target.provider)
    if (own !== undefined) return [{ ...one, ...withBrought(target, own, deps) } as T]
    const keyed = withEachKey(
      providers.get(target.provider),
      () => sticky,
      (provider, credential) => provider.llm?.(target.model, credential),
    )
    return keyed.map((by) => ({ ...one, ...by }) as T)
  })
}

/** Throws `PreferenceError`: a key that is not used as its owner meant it would be worse. */
function withBrought({ provider, model }: Target, key: string, { providers, clientKeys }: KeyDeps) {
  const offers = providers.get(provider)
  const made = offers && clientKeys?.of(offers, key)
  const adapter = made?.provider.llm?.(model)
  if (!made || !adapter)
    throw new PreferenceError('parley.keys', 'has a key for a provider that takes none of a client')
  return { adapter, credential: made.credential }
}

function isSame(one: Target, other: Target): boolean {
  return idOf(one) === idOf(other) && one.params === other.params
}
