/** "Did you mean …": the known name that a slip of the finger makes of this one. Pure. */

/** Undefined when none is near. Case, dashes and underscores do not count: `turn_detection` is `turnDetection`. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const same = known.find((candidate) => plain(candidate) === wanted)
  if (same !== undefined || wanted.length > 40) return same
  let best: string | undefined
  let least = wanted.length <= 5 ? 2 : 3
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}

/** Insertions, deletions, substitutions and swaps of neighbours, 1 each (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? beforeLast[j - 2]! + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change, swap))
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
