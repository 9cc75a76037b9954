/**
 * A Portkey query, checked and judged as it stands. The importer makes conditions of such queries, once, at load; compiling
 * one takes over a millisecond, which a client could have hundreds of times a second. A test holds both to the same answers.
 */
import type { RoutingFacts } from '../../route/context.ts'
import { refuse } from './error.ts'
import { MAX_NAMES, MAX_QUERY_LEVELS } from './limits.ts'
import { isDoc, listAt, own, present } from './values.ts'

type Operator = '$eq' | '$ne' | '$in' | '$nin' | '$gt' | '$gte' | '$lt' | '$lte'
type Literal = string | number | boolean

export type Query =
  | { readonly type: 'all' | 'any'; readonly of: readonly Query[] }
  | {
      readonly type: 'test'
      readonly root: 'metadata' | 'params'
      readonly name: string
      readonly operator: Operator
      /** Of `$in` and `$nin` several, else one. */
      readonly values: readonly Literal[]
    }

export function queryAt(value: unknown, path: string, level = 1): Query {
  if (!isDoc(value)) return refuse(path, 'must be an object')
  if (level > MAX_QUERY_LEVELS) return refuse(path, `is nested deeper than ${MAX_QUERY_LEVELS} levels`)
  const of: Query[] = []
  for (const [key, one] of Object.entries(value)) {
    if ((key === '$or' || key === '$and') && Array.isArray(one)) {
      const inner = present(listAt(one, `${path}.${key}`, MAX_NAMES), path)
      if (inner.length === 0) refuse(`${path}.${key}`, 'is empty')
      const parts = inner.map((part, i) => queryAt(part, `${path}.${key}[${i}]`, level + 1))
      of.push({ type: key === '$or' ? 'any' : 'all', of: parts })
      // Portkey answers with this group alone: what follows it in the same object is not looked at.
      break
    }
    of.push(...testsAt(key, one, path))
  }
  return { type: 'all', of }
}

const PARAMS = ['model', 'stream', 'max_tokens']

function testsAt(key: string, value: unknown, path: string): Query[] {
  // Portkey looks at two steps and no further.
  const [root, name = ''] = key.split('.')
  const known = root === 'params' ? PARAMS.includes(name) : root === 'metadata' && name !== ''
  if (!known || (root !== 'metadata' && root !== 'params'))
    return refuse(
      path,
      `asks for something else than metadata, ${PARAMS.map((one) => `params.${one}`).join(', ')}`,
    )
  const operators = Object.entries(isDoc(value) ? value : { $eq: value })
  if (operators.length === 0) return refuse(path, 'compares with nothing')
  return operators.map(([operator, operand]) => ({
    type: 'test',
    root,
    name,
    ...testAt(operator, operand, path),
  }))
}

function testAt(
  operator: string,
  operand: unknown,
  path: string,
): { operator: Operator; values: readonly Literal[] } {
  switch (operator) {
    case '$eq':
    case '$ne':
      return { operator, values: [literalAt(operand, path)] }
    case '$in':
    case '$nin': {
      const list = listAt(operand, path, MAX_NAMES) ?? refuse(path, `has ${operator} without a list`)
      return { operator, values: list.map((one) => literalAt(one, path)) }
    }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte': {
      const number =
        typeof operand === 'number' || typeof operand === 'string'
          ? Number.parseFloat(String(operand))
          : Number.NaN
      return Number.isFinite(number)
        ? { operator, values: [number] }
        : refuse(path, `has ${operator} without a number`)
    }
    case '$regex':
      return refuse(
        path,
        'has $regex, which is not computed for one request: import the config as a pipeline',
      )
    default:
      return refuse(path, 'has an operator that is not known')
  }
}

function literalAt(value: unknown, path: string): Literal {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : refuse(path, 'compares with what is no text, number, true or false')
}

export function holds(query: Query, facts: RoutingFacts): boolean {
  switch (query.type) {
    case 'all':
      return query.of.every((one) => holds(one, facts))
    case 'any':
      return query.of.some((one) => holds(one, facts))
    case 'test':
      return passes(query.operator, read(query.root, query.name, facts), query.values)
    default: {
      const never: never = query
      return never
    }
  }
}

/** Who is trusted more stands above, as in conditions. */
function read(
  root: 'metadata' | 'params',
  name: string,
  { key, minted, metadata, request }: RoutingFacts,
): unknown {
  if (root === 'metadata') return own(key?.attributes, name) ?? own(minted, name) ?? own(metadata, name)
  const asked = request?.()
  if (name === 'model') return asked?.model
  return name === 'stream' ? asked?.stream : asked?.maxTokens
}

function passes(operator: Operator, value: unknown, values: readonly Literal[]): boolean {
  const isThere = value !== undefined && value !== null
  const among = isThere && (values as readonly unknown[]).includes(value)
  if (operator === '$eq' || operator === '$in') return among
  if (operator === '$ne' || operator === '$nin') return !among
  const [number, limit] = [numberIn(value), values[0] as number]
  if (number === undefined) return false
  switch (operator) {
    case '$gt':
      return number > limit
    case '$gte':
      return number >= limit
    case '$lt':
      return number < limit
    case '$lte':
      return number <= limit
    default: {
      const never: never = operator
      return never
    }
  }
}

/** A number, or a text that conditions take for one: an empty one is 0 there, too. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' ? Number(value) : Number.NaN
  return Number.isNaN(number) ? undefined : number
}
