/**
 * How a message is held against a recorded one: by its members' names and types and by what it says it is. Texts, numbers and sound
 * may be others; ids are, and what the provider said of the recorded one it says of the new one.
 */
import { objectIn } from './secrets.ts'
import { soundBytes } from './sound.ts'

/** Members that say what a message is, where their value is a word. */
const KINDS = new Set(['type', 'event', 'message', 'message_type', 'action', 'command'])
const WORD = /^[\w.:-]{1,40}$/
const ID = /(^|_)u?u?id$|[a-z]U?u?[Ii][Dd]$/
const KEEP_ALIVE = /^\s*$|keep[-_ ]?alive|"ping"/i

/** Sent by the clock and not for what was said: not counted. */
export function isKeepAlive(text: string): boolean {
  return text.length < 200 && KEEP_ALIVE.test(text)
}

/** A message of sound alone is counted by its bytes. */
export function soundIn(text: string): number {
  const json = objectIn(text)
  return json === undefined ? 0 : soundBytes(json)
}

/** Equal for messages that are alike. */
export function shapeOf(text: string): string {
  const json = objectIn(text)
  return json === undefined ? 'text' : shape(json)
}

function shape(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${shape(value[0])}]`
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => {
      const says = KINDS.has(name) && typeof member === 'string' && WORD.test(member)
      return `${name}: ${says ? member : shape(member)}`
    })
  return `{ ${members.join(', ')} }`
}

/** Adds the ids of `now` by those that stood in their places in `then`. */
export function idsOf(then: string, now: string, ids: Map<string, string>): void {
  walk(objectIn(then), objectIn(now), '', ids)
}

function walk(then: unknown, now: unknown, name: string, ids: Map<string, string>): void {
  if (typeof then === 'string' && typeof now === 'string') {
    if (then !== now && then !== '' && ID.test(name)) ids.set(then, now)
    return
  }
  if (typeof then !== 'object' || typeof now !== 'object' || then === null || now === null) return
  for (const [member, value] of Object.entries(then))
    walk(value, (now as Record<string, unknown>)[member], Array.isArray(then) ? name : member, ids)
}
