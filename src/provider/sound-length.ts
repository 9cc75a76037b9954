/**
 * Whether a sentence's sound is long enough to be all of it: for voices whose answers have no mark at their end, so that one
 * that ended cleanly too soon is `transient` and another voice says the sentence. In doubt sound is whole.
 */
import { StreamFault } from '../dialect/faults.ts'
import { type SpokenText, spokenText } from './spoken-letters.ts'

/**
 * Letters a second at speed 1 that nobody reaches, for the first sentences. The quickest of the languages measured have 8 syllables a second
 * (Pellegrino, Coupé and Marsico 2011: 5.2 in Mandarin to 7.8 in Japanese; English 6.2) at two to three letters each;
 * 40 letters are 500 English words a minute, three times the pace of a talk.
 */
const FASTEST_LETTERS = 40
/** Below these a pause or a breath is a large part of the sound. */
const LEAST_LETTERS = 20
/** Of what the quickest sentence of this voice needed for as many letters. Measured: `test/provider/sound-length.test.ts`. */
const SHORT_SHARE = 0.55
/** Sentences kept of a voice, and how many of them must be half as long as one that is judged by them: silence around a short one makes it slow. */
const KEPT = 16
const ENOUGH = 3
const COMPARABLE = 0.5
/** One voice's that are refused in a row; after them it is believed: it speaks like that. */
const REFUSED_IN_A_ROW = 2
/** Voices remembered, each in a language, a script and a speed. */
const VOICES = 256

export interface SpokenVoice {
  readonly model: string
  readonly voice: string
  readonly language?: string | undefined
  readonly speed: number
}

/** What the voices of one provider were heard to need. */
export class SoundLengths {
  readonly #voices = new Map<string, Pace>()
  #uses = 0

  /** For a sentence of this voice that ended cleanly, with its sound in ms. Throws a `StreamFault` where that cannot be all of it, else learns. */
  judge(voice: SpokenVoice): (text: string, ms: number) => void {
    return (text, ms) => this.#check(voice, text, ms)
  }

  #check({ model, voice, language, speed }: SpokenVoice, text: string, ms: number): void {
    const spoken = spokenText(text)
    // Without sound is another fault.
    if (spoken.letters < LEAST_LETTERS || ms <= 0) return
    const pace = this.#paceOf(JSON.stringify([model, voice, language, speed, spoken.script]))
    if (pace.tooShort(spoken, ms, FASTEST_LETTERS * Math.max(1, speed))) {
      throw new StreamFault('transient', 'the sound ended before its sentence can have')
    }
  }

  #paceOf(key: string): Pace {
    let pace = this.#voices.get(key)
    if (!pace) {
      if (this.#voices.size >= VOICES) this.#forgetOne()
      pace = new Pace()
      this.#voices.set(key, pace)
    }
    pace.usedAt = ++this.#uses
    return pace
  }

  /** The one that was not used for longest. */
  #forgetOne(): void {
    let [oldest, at] = ['', Number.POSITIVE_INFINITY]
    for (const [key, { usedAt }] of this.#voices) if (usedAt < at) [oldest, at] = [key, usedAt]
    this.#voices.delete(oldest)
  }
}

interface Whole {
  readonly letters: number
  readonly perSecond: number
}

class Pace {
  usedAt = 0
  /** The last ones. */
  readonly #whole: Whole[] = []
  #next = 0
  #refused = 0

  tooShort({ letters, plain }: SpokenText, ms: number, fastest: number): boolean {
    const perSecond = (letters * 1000) / ms
    const possible = perSecond <= fastest
    if (!possible || perSecond > this.#quickest(letters) / SHORT_SHARE) {
      if (this.#refused < REFUSED_IN_A_ROW) {
        this.#refused++
        return true
      }
    } else this.#refused = 0
    if (plain && possible) this.#learn({ letters, perSecond })
    return false
  }

  #quickest(letters: number): number {
    const comparable = this.#whole.filter((one) => one.letters >= letters * COMPARABLE).length
    if (comparable < ENOUGH) return Number.POSITIVE_INFINITY
    return this.#whole.reduce((most, { perSecond }) => Math.max(most, perSecond), 0)
  }

  #learn(one: Whole): void {
    this.#whole[this.#next] = one
    this.#next = (this.#next + 1) % KEPT
  }
}
