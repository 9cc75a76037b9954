/** From names to targets: each wish with what it resolves to, in the order of the wishes. Pure. */
import type { Target } from '../../route/candidates.ts'
import { PreferenceError } from './error.ts'
import type { Wish } from './preferences.ts'

export interface Choice<T extends Target = Target> extends Target {
  readonly target: T
  readonly wish: Wish
  /** The wish's place in the list: targets of one group are the same model, or the same pipeline. */
  readonly group: number
}

/** Targets of a pipeline's name, of `router/NAME`, of `provider/model`, of a bare name, of `auto`; null: nothing is called so. */
export type Resolve<T extends Target> = (wish: Wish) => readonly T[] | null

/**
 * A name that is not known is refused wherever it stands: a mistake in a fallback would show when it is needed. A target
 * that comes again with the same parameters is left out.
 */
export function choicesOf<T extends Target>(wishes: readonly Wish[], resolve: Resolve<T>): Choice<T>[] {
  const seen = new Set<string>()
  return wishes.flatMap((wish, group) => {
    const targets = resolve(wish)
    if (!targets)
      throw new PreferenceError(
        wish.place,
        'names no pipeline and no target of this server',
        'model_not_found',
      )
    return targets.flatMap((target): Choice<T>[] => {
      const key = JSON.stringify([target.id, wish.params])
      if (seen.has(key)) return []
      seen.add(key)
      return [{ id: target.id, provider: target.provider, target, wish, group }]
    })
  })
}
