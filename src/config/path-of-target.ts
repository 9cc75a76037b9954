/** Where in a pipeline's file a target of a list stands: a list is an array, or a map with `from`. */
import { valueAt } from './issues.ts'
import type { Path, YamlSource } from './yaml-source.ts'

/** `use`: where the list is. */
export function pathOfTarget({ value }: YamlSource, use: Path, index: number): Path {
  return [...use, ...(valueAt(value, [...use, 'from']) === undefined ? [index] : ['from', index])]
}
