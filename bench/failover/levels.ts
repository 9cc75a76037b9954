/**
 * The words of answers as sound that survives any change of sample rate: each word a level, held as long as it lasts, with silence
 * between. A change of rate smears the edges by a fraction of a millisecond, and the middle stays what it was.
 */
import type { HeardWord } from '../chaos/loudspeaker.ts'
import { type Code, soundCodeOf } from '../chaos/words.ts'

/** Numbers of the turns of a conversation; their questions have no word twice. */
export const TURNS: readonly number[] = [0x123, 0x456, 0x789]
const PLACES = 18

/** A step's edge rings by a tenth of it: far below what is taken for sound. */
const LOUD = 4_000
const LEAST = 8_000
const STEP = 300
/** Samples that must agree before they are a word. */
const AGREE = 24
const SAMPLES_PER_MS = 24

/** For `samplesOf` of the voice doubles. */
export function levelsOf(text: string): (char: number) => readonly [number, number] | null {
  const levels = text.split(/(\s+)/).flatMap((part) => {
    const level = part.trim() === '' ? null : levelOf(soundCodeOf(part))
    return Array.from(part, () => level)
  })
  return (char) => {
    const level = levels[char]
    return level ? [level, level] : null
  }
}

/** One above all others is what no answer has. */
function levelOf({ turn, place }: Code): number {
  const at = TURNS.indexOf(turn)
  return LEAST + STEP * (at < 0 || place >= PLACES ? TURNS.length * PLACES : at * PLACES + place)
}

/** Undefined: between two levels, or none of them. */
function codeAt(sample: number): Code | undefined {
  const index = Math.round((sample - LEAST) / STEP)
  if (Math.abs(sample - LEAST - index * STEP) > STEP / 3) return undefined
  const turn = TURNS[Math.floor(index / PLACES)]
  return turn === undefined ? undefined : { turn, place: index % PLACES }
}

/** Words of 24 kHz sound. A word that follows another without silence begins where its level does. */
export function wordsAtLevels(samples: Int16Array): HeardWord[] {
  const words: HeardWord[] = []
  for (let at = 0; at < samples.length; at++) {
    if (samples[at]! < LOUD) continue
    let end = at
    while (end < samples.length && samples[end]! >= LOUD) end++
    words.push(...wordsWithin(samples.subarray(at, end)))
    at = end
  }
  return words
}

function wordsWithin(loud: Int16Array): HeardWord[] {
  const words: { code: Code | undefined; ms: number }[] = []
  let [from, run, now]: [number, number, string] = [0, 0, '']
  let said: string | undefined
  const tell = (to: number) => {
    const [turn, place] = (said ?? '').split(' ').map(Number)
    const code = said === undefined ? undefined : { turn: turn!, place: place! }
    // A sample or two at a seam tell nothing.
    if (to - from >= AGREE) words.push({ code, ms: (to - from) / SAMPLES_PER_MS })
    from = to
  }
  for (let at = 0; at < loud.length; at++) {
    const code = codeAt(loud[at]!)
    const key = code ? `${code.turn} ${code.place}` : ''
    run = key === now ? run + 1 : 1
    now = key
    if (key === '' || run < AGREE || key === said) continue
    if (said !== undefined) tell(at - run + 1)
    said = key
  }
  tell(loud.length)
  return words
}
