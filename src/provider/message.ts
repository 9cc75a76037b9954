/** Reading a provider's JSON messages: fields by name and type, or `Malformed` with the name. Pure. */
import { Malformed } from './protocol.ts'

export type Fields = Readonly<Record<string, unknown>>

export function objectOf(text: string, provider: string): Fields {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    throw new Malformed(`${provider} sent a message that is no JSON`)
  }
  if (!isFields(message)) throw new Malformed(`${provider} sent a message that is no object`)
  return message
}

/** An object with a `type`, which providers may call by another name. */
export function messageOf(
  text: string,
  provider: string,
  typeField = 'type',
): Fields & { readonly type: string } {
  const message = objectOf(text, provider)
  const type = message[typeField]
  if (typeof type !== 'string') throw new Malformed(`${provider} sent a message without a type`)
  // No copy: it is nobody else's, and some providers send a hundred for a second of sound.
  return Object.assign(message, { type })
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Malformed(`${name} is no text`)
  return value
}

export function numberIn(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${name} is no number`)
  return value
}

export function listIn(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name]
  if (!Array.isArray(value) || !value.every(isFields)) throw new Malformed(`${name} is no list of objects`)
  return value
}

/** Absent, or of another type: undefined. For what nobody depends on. */
export function optionalNumber(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
