/** When a provider says to come back: `retry-after-ms`, or `retry-after` in seconds or as a date. */
const LONGEST_MS = 3_600_000

/** `wallMs` is the Unix time now. Undefined when the headers say nothing usable. */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  wallMs: number,
): number | undefined {
  const exact = numberOf(headers['retry-after-ms'])
  if (exact !== undefined) return bounded(exact)
  const value = headers['retry-after']
  const seconds = numberOf(value)
  if (seconds !== undefined) return bounded(seconds * 1000)
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : bounded(date - wallMs)
}

function numberOf(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function bounded(ms: number): number {
  return Math.round(Math.min(LONGEST_MS, Math.max(0, ms)))
}
