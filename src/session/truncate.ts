/** The client's word on how much of an answer was played, against what was sent of it. */
import { type AudioFormat, bytesToMs } from '../audio/format.ts'
import type { Heard } from './items.ts'
import type { Track } from './track.ts'

/** A client computes the position from bytes: a millisecond of rounding is its right. */
const ROUNDING_MS = 1

/** Why a truncation at `endMs` is refused, in OpenAI's words; null: it is fine. `track` is gone for old answers. */
export function truncateRefusal(
  endMs: number,
  track: Track | undefined,
  kept: { readonly bytes: number; readonly format: AudioFormat },
): string | null {
  const sentMs = track?.sentMs ?? bytesToMs(kept.format, kept.bytes)
  if (endMs <= sentMs + (track?.slackMs ?? ROUNDING_MS)) return null
  return `Audio content of ${Math.floor(sentMs)}ms is already shorter than ${endMs}ms`
}

/** What was heard of an answer whose ledger is gone: its words by their share of the whole length. */
export function truncateHeard(said: string, endMs: number, totalMs: number): Heard {
  if (totalMs <= 0) return { ms: endMs, text: '', interrupted: true }
  const words = said.split(/(?<=\s)/)
  const count = Math.floor(words.length * Math.min(1, endMs / totalMs))
  return { ms: endMs, text: words.slice(0, count).join('').trimEnd(), interrupted: true }
}
