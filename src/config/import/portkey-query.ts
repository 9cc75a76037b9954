/** Portkey's queries as CEL. What Portkey's own router does where a value is missing or a text is kept. */
import { isDoc } from './shapes.ts'

/** Undefined: it cannot be said in Parley. `depth` bounds what a hostile document nests. */
export function celOf(query: unknown, depth = 0): string | undefined {
  if (!isDoc(query) || depth > 12) return undefined
  const parts: string[] = []
  for (const [key, value] of Object.entries(query)) {
    if ((key === '$or' || key === '$and') && Array.isArray(value)) {
      const inner = value.map((one) => celOf(one, depth + 1))
      if (inner.length === 0 || inner.some((one) => one === undefined)) return undefined
      parts.push(`(${inner.join(key === '$or' ? ' || ' : ' && ')})`)
      // Portkey answers with this group alone: what follows it in the same object is not looked at.
      break
    }
    const place = placeOf(key)
    const part = place && compare(place, isDoc(value) ? value : { $eq: value })
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.length === 0 ? 'true' : parts.join(' && ')
}

interface Place {
  readonly read: string
  readonly there: string
}

/** Portkey looks at two steps and no further. */
function placeOf(key: string): Place | undefined {
  const [root, name = ''] = key.split('.')
  if (root === 'metadata' && /^[^\p{Cc}]{1,64}$/u.test(name)) {
    const quoted = JSON.stringify(name)
    return { read: `metadata[${quoted}]`, there: `${quoted} in metadata` }
  }
  if (root !== 'params') return undefined
  const known: Record<string, string> = { model: 'model', stream: 'stream', max_tokens: 'maxTokens' }
  const member = Object.hasOwn(known, name) ? known[name] : undefined
  return member === undefined ? undefined : { read: `request.${member}`, there: `has(request.${member})` }
}

const ORDER: Record<string, string> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }

function compare({ read, there }: Place, operators: Readonly<Record<string, unknown>>): string | undefined {
  const parts: string[] = []
  for (const [operator, value] of Object.entries(operators)) {
    const part = one(operator, value)
    if (part === undefined) return undefined
    parts.push(part)
    // Portkey's regex answers at once, whatever stands beside it.
    if (operator === '$regex') break
  }
  return parts.length === 0 ? undefined : parts.join(' && ')

  function one(operator: string, value: unknown): string | undefined {
    if (operator === '$eq' || operator === '$ne') {
      const text = literal(value)
      if (text === undefined) return undefined
      return operator === '$eq' ? `(${there} && ${read} == ${text})` : `(!(${there}) || ${read} != ${text})`
    }
    if (operator === '$in' || operator === '$nin') {
      const items = Array.isArray(value) ? value.map(literal) : [undefined]
      if (items.length > 100 || items.some((item) => item === undefined)) return undefined
      const among = `${read} in [${items.join(', ')}]`
      return operator === '$in' ? `(${there} && ${among})` : `(!(${there}) || !(${among}))`
    }
    if (operator === '$regex')
      return typeof value === 'string'
        ? `(${there} && string(${read}).matches(${JSON.stringify(value)}))`
        : undefined
    const sign = Object.hasOwn(ORDER, operator) ? ORDER[operator] : undefined
    const number =
      typeof value === 'number' || typeof value === 'string' ? Number.parseFloat(String(value)) : Number.NaN
    if (sign === undefined || !Number.isFinite(number)) return undefined
    return `(${there} && double(${read}) ${sign} ${decimal(number)})`
  }
}

function literal(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  return typeof value === 'number' && Number.isFinite(value) ? decimal(value) : undefined
}

function decimal(value: number): string {
  return /[.e]/.test(String(value)) ? String(value) : `${value}.0`
}
