/**
 * JSON schemas as Anthropic's structured outputs take them: a subset, in which each object is closed. Pure. What the subset lacks is
 * said in the description, as the `@anthropic-ai/sdk` package 1.13 does, so that the model still knows it.
 */
type Schema = Readonly<Record<string, unknown>>

/** Deeper ones are nobody's; they go as they are. */
const DEPTH = 64
const KEPT = new Set(['$ref', 'title', 'description', 'type', 'required', 'enum', 'const'])
/** They restrict nothing. */
const SILENT = new Set(['$schema', '$id', '$comment', 'default', 'examples'])
const FORMATS = new Set([
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'],
])

export function fitSchema(schema: Schema): Record<string, unknown> {
  return closed(schema, 0) as Record<string, unknown>
}

function closed(value: unknown, depth: number): unknown {
  if (!isSchema(value) || depth > DEPTH) return value
  const fitted: Record<string, unknown> = {}
  const unsaid: string[] = []
  const deeper = (one: unknown) => closed(one, depth + 1)
  for (const [name, member] of Object.entries(value)) {
    if (KEPT.has(name)) fitted[name] = member
    else if (name === 'properties' || name === '$defs' || name === 'definitions') {
      fitted[name] = isSchema(member)
        ? Object.fromEntries(Object.entries(member).map(([key, one]) => [key, deeper(one)]))
        : member
    } else if (name === 'anyOf' || name === 'oneOf' || name === 'allOf') {
      fitted[name === 'oneOf' ? 'anyOf' : name] = Array.isArray(member) ? member.map(deeper) : member
    } else if (name === 'items') fitted[name] = deeper(member)
    else if (isSaid(name, member)) fitted[name] = member
    else if (!SILENT.has(name) && name !== 'additionalProperties')
      unsaid.push(`${name}: ${JSON.stringify(member)}`)
  }
  if ('enum' in fitted || 'const' in fitted) delete fitted['type']
  if (isObject(fitted['type'])) {
    fitted['properties'] ??= {}
    fitted['additionalProperties'] = false
  }
  if (unsaid.length > 0) {
    const before = typeof fitted['description'] === 'string' ? `${fitted['description']} ` : ''
    fitted['description'] = `${before}(${unsaid.join(', ')})`
  }
  return fitted
}

function isSaid(name: string, member: unknown): boolean {
  if (name === 'format') return typeof member === 'string' && FORMATS.has(member)
  return name === 'minItems' && (member === 0 || member === 1)
}

function isObject(type: unknown): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object'))
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
