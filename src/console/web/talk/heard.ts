/**
 * Which words of an answer were heard. While it plays, and until the server's record says it exactly, from how much
 * text had come with how much audio; after an interruption, from the heard text of the record.
 */

/** Text and the audio that speaks it: a new stretch begins where text follows audio. Lengths run to the next one. */
export interface Stretch {
  readonly charStart: number
  readonly msStart: number
}

/** How many characters of `text` had been spoken at `playedMs` of `receivedMs`, cut back to whole words. */
export function spokenChars(
  stretches: readonly Stretch[],
  text: string,
  receivedMs: number,
  playedMs: number,
): number {
  if (playedMs <= 0) return 0
  // The player counts whole milliseconds.
  if (playedMs >= Math.floor(receivedMs)) return text.length
  const index = stretches.findLastIndex((s) => s.msStart <= playedMs)
  const from = stretches[index]
  if (!from) return 0
  const to = stretches[index + 1] ?? { charStart: text.length, msStart: receivedMs }
  const share = to.msStart > from.msStart ? (playedMs - from.msStart) / (to.msStart - from.msStart) : 1
  const reached = from.charStart + Math.floor(share * (to.charStart - from.charStart))
  return wordEnd(text, reached)
}

/**
 * Where `heard` ends in `texts` (a turn's answers in order), as characters of each; null when it is not their beginning.
 * Compares letters and digits only: a voice gets its text without markdown, and splitters move spaces.
 */
export function heardChars(texts: readonly string[], heard: string): readonly number[] | null {
  const wanted = [...heard.matchAll(/[\p{L}\p{N}]/gu)].map((m) => m[0].toLowerCase())
  const ends: number[] = []
  let next = 0
  for (const text of texts) {
    let end = 0
    for (const match of text.matchAll(/[\p{L}\p{N}]/gu)) {
      if (next === wanted.length) break
      if (match[0].toLowerCase() !== wanted[next]) return null
      next++
      end = match.index + match[0].length
    }
    ends.push(withPunctuation(text, end))
  }
  return next === wanted.length ? ends : null
}

function wordEnd(text: string, reached: number): number {
  if (reached >= text.length || /\s/.test(text.slice(reached - 1, reached + 1))) return reached
  const space = text.slice(0, reached).search(/\s\S*$/)
  return Math.max(0, space)
}

function withPunctuation(text: string, end: number): number {
  if (end === 0) return 0
  return end + (/^[^\p{L}\p{N}\s]*/u.exec(text.slice(end))?.[0].length ?? 0)
}
