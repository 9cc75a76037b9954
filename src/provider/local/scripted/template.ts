/**
 * Substitutions in what a script says: `{name}`, `{name|otherwise}`, and into JSON results `{result.sky.0}`.
 * A brace that is not one of these is said as it stands.
 */
import type { Json } from './script.ts'

const PLACEHOLDER = /\{([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_-]+)*)(?:\|([^{}]*))?\}/gu
/** One value may not make the answer endless. */
const VALUE_CHARACTERS = 2_000

export type Values = ReadonlyMap<string, string>

/** The names used in `text`, paths whole. */
export function placeholders(text: string): string[] {
  return Array.from(text.matchAll(PLACEHOLDER), (m) => m[1] as string)
}

/** A name without value becomes its `otherwise`, else nothing. */
export function fill(text: string, values: Values): string {
  return text.replace(PLACEHOLDER, (_, name: string, otherwise: string | undefined) => {
    return (lookUp(name, values) ?? otherwise ?? '').slice(0, VALUE_CHARACTERS)
  })
}

/** `fill` on every string inside. */
export function fillJson(json: Json, values: Values): Json {
  if (typeof json === 'string') return fill(json, values)
  if (Array.isArray(json)) return json.map((item) => fillJson(item, values))
  if (json === null || typeof json !== 'object') return json
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, fillJson(value, values)]))
}

function lookUp(name: string, values: Values): string | undefined {
  const [root = '', ...path] = name.split('.')
  const value = values.get(root)
  if (value === undefined || value === '') return undefined
  if (path.length === 0) return value
  let node: unknown
  try {
    node = JSON.parse(value)
  } catch {
    return undefined
  }
  for (const step of path) {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, step)) return undefined
    node = (node as Record<string, unknown>)[step]
  }
  return typeof node === 'object' ? JSON.stringify(node) : String(node)
}
