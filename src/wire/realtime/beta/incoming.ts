/**
 * A beta client's event as GA would have it. The flat members of sessions and responses need nothing: they are aliases in
 * either shape, since clients in the wild mix the two (`session-update.ts`). Pure.
 */
import type { Json } from '../check.ts'

export function fromBeta(event: Json): Json {
  switch (event['type']) {
    case 'session.update':
      return within(event, 'session', choice)
    case 'transcription_session.update':
      return within({ ...event, type: 'session.update' }, 'session', (session) => ({
        ...session,
        type: 'transcription',
      }))
    case 'response.create':
      return within(event, 'response', choice)
    default:
      return event
  }
}

/** Anything but an object is left to be refused. */
function within(event: Json, member: string, change: (inner: Json) => Json): Json {
  const inner = event[member]
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return event
  return { ...event, [member]: change(inner as Json) }
}

const WORDS: readonly unknown[] = ['auto', 'none', 'required']

/** The beta named a function by its bare name. */
function choice(inner: Json): Json {
  const name = inner['tool_choice']
  if (typeof name !== 'string' || WORDS.includes(name)) return inner
  return { ...inner, tool_choice: { type: 'function', name } }
}
