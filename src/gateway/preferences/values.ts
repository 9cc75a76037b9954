/**
 * Careful looks at what a client sent: each gives the value in its type, undefined where there is none (`null` is none, as
 * OpenAI's SDKs send it), or throws `PreferenceError` with the member's path.
 */
import { type Doc, isDoc, own } from '../../config/import/shapes.ts'
import { refuse } from './error.ts'
import { MAX_NAME_CHARS, MAX_NAMES, MAX_TIMEOUT_MS } from './limits.ts'

export type { Doc }

export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null
}

export function docAt(value: unknown, path: string): Doc | undefined {
  if (!isSaid(value)) return undefined
  return isDoc(value) ? value : refuse(path, 'must be an object')
}

export function listAt(value: unknown, path: string, max: number): readonly unknown[] | undefined {
  if (!isSaid(value)) return undefined
  if (!Array.isArray(value)) return refuse(path, 'must be a list')
  return value.length <= max ? value : refuse(path, `has more than ${max} entries`)
}

/** One word without blanks: a name of a model, a provider, a pipeline. */
export function nameAt(value: unknown, path: string): string | undefined {
  if (!isSaid(value)) return undefined
  if (typeof value !== 'string') return refuse(path, 'must be a text')
  if (value === '') return refuse(path, 'is empty')
  if (value.length > MAX_NAME_CHARS) return refuse(path, `is longer than ${MAX_NAME_CHARS} characters`)
  if (/[\s\p{Cc}\p{Cs}]/u.test(value)) return refuse(path, 'must be a name without blanks')
  return value
}

export function namesAt(value: unknown, path: string, max: number): readonly string[] | undefined {
  return listAt(value, path, max)?.map((one, i) => present(nameAt(one, `${path}[${i}]`), `${path}[${i}]`))
}

/** Names of providers or targets, in lower case: OpenRouter has them as `openai` and as `OpenAI`. */
export function providersAt(value: unknown, path: string): readonly string[] | undefined {
  return namesAt(value, path, MAX_NAMES)?.map((name) => name.toLowerCase())
}

/** Undefined becomes an error: for entries of lists and members that must be there. */
export function present<T>(value: T | undefined, path: string): T {
  return value === undefined ? refuse(path, 'is missing') : value
}

export function flagAt(value: unknown, path: string): boolean | undefined {
  if (!isSaid(value)) return undefined
  return typeof value === 'boolean' ? value : refuse(path, 'must be true or false')
}

export function wordAt<W extends string>(value: unknown, path: string, words: readonly W[]): W | undefined {
  if (!isSaid(value)) return undefined
  return words.find((word) => word === value) ?? refuse(path, `must be one of ${words.join(', ')}`)
}

export interface Range {
  readonly min: number
  readonly max: number
}

export function numberAt(value: unknown, path: string, { min, max }: Range): number | undefined {
  if (!isSaid(value)) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(path, 'must be a number')
  return value >= min && value <= max ? value : refuse(path, `must be between ${min} and ${max}`)
}

export function wholeAt(value: unknown, path: string, range: Range): number | undefined {
  const number = numberAt(value, path, range)
  return number === undefined || Number.isInteger(number) ? number : refuse(path, 'must be a whole number')
}

const TIME: Range = { min: 1, max: MAX_TIMEOUT_MS }

export function millisecondsAt(value: unknown, path: string): number | undefined {
  return wholeAt(value, path, TIME)
}

/** Seconds, as a number or in a header's digits; gives whole milliseconds. */
export function secondsAt(value: unknown, path: string): number | undefined {
  const seconds = numberAt(numeric(value), path, { min: 0.001, max: MAX_TIMEOUT_MS / 1000 })
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

/** `500ms`, `1s`, `1.5s`; gives whole milliseconds. */
export function durationAt(value: unknown, path: string): number | undefined {
  if (!isSaid(value)) return undefined
  const parts = typeof value === 'string' ? /^(\d{1,9}(?:\.\d{1,9})?)(ms|s)$/.exec(value) : null
  if (!parts) return refuse(path, 'must be a duration such as "500ms" or "1.5s"')
  return Math.round(Number(parts[1]) * (parts[2] === 's' ? 1000 : 1))
}

/** A text that is a plain decimal number becomes one; everything else stays as it is. */
export function numeric(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value
}

export interface Bounds {
  readonly entries: number
  readonly levels: number
  readonly nameChars: number
  readonly chars: number
}

/** JSON that may be kept: refused where it is too large, too deep, or no JSON. */
export function boundedAt(value: unknown, path: string, bounds: Bounds): Doc | undefined {
  const doc = docAt(value, path)
  if (doc) measure(doc, path, bounds, { chars: bounds.chars }, 1)
  return doc
}

function measure(value: unknown, path: string, bounds: Bounds, left: { chars: number }, level: number): void {
  const take = (chars: number) => {
    left.chars -= chars
    if (left.chars < 0) refuse(path, `holds more than ${bounds.chars} characters`)
  }
  if (typeof value === 'string') return take(value.length)
  if (value === null || typeof value === 'boolean') return take(4)
  if (typeof value === 'number') return take(8)
  if (typeof value !== 'object') return refuse(path, 'is no JSON')
  if (level > bounds.levels) return refuse(path, `is nested deeper than ${bounds.levels} levels`)
  const entries = Object.entries(value)
  if (entries.length > bounds.entries)
    return refuse(path, `has more than ${bounds.entries} entries on a level`)
  for (const [name, one] of entries) {
    if (name.length > bounds.nameChars)
      return refuse(path, `has a name longer than ${bounds.nameChars} characters`)
    take(name.length)
    measure(one, path, bounds, left, level + 1)
  }
}

export { isDoc, own }
