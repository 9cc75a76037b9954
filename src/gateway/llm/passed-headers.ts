/** Headers of a client that belong to its body: a provider of the same dialect refuses members that its `anthropic-beta` does not name. */
import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '../failure.ts'

const MAX_CHARS = 2_048
/** Names, separated by commas. */
const LIST = /^[\w.:-]+( *, *[\w.:-]+)*$/

/** Throws `Refusal` for what is no list of names. */
export function passedHeaders(
  headers: IncomingHttpHeaders,
  names: readonly string[] = [],
): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const name of names) {
    const value = String(headers[name] ?? '').trim()
    if (value === '') continue
    if (value.length > MAX_CHARS || !LIST.test(value)) {
      throw new Refusal('invalid_value', `Invalid '${name}': expected names, separated by commas.`, name)
    }
    passed[name] = value
  }
  return passed
}
