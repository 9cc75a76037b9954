/** Human speech and other sounds for the tests of the embedded recognisers. */
import { readFileSync } from 'node:fs'

/** Samples of `fixtures/speech/NAME.wav`: 16 kHz, 16 bit, mono, a 44-byte header. */
export function speech(name: 'ten-of-clubs' | 'seven-of-clubs' | 'amiable'): Int16Array {
  const file = readFileSync(new URL(`../../../fixtures/speech/${name}.wav`, import.meta.url))
  return new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length))
}

export const WORDS = {
  'ten-of-clubs': 'ten of clubs',
  'seven-of-clubs': 'seven of clubs',
  amiable: 'he might even have been made amiable himself',
} as const

export function silence(ms: number): Int16Array {
  return new Int16Array(ms * 16)
}

/** White noise of the given peak, the same at every run. */
export function noise(ms: number, peak: number): Int16Array {
  let seed = 42
  return Int16Array.from({ length: ms * 16 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff
    return Math.round((seed / 0x4000_0000 - 1) * peak)
  })
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Little-endian bytes, as adapters take them. */
export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
}

/** Word error rate: edits of words over the words said, punctuation and case aside. */
export function wordErrorRate(said: string, heard: string): number {
  const a = wordsOf(said)
  const b = wordsOf(heard)
  let row = b.map((_, i) => i + 1)
  a.forEach((word, i) => {
    const next: number[] = []
    b.forEach((other, j) => {
      const diagonal = j === 0 ? i : row[j - 1]!
      const left = j === 0 ? i + 1 : next[j - 1]!
      next.push(Math.min(diagonal + (word === other ? 0 : 1), left + 1, row[j]! + 1))
    })
    row = next
  })
  return b.length === 0 ? (a.length === 0 ? 0 : 1) : row.at(-1)! / Math.max(1, a.length)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9']+/g) ?? []
}
