/**
 * Whether words sound finished, by how they end. A heuristic, and not more: it reads the last word and the last mark,
 * in a few languages, and stands in where no model can hear the caller. Pure.
 *
 *     comma, dash, dots, filler ("um"), conjunction, article, preposition, … ─► unfinished
 *     question mark, full stop after several words, a whole answer ("yes") ─► finished
 *     anything else ─► rather finished
 */

/** Words no sentence of the language ends with, and fillers. Whatever ends some sentences ("is", "that", "to you") is left out or kept by weight of use. */
const OPEN_ENDS: Readonly<Record<string, string>> = {
  en: `and or but because so if when while although though unless until since than whether which whose the a an my your
    his our their of to for from with at by into about between without my is are was were am be been i'm it's you're we're
    they're i we they he she can could would should will want need like very really um uh er erm hmm well`,
  de: `und oder aber weil denn wenn dass obwohl während bis damit sondern als der die das den dem des ein eine einen einem
    einer mein meine meinen dein deine ihr ihre unser von zu für mit bei nach aus über zwischen ohne um zum zur im am vom
    ich wir möchte will kann sehr äh ähm hm also`,
  fr: `et ou mais parce que car si quand lorsque comme puisque le la les un une des du de au aux mon ma mes ton ta votre
    notre à pour avec sans chez dans sur entre vers je tu nous il elle est suis voudrais veux très euh heu ben donc`,
  es: `y o pero porque que si cuando mientras aunque como el la los las un una unos unas mi su tu nuestro de del al a para
    con sin por en entre sobre hasta desde yo quiero quisiera puedo es soy muy eh em este pues`,
  it: `e o ma perché che se quando mentre come il lo la i gli le un una uno mio mia di del della dei a al alla da dal per
    con senza in nel su sul tra fra io voglio vorrei sono molto ehm allora`,
  pt: `e ou mas porque que se quando enquanto como o a os as um uma meu minha de do da dos das ao para com sem por em no na
    entre sobre eu quero queria posso é sou muito ahn hum então`,
  nl: `en of maar omdat want als dat terwijl hoewel de het een mijn jouw uw onze van voor met bij naar uit over tussen
    zonder om ik wij wil kan is ben heel eh uhm dus`,
}
const PER_LANGUAGE = new Map(
  Object.entries(OPEN_ENDS).map(([language, words]) => [language, new Set(words.split(/\s+/))]),
)
/** Without a known language only words that leave a sentence open in one of them and end none of the others would be safe; English is the assumption. */
const ASSUMED = 'en'

/** Whole by themselves, in whatever language they are words. */
const WHOLE = new Set(
  'yes no yeah yep nope okay ok thanks stop hello hi bye ja nein danke oui non merci sí si gracias sì grazie sim não obrigado nee'.split(
    ' ',
  ),
)

export const UNFINISHED = 0.05
const RATHER_FINISHED = 0.6
const FINISHED = 0.95
/** One or two words with a full stop: recognisers set one after every breath. */
const MANY_WORDS = 3

/** How surely these words are all of a turn, 0…1. `language`: a BCP-47 tag, where known. Empty words: undefined. */
export function finishedByWords(text: string, language?: string): number | undefined {
  const trimmed = text.trim()
  const words = trimmed.toLowerCase().match(/[\p{L}\p{N}'’]+/gu) ?? []
  const last = words.at(-1)?.replaceAll('’', "'")
  if (last === undefined) return undefined
  if (/(?:[,;:–—-]|\.\.\.|…|、|，)$/u.test(trimmed)) return UNFINISHED
  if (/[?？]$/u.test(trimmed)) return FINISHED
  const tongue = language?.toLowerCase().split(/[-_]/)[0] ?? ASSUMED
  if (words.length === 1 && WHOLE.has(last)) return FINISHED
  if (PER_LANGUAGE.get(tongue)?.has(last)) return UNFINISHED
  return /[.!。！]$/u.test(trimmed) && words.length >= MANY_WORDS ? FINISHED : RATHER_FINISHED
}
