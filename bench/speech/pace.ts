/** Audio in rounds of 20 ms, a millisecond apart: the clock of the measured goes by audio, so that a slow machine lets nothing run out. */
import type { VirtualClock } from '../../src/clock.ts'
import { STREAM_MS } from './subjects.ts'

export const CHUNK_MS = 20
/** Streams at once, and answers at once. */
export const STREAMS = 16
export const ANSWERS = 8
/** Turns of one stream. */
export const TURNS = 1
export const ROUNDS: number = STREAM_MS / CHUNK_MS

/** A turn ends with this round. */
export function endsTurn(round: number): boolean {
  return (round + 1) % (ROUNDS / TURNS) === 0
}

/** From one round to the next. */
export async function nextRound(clock: VirtualClock): Promise<void> {
  await clock.advance(CHUNK_MS)
  await pause(1)
}

const PACED = 15

/** What rounds cost in which nobody speaks, to be taken off: the lower quartile of some, as of those in which somebody does. */
export async function pacingCpuMs(clock: VirtualClock): Promise<number> {
  const costs: number[] = []
  for (let n = 0; n < PACED; n++) {
    const before = process.cpuUsage()
    for (let round = 0; round < ROUNDS; round++) await nextRound(clock)
    costs.push(cpuMs(before))
  }
  return costs.sort((a, b) => a - b)[costs.length >> 2]!
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Loud all the time, and never twice the same. */
export function noise(bytes: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length: bytes }, () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return state >> 16
  })
}

/** User and system time of all threads since `from`, milliseconds. */
export function cpuMs(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000
}
