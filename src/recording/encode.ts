/**
 * Values as a recording writes them: JSON, and what JSON lacks as an object with one member whose name begins with `$`.
 * Bytes are whole (`keep`), a length and a hash (`hash`), or only a length (`drop`: read again as zeros).
 */
import { createHash } from 'node:crypto'

export type Bytes = 'keep' | 'hash' | 'drop'

/** No value of ours nests deeper; a file that does is refused. */
const MAX_DEPTH = 100

export function encode(value: unknown, bytes: Bytes, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply to be recorded')
  if (value === undefined) return { $u: 1 }
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $n: String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return encodeBytes(value, bytes)
  if (Array.isArray(value)) return value.map((one) => encode(one, bytes, depth + 1))
  const plain = Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, encode(one, bytes, depth + 1)]),
  )
  return Object.keys(plain)[0]?.startsWith('$') ? { $o: plain } : plain
}

function encodeBytes(value: Uint8Array, bytes: Bytes): unknown {
  if (bytes === 'drop') return { $z: value.length }
  if (bytes === 'keep') return { $b: Buffer.from(value).toString('base64') }
  return { $h: [value.length, createHash('sha256').update(value).digest('base64url').slice(0, 16)] }
}

/** Longer runs of dropped audio no recording has. */
const MAX_ZEROS = 64 * 1024 * 1024

/** Throws `RangeError` for what `encode` does not write. */
export function decode(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH * 2) throw new RangeError('nested too deeply')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => decode(one, depth + 1))
  const entries = Object.entries(value)
  const [tag, given] = entries[0] ?? ['', undefined]
  if (entries.length !== 1 || !tag.startsWith('$')) return plain(entries, depth)
  switch (tag) {
    case '$u':
      return undefined
    case '$n':
      return Number(given)
    case '$b':
      if (typeof given !== 'string') throw new RangeError('bytes that are no text')
      return new Uint8Array(Buffer.from(given, 'base64'))
    case '$z':
      if (!Number.isInteger(given) || (given as number) < 0 || (given as number) > MAX_ZEROS) {
        throw new RangeError('a length of bytes that cannot be')
      }
      return new Uint8Array(given as number)
    case '$o':
      if (typeof given !== 'object' || given === null) throw new RangeError('an object that is none')
      return plain(Object.entries(given), depth)
    default:
      throw new RangeError(`an unknown kind of value: ${tag.slice(0, 20)}`)
  }
}

function plain(entries: readonly [string, unknown][], depth: number): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, one]) => [name, decode(one, depth + 1)]))
}
