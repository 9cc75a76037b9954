/** The words by which gateways name a sort, and the forms they are written in. */
import type { SortKey } from '../../route/sort.ts'
import { refuse } from './error.ts'
import { MAX_SORTS } from './limits.ts'
import type { Sort } from './preferences.ts'
import { type Doc, listAt, own, wordAt } from './values.ts'

/** The usual direction is the better end first: cheap, quick, good. */
const WORDS: Readonly<Record<string, { readonly key: SortKey; readonly usual: 'asc' | 'desc' }>> = {
  price: { key: 'price', usual: 'asc' },
  cost: { key: 'price', usual: 'asc' },
  latency: { key: 'latency', usual: 'asc' },
  ttft: { key: 'latency', usual: 'asc' },
  throughput: { key: 'throughput', usual: 'desc' },
  tps: { key: 'throughput', usual: 'desc' },
  // One table of quality, the operator's: `math` and `coding` have none of their own here.
  intelligence: { key: 'quality', usual: 'desc' },
  math: { key: 'quality', usual: 'desc' },
  coding: { key: 'quality', usual: 'desc' },
}

/** Words whose own table does not exist here, so that another one answers. */
export const APPROXIMATE: readonly string[] = ['math', 'coding']

const DIRECTIONS: Readonly<Record<string, 'asc' | 'desc'>> = {
  asc: 'asc',
  ascending: 'asc',
  sort_direction_asc: 'asc',
  sort_direction_ascending: 'asc',
  desc: 'desc',
  descending: 'desc',
  sort_direction_desc: 'desc',
  sort_direction_descending: 'desc',
}

/** `price`, `price:desc`, `{ metric: price, direction: desc }`, `{ by: price }`. */
export function sortAt(value: unknown, path: string): Sort {
  if (typeof value === 'string') {
    const [word = '', direction, more] = value.split(':')
    if (more !== undefined) return refuse(path, 'is no sort key')
    return sortOf(word, direction, path)
  }
  const metric = own(value, 'metric') ?? own(value, 'by')
  if (typeof metric !== 'string') return refuse(path, 'must name what to sort by')
  return sortOf(metric, own(value, 'direction') ?? undefined, path)
}

/** One, or a list of them, most important first. */
export function sortsAt(value: unknown, path: string): readonly Sort[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) return [sortAt(value, path)]
  return listAt(value, path, MAX_SORTS)?.map((one, i) => sortAt(one, `${path}[${i}]`))
}

function sortOf(word: string, direction: unknown, path: string): Sort {
  const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
  if (!known) return refuse(path, `must be one of ${Object.keys(WORDS).join(', ')}`)
  if (direction === undefined) return { key: known.key, worstFirst: false, asked: word }
  const name = typeof direction === 'string' ? direction.toLowerCase() : ''
  const way = Object.hasOwn(DIRECTIONS, name) ? DIRECTIONS[name] : undefined
  if (way === undefined) return refuse(path, 'has a direction that is neither asc nor desc')
  return { key: known.key, worstFirst: way !== known.usual, asked: word }
}

/** OpenRouter's object: `{ by, partition }`. */
export function partitionAt(sort: Doc, path: string): 'model' | 'none' | undefined {
  return wordAt(own(sort, 'partition'), `${path}.partition`, ['model', 'none'])
}
