/**
 * Who gets which variant: weighted rendezvous hashing. Every variant draws a number for the key, its weight lengthens the
 * straw, the longest wins. No store: any instance says the same. Two properties the tests hold:
 *
 * - the shares are the weights', whatever they sum to;
 * - a user moves only towards a variant whose weight rose against their own's. With two variants 90:10 → 80:20 moves exactly
 *   the 10 % that the second gains, and nobody back.
 */
import { type Hash, hashText, unit } from './hash.ts'

export interface Weighted {
  readonly id: string
  readonly weight: number
}

/** Ready to deal: salts are hashed once. */
export interface Draw {
  /** The index of the key's variant; -1 when no weight is above 0. */
  pick(key: string): number
  /** All with a weight above 0, the key's own first: a weighted order that is the key's for ever. */
  order(key: string): number[]
}

/** `name` keeps experiments apart: the 10 % of one are not the 10 % of the next. */
export function drawOf(name: string, variants: readonly Weighted[]): Draw {
  const salts = variants.map(({ id }) => hashText(`${name}\u0000${id}`))
  const weights = variants.map(({ weight }) => (weight > 0 && Number.isFinite(weight) ? weight : 0))
  const straw = (key: Hash, i: number) => weights[i]! / -Math.log(unit(key, salts[i]!))
  return {
    pick(text) {
      const key = hashText(text)
      let best = -1
      let longest = 0
      for (let i = 0; i < weights.length; i++) {
        if (weights[i] === 0) continue
        const length = straw(key, i)
        if (length > longest) {
          best = i
          longest = length
        }
      }
      return best
    },
    order(text) {
      const key = hashText(text)
      return weights
        .map((weight, i) => ({ i, length: weight === 0 ? 0 : straw(key, i) }))
        .filter(({ length }) => length > 0)
        .sort((a, b) => b.length - a.length)
        .map(({ i }) => i)
    },
  }
}

/** Shares of 1, and what to tell the author when the weights are no percentages. */
export function sharesOf(variants: readonly Weighted[]): {
  readonly shares: readonly number[]
  readonly note: string | null
} {
  const sum = variants.reduce((all, { weight }) => all + weight, 0)
  const shares = variants.map(({ weight }) => (sum > 0 ? weight / sum : 0))
  if (Math.abs(sum - 100) < 1e-9) return { shares, note: null }
  const told = variants.map(({ id }, i) => `${id} ${round(shares[i]! * 100)} %`).join(', ')
  return { shares, note: `the weights sum to ${round(sum)}, not 100: taken as ${told}` }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
