/**
 * A hash that never changes: the same text gives the same number on every machine, in every version, so that a
 * user's share of an experiment needs no store. Not cryptographic. Two murmur3 finalizers over UTF-16 units.
 */

export interface Hash {
  readonly a: number
  readonly b: number
}

export function hashText(text: string): Hash {
  let a = 0x9e3779b9
  let b = 0x85ebca6b
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0xcc9e2d51)
    a = (a << 15) | (a >>> 17)
    b = Math.imul(b ^ unit, 0x1b873593)
    b = (b << 13) | (b >>> 19)
  }
  a = finish(a ^ text.length)
  b = finish(b ^ a)
  return { a: finish(a + b), b }
}

/** A number in (0, 1), 53 bits of it, for a key and a salt hashed apart: a million keys need one hash each. */
export function unit(key: Hash, salt: Hash): number {
  const a = finish(key.a ^ salt.a)
  const b = finish((key.b ^ salt.b) + a)
  const low = finish(a + Math.imul(b, 0x9e3779b1))
  return ((b >>> 11) * 4_294_967_296 + (low >>> 0) + 0.5) / 2 ** 53
}

/** 0 ≤ x < 100 for a key, the same for ever; another salt deals the keys anew. */
export function percentOf(key: string, salt: string): number {
  return Math.floor(unit(hashText(key), hashText(salt)) * 1_000_000) / 10_000
}

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
