/**
 * What other systems decide by and Parley's pipeline schema cannot say yet. Each entry names the member that will take it;
 * when the schema has it, its flag here becomes `true` and the writers below put it in the output.
 */
import type { Notes } from './notes.ts'
import type { Written } from './shapes.ts'

const SCHEMA_HAS: Readonly<Record<Later, boolean>> = {
  sort: false,
  context_overflow: false,
  content_refusal: false,
}

type Later = 'sort' | 'context_overflow' | 'content_refusal'

const WHY: Record<Later, string> = {
  sort: 'lists are tried in the order written: sorting by live figures is not done yet',
  context_overflow: 'a list of its own for prompts that are too long is not there yet',
  content_refusal: 'a list of its own for refused content is not there yet',
}

/** A list of targets, sorted where the schema allows it; where it does not, noted at `path`. */
export function sortedList(
  targets: readonly Written[],
  sort: readonly string[],
  path: readonly PropertyKey[],
  notes: Notes,
): readonly Written[] | { readonly from: readonly Written[]; readonly sort: readonly string[] } {
  if (sort.length === 0) return targets
  if (SCHEMA_HAS.sort) return { from: targets, sort }
  notes.add(path, WHY.sort)
  return targets
}

/** Lists that take over for one kind of failure, with the member of the source that asks for them. */
export type Instead = Readonly<
  Partial<
    Record<
      Exclude<Later, 'sort'>,
      { readonly list: readonly Written[]; readonly path: readonly PropertyKey[] }
    >
  >
>

/** Those lists as members of a route, where the schema has them; where it has not, noted. */
export function insteadOf(instead: Instead, notes: Notes): { readonly insteadOf?: unknown } {
  const lists: Record<string, readonly Written[]> = {}
  for (const kind of ['context_overflow', 'content_refusal'] as const) {
    const one = instead[kind]
    if (one === undefined) continue
    if (SCHEMA_HAS[kind]) lists[kind] = one.list
    else notes.add(one.path, WHY[kind])
  }
  return Object.keys(lists).length === 0 ? {} : { insteadOf: lists }
}
