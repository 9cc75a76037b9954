/**
 * What other systems decide by and Parley's pipeline schema cannot say yet. Each entry names the member that will take it;
 * when the schema has it, its line here becomes `true` and the list writer below puts it in the output.
 */
import type { Notes } from './notes.ts'
import type { Written } from './shapes.ts'

const SCHEMA_HAS = { sort: false, context_overflow: false, content_refusal: false } as const

type Later = keyof typeof SCHEMA_HAS

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

export function noteLater(feature: Exclude<Later, 'sort'>, path: readonly PropertyKey[], notes: Notes): void {
  if (!SCHEMA_HAS[feature]) notes.add(path, WHY[feature])
}
