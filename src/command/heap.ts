/**
 * How far the JavaScript heap may grow between two full collections. By itself V8 marks almost without pause in a server
 * of many sessions: it starts when what is left below its limit is less than the young generation's size, and at 40 MB
 * of living objects its limit is set no further away than that. Its marking threads then take a busy core from the
 * sockets for 100 ms twice a second. Allowed to double, it marks far less often.
 */
import { setFlagsFromString } from 'node:v8'

/**
 * `npm run bench:density -- --sessions 200`: frames on time 92 → 98.6 %, what the server adds to a turn at p95 100 → 26 ms,
 * memory 410 → 480 kB a session. With 300 the first two are better still, and memory goes beyond the 500 kB we aim at.
 */
const GROWING_PERCENT = 100

/** For the whole process, from the next full collection on. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
}
