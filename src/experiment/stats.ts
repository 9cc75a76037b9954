/**
 * Figures of experiments that may be looked at any time. Ordinary confidence intervals are right once, at a sample size that was
 * fixed before; looked at after every conversation they call an effect where there is none. These hold at all times at
 * once: asymptotic confidence sequences, Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory
 * and asymptotic confidence sequences", Annals of Statistics 2024 (arXiv:2103.06476), theorem 2.2. Pure.
 */

/** Mean and spread of what was observed, one number a conversation; values can be replaced. */
export class Moments {
  #n = 0
  #mean = 0
  #m2 = 0

  add(value: number): void {
    this.#n++
    const delta = value - this.#mean
    this.#mean += delta / this.#n
    this.#m2 += delta * (value - this.#mean)
  }

  remove(value: number): void {
    if (this.#n <= 1) {
      this.#n = this.#mean = this.#m2 = 0
      return
    }
    const before = (this.#n * this.#mean - value) / (this.#n - 1)
    this.#m2 = Math.max(0, this.#m2 - (value - before) * (value - this.#mean))
    this.#mean = before
    this.#n--
  }

  get n(): number {
    return this.#n
  }

  get mean(): number {
    return this.#mean
  }

  /** Of a single conversation; 0 below two. */
  get variance(): number {
    return this.#n < 2 ? 0 : this.#m2 / (this.#n - 1)
  }
}

export interface Interval {
  readonly low: number
  readonly high: number
}

export const ALPHA = 0.05
/** The sequence is narrowest around so many conversations; it holds everywhere. */
const TIGHTEST_AT = 500
/** Below, a mean is not nearly normal yet, and nothing is told. */
export const LEAST_CONVERSATIONS = 100

/** Null while there are too few. */
export function meanInterval(of: Moments, alpha = ALPHA): Interval | null {
  if (of.n < LEAST_CONVERSATIONS) return null
  const half = radius(of.variance / of.n, of.n, alpha)
  return { low: of.mean - half, high: of.mean + half }
}

/** Of `treated − control`; null while either has too few. */
export function differenceInterval(treated: Moments, control: Moments, alpha = ALPHA): Interval | null {
  if (treated.n < LEAST_CONVERSATIONS || control.n < LEAST_CONVERSATIONS) return null
  // A small side has not met the rare long waits yet, and would look more certain than it is: it has at least the other's spread.
  const [small, large] = treated.n < control.n ? [treated, control] : [control, treated]
  const squaredError = Math.max(small.variance, large.variance) / small.n + large.variance / large.n
  // What a difference knows grows with the smaller side: with 90 to 10 it is nearly as young as the 10.
  const half = radius(squaredError, 4 / (1 / treated.n + 1 / control.n), alpha)
  const difference = treated.mean - control.mean
  return { low: difference - half, high: difference + half }
}

/** Half the width at time `n` for an estimate whose squared standard error is this. */
function radius(squaredError: number, n: number, alpha: number): number {
  const log = -2 * Math.log(alpha)
  const rho2 = (log + Math.log(log + 1)) / TIGHTEST_AT
  const scale = n * rho2 + 1
  return Math.sqrt(squaredError * ((2 * scale) / (n * rho2)) * Math.log(Math.sqrt(scale) / alpha))
}
