/**
 * Words that say whose they are. Every word of every answer exists once in a run: three syllables hold the turn and the
 * place in its answer. A voice double sings it as two alternating samples that hold the same, so that who listens at the far
 * end knows each word, its turn and its place from the sound alone. Callers speak words of an alphabet, one level of loudness each.
 */
import { msToBytes, PCM16_24K } from '../../src/audio/format.ts'

export interface Code {
  readonly turn: number
  readonly place: number
}

const SYLLABLES = [...'bdfgklmnprstvz'].flatMap((consonant) => [...'aeiou'].map((vowel) => consonant + vowel))
export const MAX_TURNS = SYLLABLES.length ** 2
export const MAX_PLACES = SYLLABLES.length
const CODED = /^(?:[bdfgklmnprstvz][aeiou]){3}$/

export function wordOf({ turn, place }: Code): string {
  const [high, low] = [Math.floor(turn / SYLLABLES.length), turn % SYLLABLES.length]
  return `${SYLLABLES[high]}${SYLLABLES[low]}${SYLLABLES[place]}`
}

/** Null: no word of an answer. */
export function codeOf(word: string): Code | null {
  const bare = word.toLowerCase().replace(/[^a-z]/g, '')
  if (!CODED.test(bare)) return null
  const [high, low, place] = [0, 2, 4].map((at) => SYLLABLES.indexOf(bare.slice(at, at + 2)))
  return { turn: high! * SYLLABLES.length + low!, place: place! }
}

/** The coded words of a text, in order. */
export function codesOf(text: string): Code[] {
  return text.split(/\s+/).flatMap((word) => codeOf(word) ?? [])
}

/** What is said where no answer is: each has a turn's number of its own. */
export const PHRASES = {
  apology: { turn: MAX_TURNS, text: 'Sorry, I lost that. Please ask me again.' },
  filler: { turn: MAX_TURNS + 1, text: 'One moment.' },
} as const
const UNKNOWN: Code = { turn: MAX_TURNS + 2, place: 0 }

const PHRASE_CODES = new Map<string, Code>(
  Object.values(PHRASES).flatMap(({ turn, text }) =>
    text.split(' ').map((word, place) => [bareOf(word), { turn, place }] as const),
  ),
)

function bareOf(word: string): string {
  return word.toLowerCase().replace(/[^a-z]/g, '')
}

/** The code that the voice gives a word. */
export function soundCodeOf(word: string): Code {
  return codeOf(word) ?? PHRASE_CODES.get(bareOf(word)) ?? UNKNOWN
}

/** A character's sound: two samples of opposite sign in turn; silence between words. For `samplesOf` of the voice doubles. */
export function samplesOf(text: string): (char: number) => readonly [number, number] | null {
  const codes: (readonly [number, number] | null)[] = []
  for (const part of text.split(/(\s+)/)) {
    const pair = part.trim() === '' ? null : pairOf(soundCodeOf(part))
    for (let i = 0; i < part.length; i++) codes.push(pair)
  }
  return (char) => codes[char] ?? null
}

function pairOf({ turn, place }: Code): readonly [number, number] {
  return [200 + turn * 6, -(200 + place * 100)]
}

/** The word that two neighbouring samples belong to; undefined: none that any double ever sang. */
export function codeOfSamples(one: number, other: number): Code | undefined {
  const [turn, place] = [(Math.max(one, other) - 200) / 6, (-Math.min(one, other) - 200) / 100]
  return Number.isInteger(turn) && Number.isInteger(place) && turn >= 0 && place >= 0
    ? { turn, place }
    : undefined
}

// -- the caller's

const ALPHABET =
  `alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa now`.split(
    ' ',
  )
/** Begins every question. */
const BEGIN = 16
const LEVEL = 1_500
const STEP = 1_200
const WORD_MS = 160
const GAP_MS = 40

/** The question of a turn: `now`, three words that are its number, and some more. */
export function questionWords(turn: number, more: readonly number[]): string[] {
  return [BEGIN, turn >> 8, (turn >> 4) & 15, turn & 15, ...more].map((digit) => ALPHABET[digit]!)
}

/** The last question in a text, and its turn; null: there is none, or its number is not complete. */
export function lastQuestion(text: string): { readonly turn: number; readonly words: string[] } | null {
  const words = text.toLowerCase().split(/[^a-z]+/)
  const from = words.lastIndexOf(ALPHABET[BEGIN]!)
  const question = from < 0 ? [] : words.slice(from).filter((word) => word !== '')
  const digits = question.slice(1, 4).map((word) => ALPHABET.indexOf(word))
  if (digits.length < 3 || digits.some((digit) => digit < 0)) return null
  return { turn: (digits[0]! << 8) | (digits[1]! << 4) | digits[2]!, words: question }
}

/** PCM16 at 24 kHz; `pause`: silence after so many words. */
export function speechOf(
  words: readonly string[],
  pause: { readonly after: number; readonly ms: number } | null,
): Buffer {
  return Buffer.concat(
    words.flatMap((word, i) => {
      const sound = Buffer.alloc(msToBytes(PCM16_24K, WORD_MS))
      const level = LEVEL + STEP * ALPHABET.indexOf(word)
      new Int16Array(sound.buffer, sound.byteOffset, sound.length / 2).fill(level)
      const silentMs = pause?.after === i + 1 ? pause.ms : GAP_MS
      return [sound, Buffer.alloc(msToBytes(PCM16_24K, silentMs))]
    }),
  )
}

/** The word of a plateau at this level; undefined: it is none of ours. */
export function wordAtLevel(level: number): string | undefined {
  return ALPHABET[Math.round((level - LEVEL) / STEP)]
}

export function isLoud(sample: number): boolean {
  return sample > LEVEL / 2
}
