/** Headers as Node gives them, looked up by their lower-case names; a repeated one counts by its first value. */
import { refuse } from './error.ts'
import { MAX_HEADER_CHARS } from './limits.ts'
import { type Doc, docAt } from './values.ts'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Undefined for a header that is not there, or is empty. `name` in lower case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  const text = typeof value === 'string' ? value : Array.isArray(value) ? value[0] : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** A header that holds a JSON object. */
export function jsonHeader(headers: Headers, name: string): Doc | undefined {
  const text = headerOf(headers, name)
  if (text === undefined) return undefined
  if (text.length > MAX_HEADER_CHARS) return refuse(name, `is longer than ${MAX_HEADER_CHARS} characters`)
  return docAt(parsed(text, name), name)
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuse(name, 'must be a JSON object')
  }
}
