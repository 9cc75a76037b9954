/**
 * Whether a person or a machine answered a call that we placed. A judgement, not a fact: it takes the words of the first
 * utterance, how long it goes on, and what the bridge itself says. Pure.
 */
import { MACHINE_PHRASES, plainWords } from './phrases.ts'

export type VoicemailVerdict = 'person' | 'machine' | 'unsure'

/** Asked in the order of time; one for each call. Others than the default one may be put in its place. */
export interface VoicemailJudge {
  /** The words of the far side so far, `atMs` after it answered. */
  heard(words: string, atMs: number): VoicemailVerdict
  /** It fell silent: it had spoken for `spokeMs` since its last silence. */
  paused(spokeMs: number, atMs: number): VoicemailVerdict
  /** The bridge's own judgement, in its own word. */
  told(word: string): VoicemailVerdict
}

export interface WordJudgeOptions {
  /** The call's language, BCP-47; null: all are tried. */
  readonly language: string | null
}

/** Nobody says more than this without waiting for an answer; a greeting does. */
const LONG_WORDS = 25
const LONG_MS = 8_000
/** A greeting that is likely one has this length at least. */
const LIKELY_WORDS = 8
/** "Hello?", "Miller.", "Ja, hallo, wer ist da?" */
const SHORT_WORDS = 6
const SHORT_MS = 2_500
/** Languages without spaces: so many characters count as a word. */
const CHARS_A_WORD = 2

export class WordJudge implements VoicemailJudge {
  readonly #sure: readonly RegExp[]
  readonly #likely: readonly RegExp[]
  #words = 0
  #text = ''

  constructor({ language }: WordJudgeOptions) {
    const own = language === null ? undefined : MACHINE_PHRASES[language.toLowerCase().split('-')[0]!]
    // A machine of the network's may speak English anywhere.
    const phrases = own ? [own, MACHINE_PHRASES['en']!] : Object.values(MACHINE_PHRASES)
    this.#sure = phrases.flatMap(({ sure }) => sure)
    this.#likely = phrases.flatMap(({ likely }) => likely)
  }

  heard(words: string): VoicemailVerdict {
    // Of whoever never stops, the beginning tells.
    const text = plainWords(words.slice(0, 2_000))
    this.#text = text
    this.#words = countOf(text)
    if (this.#sure.some((phrase) => phrase.test(text))) return 'machine'
    if (this.#words >= LIKELY_WORDS && this.#likely.some((phrase) => phrase.test(text))) return 'machine'
    return this.#words >= LONG_WORDS ? 'machine' : 'unsure'
  }

  paused(spokeMs: number): VoicemailVerdict {
    if (spokeMs >= LONG_MS) return 'machine'
    const likely = this.#likely.some((phrase) => phrase.test(this.#text))
    if (this.#words > 0 && this.#words <= SHORT_WORDS && spokeMs <= SHORT_MS && !likely) return 'person'
    return 'unsure'
  }

  told(word: string): VoicemailVerdict {
    return bridgesVerdict(word)
  }
}

/**
 * Twilio's `AnsweredBy` (`human`, `machine_start`, `machine_end_beep`, `fax`, `unknown`), Telnyx' `result` (`human_residence`,
 * `machine`, `not_sure`), Bandwidth's `value` (`human`, `answering-machine`, `silence`), Vonage's `status` (`human`, `machine`),
 * Plivo's `Machine` (`true`, `false`). Read 2026-11-25.
 */
export function bridgesVerdict(word: string): VoicemailVerdict {
  if (/^(human|false$)/i.test(word)) return 'person'
  if (/^(machine|answering[-_ ]machine|fax|true$)/i.test(word)) return 'machine'
  return 'unsure'
}

function countOf(text: string): number {
  const spaceless = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0
  const spaced = text.replace(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu, ' ').trim()
  return Math.ceil(spaceless / CHARS_A_WORD) + (spaced === '' ? 0 : spaced.split(' ').length)
}
