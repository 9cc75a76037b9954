/** What was heard of an answer whose ledger is gone: its words by their share of the whole length. */
import type { Heard } from './items.ts'

export function truncateHeard(said: string, endMs: number, totalMs: number): Heard {
  if (totalMs <= 0) return { ms: endMs, text: '', interrupted: true }
  const words = said.split(/(?<=\s)/)
  const count = Math.floor(words.length * Math.min(1, endMs / totalMs))
  return { ms: endMs, text: words.slice(0, count).join('').trimEnd(), interrupted: true }
}
