/**
 * A long sound cut at its pauses, by how probable speech is in each window of it:
 *
 *     probabilities ─► runs of speech ─► runs too long cut where speech is least ─► neighbours joined up to a length ─► pieces
 *
 * What lies between pieces is silence and is given to nobody. Pure.
 */

export interface Piece {
  readonly startMs: number
  readonly endMs: number
  /** Mean probability of speech in it. */
  readonly speech: number
}

export interface Cutting {
  /** Probability that begins speech. */
  readonly threshold: number
  /** Silence that parts two runs. */
  readonly pauseMs: number
  /** Kept before and after a run: first consonants come before the detector is sure. */
  readonly padMs: number
  readonly maxMs: number
  /** Runs are joined across silences up to this. */
  readonly joinMs: number
}

/** As in a conversation, but for the pause: where nobody waits for an answer, a breath is a good place to cut. */
export const CUTTING = { threshold: 0.5, pauseMs: 300, padMs: 200, joinMs: 2_000 } as const

/** A click is shorter. */
const LEAST_MS = 90
/** How far before the limit a cut through speech may lie. */
const CUT_FROM = 0.6

interface Run {
  from: number
  /** Exclusive. */
  to: number
}

/** `windowMs`: of one probability. Pieces are in order, apart from each other, and within the sound. */
export function cutAtPauses(probabilities: Float32Array, windowMs: number, cutting: Cutting): Piece[] {
  const runs = runsOf(probabilities, windowMs, cutting)
  const padWindows = Math.round(cutting.padMs / windowMs)
  const most = Math.max(1, Math.floor(cutting.maxMs / windowMs))
  const padded = runs.map(({ from, to }, i) => ({
    from: Math.max(from - padWindows, runs[i - 1] ? Math.ceil((runs[i - 1]!.to + from) / 2) : 0),
    to: Math.min(
      to + padWindows,
      runs[i + 1] ? Math.ceil((to + runs[i + 1]!.from) / 2) : probabilities.length,
    ),
  }))
  const short = padded.flatMap((run) => shortened(run, probabilities, most))
  return joined(short, most, cutting.joinMs / windowMs).map(({ from, to }) => ({
    startMs: from * windowMs,
    endMs: to * windowMs,
    speech: mean(probabilities, from, to),
  }))
}

function runsOf(probabilities: Float32Array, windowMs: number, { threshold, pauseMs }: Cutting): Run[] {
  // Leaving speech takes less than entering it, as in `listen/`.
  const exit = Math.max(threshold - 0.15, threshold / 2)
  const runs: Run[] = []
  let open: Run | undefined
  for (let i = 0; i < probabilities.length; i++) {
    const voiced = probabilities[i]! >= (open?.to === i ? exit : threshold)
    if (!voiced) continue
    if (open && (i - open.to) * windowMs < pauseMs) open.to = i + 1
    else {
      open = { from: i, to: i + 1 }
      runs.push(open)
    }
  }
  return runs.filter(({ from, to }) => (to - from) * windowMs >= LEAST_MS)
}

function shortened(run: Run, probabilities: Float32Array, most: number): Run[] {
  const runs: Run[] = []
  let { from } = run
  while (run.to - from > most) {
    let at = from + most
    let least = Number.POSITIVE_INFINITY
    for (let i = from + Math.max(1, Math.floor(most * CUT_FROM)); i <= from + most; i++) {
      if (probabilities[i]! <= least) {
        least = probabilities[i]!
        at = i
      }
    }
    runs.push({ from, to: at })
    from = at
  }
  return [...runs, { from, to: run.to }]
}

function joined(runs: readonly Run[], most: number, gap: number): Run[] {
  const out: Run[] = []
  for (const run of runs) {
    const last = out.at(-1)
    if (last && run.to - last.from <= most && run.from - last.to <= gap) last.to = run.to
    else out.push({ ...run })
  }
  return out
}

function mean(values: Float32Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]!
  return sum / Math.max(1, to - from)
}
