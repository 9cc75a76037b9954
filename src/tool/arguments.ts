/** A model's arguments, read and held against the tool's JSON Schema before anything is sent. */
import { z } from 'zod'
import type { ToolCall, ToolDefinition } from '../dialect/neutral.ts'
import { ToolError } from '../stage/tools.ts'

const MAX_ARGUMENT_CHARS = 64 * 1024

/** Throws `ToolError`. */
export function argumentsOf(
  call: ToolCall,
  { parameters }: Pick<ToolDefinition, 'parameters'>,
): Record<string, unknown> {
  const wrong = (why: string) => new ToolError('arguments', `The arguments of ${call.name} ${why}.`)
  if (call.arguments.length > MAX_ARGUMENT_CHARS) throw wrong('are too long')
  let value: unknown
  try {
    value = JSON.parse(call.arguments.trim() === '' ? '{}' : call.arguments)
  } catch {
    throw wrong('are no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('are no JSON object')
  const checked = schemaOf(parameters)?.safeParse(value)
  if (checked && !checked.success) {
    const [issue] = checked.error.issues
    throw wrong(`do not fit: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'wrong'}`)
  }
  return value as Record<string, unknown>
}

const schemas = new WeakMap<object, z.ZodType | null>()

/** Null: no schema, or one that cannot be read here; then the tool itself judges. */
function schemaOf(parameters: ToolDefinition['parameters']): z.ZodType | null {
  if (!parameters) return null
  const known = schemas.get(parameters)
  if (known !== undefined) return known
  let schema: z.ZodType | null = null
  try {
    schema = z.fromJSONSchema(parameters as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // A keyword that the reader does not know.
  }
  schemas.set(parameters, schema)
  return schema
}
