/** A client's JSON, read member by member: what is wrong is a `RequestFault` that names its path. Pure. */
import { RequestFault } from './faults.ts'
import { isRecord } from './openai-error.ts'

export type Json = Readonly<Record<string, unknown>>

/** `path` is what stands before the member's name, such as `messages[1].`, or nothing. Null and missing are the same. */
export function optional<T>(
  body: Json,
  path: string,
  name: string,
  read: (value: unknown, at: string) => T,
): T | undefined {
  const value = body[name]
  return value === undefined || value === null ? undefined : read(value, `${path}${name}`)
}

export function required<T>(
  body: Json,
  path: string,
  name: string,
  read: (value: unknown, at: string) => T,
): T {
  const value = optional(body, path, name, read)
  if (value === undefined) {
    const at = `${path}${name}`
    throw new RequestFault(at, `Missing required parameter: '${at}'.`, 'missing_required_parameter')
  }
  return value
}

export function asText(value: unknown, at: string): string {
  return typeof value === 'string' ? value : wrong(at, 'a string', value)
}

export function asNumber(value: unknown, at: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : wrong(at, 'a number', value)
}

export function asCount(value: unknown, at: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : wrong(at, 'a whole number that is not negative', value)
}

export function asFlag(value: unknown, at: string): boolean {
  return typeof value === 'boolean' ? value : wrong(at, 'a boolean', value)
}

export function asRecord(value: unknown, at: string): Json {
  return isRecord(value) ? value : wrong(at, 'an object', value)
}

export function asList(value: unknown, at: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(at, 'an array', value)
}

export function asOneOf<const T extends string>(names: readonly T[]): (value: unknown, at: string) => T {
  return (value, at) => {
    const found = names.find((name) => name === value)
    if (found !== undefined) return found
    throw new RequestFault(
      at,
      `Invalid value for '${at}': there are ${names.map((one) => `'${one}'`).join(', ')}.`,
    )
  }
}

/** Says what was found by its type alone. */
export function wrong(at: string, wanted: string, value: unknown): never {
  const found = Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value
  throw new RequestFault(at, `Invalid type for '${at}': expected ${wanted}, but got ${found} instead.`)
}
