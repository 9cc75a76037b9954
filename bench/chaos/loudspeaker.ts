/**
 * The client's loudspeaker: plays what arrives one after the other, throws away what it is told to, and knows from the
 * samples alone which words were heard, and how much of each. It shares nothing with the server's ledger.
 */
import { type Code, codeOfSamples } from './words.ts'

const SAMPLES_PER_MS = 24
const BYTES_PER_MS = 2 * SAMPLES_PER_MS

interface Piece {
  readonly item: string
  readonly startsAt: number
  bytes: Uint8Array
}

export interface HeardWord {
  /** Undefined: sound that no voice made. */
  readonly code: Code | undefined
  readonly ms: number
}

export class Loudspeaker {
  readonly #pieces: Piece[] = []
  readonly #read: (samples: Int16Array) => HeardWord[]
  #endsAt = 0

  /** `read`: the words of samples at 24 kHz. */
  constructor(read = wordsOf) {
    this.#read = read
  }

  /** When it runs dry. */
  get endsAt(): number {
    return this.#endsAt
  }

  hears(item: string, bytes: Uint8Array, now: number): void {
    const startsAt = Math.max(now, this.#endsAt)
    this.#pieces.push({ item, startsAt, bytes })
    this.#endsAt = startsAt + bytes.length / BYTES_PER_MS
  }

  /** Throws away what was not played yet. */
  clear(now: number): void {
    this.#endsAt = Math.min(this.#endsAt, now)
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i]!
      if (piece.startsAt + piece.bytes.length / BYTES_PER_MS <= now) break
      piece.bytes = piece.bytes.subarray(0, bytesOfMs(Math.max(0, now - piece.startsAt)))
    }
  }

  startOf(items: ReadonlySet<string>): number | null {
    return this.#of(items).find(({ bytes }) => bytes.length > 0)?.startsAt ?? null
  }

  playedMs(item: string, now: number): number {
    let ms = 0
    for (const { startsAt, bytes } of this.#of(new Set([item]))) {
      ms += Math.max(0, Math.min(bytes.length / BYTES_PER_MS, now - startsAt))
    }
    return ms
  }

  /** The longest silence between `from` and `to` but for sounds of these items. */
  longestSilenceMs(items: ReadonlySet<string>, from: number, to: number): number {
    let longest = 0
    let silentSince = from
    for (const { startsAt, bytes } of this.#of(items)) {
      if (bytes.length === 0) continue
      longest = Math.max(longest, Math.min(startsAt, to) - silentSince)
      silentSince = Math.max(silentSince, startsAt + bytes.length / BYTES_PER_MS)
    }
    return Math.max(longest, to - silentSince)
  }

  /** Words of what was played by `now`. */
  words(items: ReadonlySet<string>, now: number): HeardWord[] {
    const played = this.#of(items).map(({ startsAt, bytes }) =>
      bytes.subarray(0, bytesOfMs(Math.max(0, now - startsAt))),
    )
    const bytes = Buffer.concat(played)
    return this.#read(new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2)))
  }

  /** Forgets what was played long ago. */
  forget(): void {
    this.#pieces.length = 0
  }

  #of(items: ReadonlySet<string>): Piece[] {
    return this.#pieces.filter(({ item }) => items.has(item))
  }
}

function bytesOfMs(ms: number): number {
  return Math.round(ms * SAMPLES_PER_MS) * 2
}

/** Stretches of the same two samples in turn; silence parts them. */
function wordsOf(samples: Int16Array): HeardWord[] {
  const words: HeardWord[] = []
  for (let at = 0; at < samples.length; ) {
    if (samples[at] === 0) {
      at++
      continue
    }
    const [one, other] = [samples[at]!, samples[at + 1] ?? 0]
    let end = at
    // A word may go on after it was cut between two samples: both orders are the same word.
    while (end < samples.length && (samples[end] === one || samples[end] === other)) {
      if (samples[end] === 0) break
      end++
    }
    const ms = (end - at) / SAMPLES_PER_MS
    // A sample or two at a seam tells nothing.
    if (ms >= 1 || words.length === 0) words.push({ code: codeOfSamples(one, other), ms })
    at = Math.max(end, at + 1)
  }
  return words.filter(({ ms }) => ms >= 1)
}
