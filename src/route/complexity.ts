/**
 * `turn.complexity`: how much thought a question seems to want, from 0 to 1, by its words alone. It costs microseconds,
 * knows nothing of meaning, and is meant for rules such as "short and simple goes to the small model".
 *
 *     0.45 · length     1 − e^(−words / 25)
 *     0.15 · words      how much longer than 4 letters they are on the average, 4 more being all
 *     0.15 · clauses    commas, colons, semicolons and further questions, 4 being all
 *     0.25 · reasoning  "why", "compare", "step by step" and their like, 2 being all; digits in sums count too
 *
 * "Yes." is 0.02, "What time do you open tomorrow?" 0.1, a paragraph that asks to compare two offers and to explain
 * the difference above 0.7. Cues are known in English, German, French, Spanish and Italian; elsewhere they count 0.
 * `docs/routing.md` shows the same; a test holds the examples.
 */

const CUES = [
  'why|how come|explain|compare|comparison|difference between|calculate|analy[sz]e|summari[sz]e|evaluate|pros and cons',
  'step by step|trade-?offs?|in detail|plan|strategy|because|although|however|suppose|what if|should i',
  'warum|wieso|weshalb|erkläre?n?|vergleiche?n?|unterschied|berechnen?|analysiere?n?|zusammenfass\\w*|schritt für schritt|obwohl',
  'pourquoi|expliquer?|comparer?|différence|calculer?|analyser?|résumer?|étape par étape|bien que',
  'por qué|explica\\w*|compara\\w*|diferencia|calcula\\w*|analiza\\w*|resum\\w*|paso a paso|aunque',
  'perché|spiega\\w*|confronta\\w*|differenza|analizza\\w*|riassum\\w*|passo dopo passo|sebbene',
].join('|')
const REASONING = new RegExp(`(?<![\\p{L}\\p{N}])(?:${CUES})(?![\\p{L}\\p{N}])`, 'giu')
const SUM = /\d\s*[-+*/×÷%=]\s*\d/g
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu
/** Written without spaces: two characters are about a word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu
const CLAUSE = /[,;:、，；：]|(?<=[?？][^?？]*)[?？]/g

/** More would change nothing: 4,096 characters are full length by any measure. */
const LOOKED_AT = 4096

export function countWords(text: string): number {
  const unspaced = text.match(UNSPACED)?.length ?? 0
  const spaced = unspaced === 0 ? text : text.replace(UNSPACED, ' ')
  return (spaced.match(WORD)?.length ?? 0) + Math.ceil(unspaced / 2)
}

export function complexity(text: string): number {
  const seen = text.slice(0, LOOKED_AT)
  const words = countWords(seen)
  if (words === 0) return 0
  const letters = seen.replace(UNSPACED, '').match(/[\p{L}\p{N}]/gu)?.length ?? 0
  const spacedWords = Math.max(1, seen.replace(UNSPACED, ' ').match(WORD)?.length ?? 0)
  const long = clamp((letters / spacedWords - 4) / 4)
  const clauses = clamp((seen.match(CLAUSE)?.length ?? 0) / 4)
  const cues = (seen.match(REASONING)?.length ?? 0) + (seen.match(SUM)?.length ?? 0)
  const value =
    0.45 * (1 - Math.exp(-words / 25)) +
    // A long word alone is no question: "Donaudampfschiff" weighs with the length.
    0.15 * long * clamp(words / 10) +
    0.15 * clauses +
    0.25 * clamp(cues / 2)
  return Math.round(clamp(value) * 1000) / 1000
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}
