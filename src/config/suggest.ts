/** "Did you mean …": the nearest of the known names, when one is near enough to be a slip. */

/** Undefined when nothing is near. Case, dashes and underscores do not count: `turn_detection` is `turnDetection`. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const same = known.find((candidate) => plain(candidate) === wanted)
  if (same !== undefined) return same
  if (wanted.length > 40) return undefined
  const allowed = wanted.length <= 5 ? 1 : 2
  let best: string | undefined
  let bestDistance = allowed + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}

/** Insertions, deletions, substitutions and swaps of neighbours, each 1 (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, beforeLast[j - 2]! + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
