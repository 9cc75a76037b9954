/**
 * Reads untyped JSON with OpenAI's own error codes and messages. Every reader takes the value and its path
 * (`session.audio.output.speed`) and returns it typed, or throws a `Refusal` that names the path.
 */

import type { ErrorCode } from '../../errors.ts'

/** A client event that is not done. `param` is the path of the member at fault. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message)
  }
}

export type Json = Readonly<Record<string, unknown>>

/** What OpenAI's API takes for one text member. */
export const MAX_TEXT_CHARS = 1_048_576
/** Opaque values (JSON Schemas, tracing metadata) are echoed, so their depth must not exhaust the stack. */
const MAX_DEPTH = 64

function described(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'number':
      return Number.isInteger(value) ? 'an integer' : 'a decimal number'
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}

export function wrongType(path: string, expected: string, value: unknown): Refusal {
  if (value === undefined) return missing(path)
  const text = `Invalid type for '${path}': expected ${expected}, but got ${described(value)} instead.`
  return new Refusal('invalid_type', text, path)
}

export function missing(path: string): Refusal {
  return new Refusal('missing_required_parameter', `Missing required parameter: '${path}'.`, path)
}

/** At most 64 characters of what the client wrote, for a message. */
function excerpt(value: string): string {
  return value.length > 64 ? `${value.slice(0, 64)}…` : value
}

export function invalidValue(path: string, value: string, supported: readonly string[]): Refusal {
  const list = supported.map((s) => `'${s}'`)
  const last = list.pop() ?? ''
  const text = list.length === 0 ? last : `${list.join(', ')}${list.length > 1 ? ',' : ''} and ${last}`
  const message = `Invalid value: '${excerpt(value)}'. Supported values are: ${text}.`
  return new Refusal('invalid_value', message, path)
}

export function asObject(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(path, 'an object', value)
  return value as Json
}

export function asArray(value: unknown, path: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(path, 'an array', value)
  if (value.length > max) {
    const text = `Invalid '${path}': array too long. Expected an array with maximum length ${max}, but got an array with length ${value.length} instead.`
    throw new Refusal('array_above_max_length', text, path)
  }
  return value
}

export function asString(value: unknown, path: string, max = MAX_TEXT_CHARS): string {
  if (typeof value !== 'string') throw wrongType(path, 'a string', value)
  if (value.length > max) {
    const text = `Invalid '${path}': string too long. Expected a string with maximum length ${max}, but got a string with length ${value.length} instead.`
    throw new Refusal('string_above_max_length', text, path)
  }
  return value
}

export function asBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw wrongType(path, 'a boolean', value)
  return value
}

export function asNumber(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== 'number') throw wrongType(path, 'a decimal', value)
  return inRange(value, path, min, max, 'decimal')
}

export function asInteger(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'an integer', value)
  return inRange(value, path, min, max, 'integer')
}

function inRange(value: number, path: string, min: number, max: number, kind: 'integer' | 'decimal'): number {
  if (value < min) {
    const text = `Invalid '${path}': ${kind} below minimum value. Expected a value >= ${min}, but got ${value} instead.`
    throw new Refusal(`${kind}_below_min_value`, text, path)
  }
  if (value > max) {
    const text = `Invalid '${path}': ${kind} above maximum value. Expected a value <= ${max}, but got ${value} instead.`
    throw new Refusal(`${kind}_above_max_value`, text, path)
  }
  return value
}

export function asOneOf<const T extends string>(value: unknown, path: string, supported: readonly T[]): T {
  if (typeof value !== 'string') throw wrongType(path, `one of '${supported.join("', '")}'`, value)
  if (!(supported as readonly string[]).includes(value)) throw invalidValue(path, value, supported)
  return value as T
}

/** A value that is kept and echoed but not read: bounded in depth, else untouched. */
export function asOpaque(value: unknown, path: string): unknown {
  if (deeperThan(value, MAX_DEPTH))
    throw new Refusal('invalid_value', `Invalid '${path}': nested more than ${MAX_DEPTH} levels deep.`, path)
  return value
}

export function asOpaqueObject(value: unknown, path: string): Json {
  return asOpaque(asObject(value, path), path) as Json
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const child of Object.values(value)) if (deeperThan(child, levels - 1)) return true
  return false
}

/** At most `max` strings by name. */
export function asStringMap(
  value: unknown,
  path: string,
  limits: { readonly pairs: number; readonly key: number; readonly value: number },
): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, path))
  if (entries.length > limits.pairs) {
    const text = `Invalid '${path}': too many properties. Expected an object with at most ${limits.pairs} properties, but got an object with ${entries.length} properties instead.`
    throw new Refusal('object_above_max_properties', text, path)
  }
  return Object.fromEntries(
    entries.map(([key, entry]) => [
      asString(key, `${path} key`, limits.key),
      asString(entry, `${path}.${excerpt(key)}`, limits.value),
    ]),
  )
}
