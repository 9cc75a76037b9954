/**
 * Seals of thoughts inside `encrypted_content`, which clients keep and give back unread. One that a provider of this dialect made stays
 * as it is; any other is marked with whose it is, so that its maker gets it back and nobody else does. Pure.
 */
import type { ReasoningSeal } from '../neutral.ts'

const MARK = /^parley:([\w-]*):(signature|sealed):/

export function writeSeal({ by, signature, sealed }: ReasoningSeal): string | undefined {
  if (by === 'openai-responses') return sealed
  if (signature !== undefined) return `parley:${by ?? ''}:signature:${signature}`
  return sealed === undefined ? undefined : `parley:${by ?? ''}:sealed:${sealed}`
}

export function readSeal(encrypted: string): ReasoningSeal {
  const mark = MARK.exec(encrypted)
  if (!mark) return { sealed: encrypted, by: 'openai-responses' }
  const value = encrypted.slice(mark[0].length)
  // As it was written: nobody but its maker believes it.
  const by = (mark[1] || undefined) as ReasoningSeal['by']
  return {
    ...(mark[2] === 'signature' ? { signature: value } : { sealed: value }),
    ...(by !== undefined && { by }),
  }
}

/** Not of a provider of this dialect. */
export function isForeignSeal(encrypted: unknown): boolean {
  return typeof encrypted === 'string' && MARK.test(encrypted)
}
