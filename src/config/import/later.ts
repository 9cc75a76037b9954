/** Lists beside a route's own: sorted by live figures, and those that take over for one kind of failure. */
import type { Written } from './shapes.ts'

/** As many as a list of the schema may have. */
const MAX_TARGETS = 16

/** A list of targets in the order written, or sorted at every turn. */
export function sortedList(
  targets: readonly Written[],
  sort: readonly string[],
): readonly Written[] | { readonly from: readonly Written[]; readonly sort: readonly string[] } {
  return sort.length === 0 ? targets : { from: targets, sort }
}

/** What takes over for prompts that are too long, or for what a target will not answer. */
export interface Instead {
  readonly context_overflow?: readonly Written[]
  readonly content_refusal?: readonly Written[]
}

/** Those lists as members of a route. */
export function insteadOf({
  context_overflow,
  content_refusal,
}: Instead): Readonly<Record<string, readonly Written[]>> {
  const cut = (list: readonly Written[]) => list.slice(0, MAX_TARGETS)
  return {
    ...(context_overflow && { onContextOverflow: cut(context_overflow) }),
    ...(content_refusal && { onContentRefusal: cut(content_refusal) }),
  }
}
