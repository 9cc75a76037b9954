/** What doubles of bridges check alike in messages of the server. A mistake is a sentence; what follows it is not looked at. */
import type { LineMessage } from './line.ts'

export type Members = Readonly<Record<string, unknown>>

/** A message that the bridge would refuse. */
export class Unheard extends Error {}

/** A text message with a JSON object. */
export function membersOf(message: LineMessage): Members {
  if (typeof message !== 'string') throw new Unheard('a binary message')
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch {
    throw new Unheard('a message that is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unheard('a message that is no JSON object')
  return value as Members
}

export function objectOf(members: Members, name: string): Members {
  const value = members[name]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unheard(`no ${name}`)
  return value as Members
}

export function nameOf(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string' || value === '') throw new Unheard(`no ${name}`)
  return value
}

/** A member that has to have this value, since it names the stream. */
export function same(members: Members, name: string, value: string): void {
  if (members[name] !== value) throw new Unheard(`${name} of another stream, or none`)
}

/** Nothing beside these. */
export function only(members: Members, ...names: string[]): void {
  const other = Object.keys(members).find((name) => !names.includes(name))
  if (other !== undefined) throw new Unheard(`${other} in a message`)
}

/** Canonical base64 of whole frames: not empty, no foreign character, nothing after the padding. */
export function soundIn(members: Members, frameBytes: number): Uint8Array {
  const payload = nameOf(members, 'payload')
  const bytes = Buffer.from(payload, 'base64')
  if (bytes.toString('base64') !== payload) throw new Unheard('sound that is no base64')
  if (bytes.length % frameBytes !== 0)
    throw new Unheard(`${bytes.length} bytes of sound, no multiple of ${frameBytes}`)
  if (bytes.subarray(0, 4).toString('latin1') === 'RIFF') throw new Unheard('sound with the head of a file')
  return bytes
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** 16-bit samples between the two orders of bytes. */
export function swapped(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes).swap16()
}
