/** What the codecs share: JSON and base64 of the network read strictly, and bounded facts of a call. */
import { type BridgeEvents, BridgeMistake, type CallStart } from '../bridge.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Asterisk's largest message; 30 s of G.711 in one, as Telnyx may send, is more than any bridge needs. */
export const MAX_MESSAGE_BYTES = 64 * 1024
const MAX_PARAMETERS = 64
const MAX_NAME_CHARS = 128
const MAX_VALUE_CHARS = 1024
const MAX_ID_CHARS = 256

/** A text message that holds a JSON object. */
export function readJson(message: Buffer, kind: 'text' | 'binary'): Fields {
  if (kind === 'binary') throw new BridgeMistake('a binary message where text is spoken')
  let value: unknown
  try {
    value = JSON.parse(message.toString('utf8'))
  } catch {
    throw new BridgeMistake('a message that is no JSON')
  }
  const fields = asFields(value)
  if (!fields) throw new BridgeMistake('a message that is no JSON object')
  return fields
}

export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** A member that must be an object. */
export function fieldsOf(fields: Fields, name: string): Fields {
  const found = asFields(fields[name])
  if (!found) throw new BridgeMistake(`no ${name} in a message`)
  return found
}

/** An id that must be there. */
export function idOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS) return value
  throw new BridgeMistake(`no ${name} in a message`)
}

/** Text that may be missing or empty, and is cut at 1,024 characters. */
export function textOf(fields: Fields, name: string): string | null {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_VALUE_CHARS) : null
}

/** Numbers come as numbers or as text; undefined for anything else. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/**
 * Base64 of sound. Node's decoder passes over what it does not know, so the length tells whether all of it was read.
 */
export function soundOf(payload: unknown): Uint8Array {
  if (typeof payload !== 'string') throw new BridgeMistake('sound that is no text')
  const padding = payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(payload, 'base64')
  if ((payload.length & 3) !== 0 || bytes.length !== (payload.length >> 2) * 3 - padding)
    throw new BridgeMistake('sound that is no base64')
  return bytes
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const DIGIT = /^[0-9*#A-D]$/

/** `undefined` for what is no key of a telephone. */
export function digitOf(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && DIGIT.test(text) ? text : undefined
}

/** A key pressed, told where it is one of a telephone. */
export function pressed(value: unknown, events: BridgeEvents): void {
  const digit = digitOf(value)
  if (digit !== undefined) events.digit(digit)
}

/** Texts, numbers and booleans of an object, within bounds; anything else is left out. */
export function parametersOf(value: unknown): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = Object.create(null)
  let count = 0
  for (const [name, given] of Object.entries(asFields(value) ?? {})) {
    if (!['string', 'number', 'boolean'].includes(typeof given)) continue
    if (name === '' || name.length > MAX_NAME_CHARS || count++ >= MAX_PARAMETERS) continue
    parameters[name] = String(given).slice(0, MAX_VALUE_CHARS)
  }
  return parameters
}

/** Who calls whom, where the bridge says it itself or whoever placed the call gave `from` and `to` as parameters. */
export function partiesOf(
  said: { readonly from?: string | null; readonly to?: string | null },
  parameters: Readonly<Record<string, string>>,
): Pick<CallStart, 'from' | 'to'> {
  return {
    from: said.from ?? parameters['from'] ?? null,
    to: said.to ?? parameters['to'] ?? null,
  }
}
