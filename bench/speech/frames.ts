/** Messages as a bare client must make and read them: sound as it is, or as base64 in JSON; any other text as it was. */
import { randomUUID } from 'node:crypto'

/** A message that was sent. `bytes`: of its sound. */
export type Frame =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sound'; readonly bytes: number }
  | {
      readonly kind: 'wrapped'
      readonly message: Record<string, unknown>
      readonly path: readonly string[]
      readonly bytes: number
    }

/** Shorter ones are ids and words. */
const SOUND_CHARACTERS = 100
const ID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g
const BASE64 = /^[A-Za-z0-9+/]+=*$/

export function frameOf(data: string | Uint8Array): Frame {
  if (typeof data !== 'string') return { kind: 'sound', bytes: data.length }
  const path = soundPathOf(data)
  if (path === undefined) return { kind: 'text', text: data }
  const message = JSON.parse(data) as Record<string, unknown>
  return { kind: 'wrapped', message, path, bytes: Buffer.from(textAt(message, path)!, 'base64').length }
}

/** What goes over the wire for it. */
export function dataOf(frame: Frame, sound: (bytes: number) => Uint8Array): string | Uint8Array {
  switch (frame.kind) {
    case 'text':
      return frame.text
    case 'sound':
      return sound(frame.bytes)
    case 'wrapped': {
      const { message, path, bytes } = frame
      const audio = sound(bytes)
      const holder = path.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, message)
      holder[path.at(-1)!] = Buffer.from(audio.buffer, audio.byteOffset, audio.length).toString('base64')
      return JSON.stringify(message)
    }
  }
}

/** What was recorded, under new ids of answers: a provider takes none twice. */
export function withFreshIds<T>(recorded: T): T {
  const fresh = new Map<string, string>()
  const renamed = JSON.stringify(recorded).replace(ID, (id) => {
    if (!fresh.has(id)) fresh.set(id, randomUUID())
    return fresh.get(id)!
  })
  return JSON.parse(renamed) as T
}

/** Where a message of JSON has its sound; undefined when it has none. */
export function soundPathOf(text: string): readonly string[] | undefined {
  if (text.length < SOUND_CHARACTERS || !text.startsWith('{')) return undefined
  return pathIn(JSON.parse(text) as Record<string, unknown>)
}

/** The text at that place, if one is there. */
export function textAt(message: unknown, path: readonly string[]): string | undefined {
  let at = message
  for (const name of path) at = (at as Record<string, unknown> | null | undefined)?.[name]
  return typeof at === 'string' ? at : undefined
}

function pathIn(fields: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.length >= SOUND_CHARACTERS && BASE64.test(value)) return [name]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    const rest = pathIn(value as Record<string, unknown>)
    if (rest) return [name, ...rest]
  }
  return undefined
}
