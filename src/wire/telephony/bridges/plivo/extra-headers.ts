/**
 * The parameters of a Plivo stream: `extraHeaders="a=1,b=2"` in the document, 512 bytes of letters and digits, and
 * `extra_headers` in the messages, which is shown as `a=1;b=2` and has been seen in braces. A value with other characters is
 * written in hex and its name ends in `Hex`, both ways.
 */
import { asFields, parametersOf } from '../message.ts'
import { essentialFirst } from '../parameters.ts'

const MAX_BYTES = 512
const PLAIN = /^[A-Za-z0-9]+$/
const HEX = /^([0-9a-f]{2})+$/
/** Such headers of a call are named so in Plivo's SIP. */
const PREFIX = /^x-ph-/i

/** Names that are not plain are left out, and what no longer fits. */
export function writeExtraHeaders(parameters: Readonly<Record<string, string>>): string {
  let text = ''
  for (const [name, value] of essentialFirst(parameters)) {
    if (!PLAIN.test(name) || value === '') continue
    const pair = PLAIN.test(value) ? `${name}=${value}` : `${name}Hex=${Buffer.from(value).toString('hex')}`
    if (text.length + pair.length + 1 > MAX_BYTES) continue
    text += `${text ? ',' : ''}${pair}`
  }
  return text
}

export function readExtraHeaders(given: unknown): Readonly<Record<string, string>> {
  return parametersOf(Object.fromEntries(pairsOf(given).map(([name, value]) => plain(name, value))))
}

function pairsOf(given: unknown): [string, unknown][] {
  const fields = asFields(given)
  if (fields) return Object.entries(fields)
  if (typeof given !== 'string') return []
  const text = given.slice(0, 4 * MAX_BYTES).trim()
  const json = text.startsWith('{') ? jsonOf(text) : undefined
  if (json) return Object.entries(json)
  return text
    .replace(/^\{|\}$/g, '')
    .split(/[;,]/)
    .flatMap((pair) => {
      const found = /^\s*([^=:\s]+)\s*[=:]\s*(.*?)\s*$/.exec(pair)
      return found ? [[found[1]!, found[2]!] as [string, unknown]] : []
    })
}

function plain(name: string, value: unknown): [string, unknown] {
  const bare = name.replace(PREFIX, '')
  if (!bare.endsWith('Hex') || typeof value !== 'string' || !HEX.test(value)) return [bare, value]
  return [bare.slice(0, -'Hex'.length), Buffer.from(value, 'hex').toString('utf8')]
}

function jsonOf(text: string) {
  try {
    return asFields(JSON.parse(text))
  } catch {
    return undefined
  }
}
