/** Ids of the wire's own: unique in a process and hard to guess. */
import { randomBytes } from 'node:crypto'

export function randomId(prefix: 'conv' | 'event'): string {
  return `${prefix}_${randomBytes(12).toString('base64url')}`
}

/** Of a session that may begin one day. */
export function newSessionId(): string {
  return `sess_${randomBytes(12).toString('hex')}`
}

/** Event ids of one connection: a random stem and a count, since one is needed for every frame of audio. */
export function eventIds(): () => string {
  const stem = randomId('event')
  let count = 0
  return () => `${stem}${(count++).toString(36)}`
}
