/**
 * What of a piece of text a voice should say: the words without the markup around them, a link's text without its
 * address, an address as its host, no emoji, no tables' rules. Numbers, money and abbreviations stay as written; voices
 * read those in their own language. Pure.
 */

const EMOJI =
  /(?:\p{Extended_Pictographic}|\p{Regional_Indicator})(?:\ufe0f|\u20e3|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*/gu
const EMOJI_PARTS = /\ufe0f|\u20e3|\p{Emoji_Modifier}/gu
const SMILEY = /(?<=^|\s)[:;]['-]?[()DP](?=\s|$)/g

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** '' when no letter or digit is left: some voices never answer a sentence of marks alone. */
export function speakable(text: string): string {
  const words = joinLines(withoutLinks(withoutTags(text)))
  const spoken = withoutMarks(withoutEmoji(words))
    .replace(/[\p{Cc}\u200b\ufeff]/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ +([,.!?;:])(?=\s|$)/g, '$1')
    .trim()
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : ''
}

function withoutTags(text: string): string {
  return text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<(?!https?:|www\.)\/?[a-z][^<>]*>/gi, '')
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => ENTITIES[name] ?? ' ')
    .replace(/&#39;/g, "'")
}

function withoutLinks(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)\s]*(?:\s+"[^"]*")?\)/g, '$1')
    .replace(/\[\^?\d+\](?!\()/g, '')
    .replace(/\]\([^)\s]*\)/g, '')
    .replace(/<?\b(?:https?:\/\/|www\.)([^\s/?#:)\]>,]+)([^\s)\]>]*)>?/gi, hostOf)
}

/** "https://www.example.com/a?b." is said "example.com." */
function hostOf(_: string, host: string, rest: string): string {
  const closing = /[.,!?;:]+$/.exec(host + rest)?.[0] ?? ''
  return host.replace(/^www\./i, '').replace(/[.,!?;:]+$/, '') + closing
}

interface Line {
  readonly text: string
  readonly kind: 'text' | 'heading' | 'item' | 'row'
}

/** Where a line break was a pause, the voice needs a mark to pause at. */
function joinLines(text: string): string {
  const lines = text
    .split(/\r?\n/)
    .map(lineOf)
    .filter((line) => line.text !== '')
  const ends = /\n\s*$/.test(text)
  return lines
    .map((line, i) => {
      const next = lines[i + 1]
      if (!next && !(ends && line.kind !== 'text')) return line.text
      if (/[.!?…,:;。！？、，；：—-]["'”’)\]*_]*$/u.test(line.text)) return line.text
      if (line.kind === 'text' && next && /^\p{Ll}/u.test(next.text)) return line.text
      return line.text + (line.kind === 'item' && next?.kind === 'item' ? ',' : '.')
    })
    .join(' ')
}

function lineOf(raw: string): Line {
  const line = raw.trim().replace(/^(?:>\s*)+/, '')
  if (/^([-*_=]\s*){3,}$/.test(line) || /^\|?[\s:|-]*-{2,}[\s:|-]*$/.test(line))
    return { text: '', kind: 'text' }
  if (line.startsWith('|')) {
    const cells = line.split('|').map((cell) => cell.trim())
    return { text: cells.filter((cell) => cell !== '').join(', '), kind: 'row' }
  }
  const heading = /^#{1,6}\s+(.*?)#*$/.exec(line)
  if (heading) return { text: heading[1]!.trim(), kind: 'heading' }
  const item = /^[-*+•◦▪‣·–]\s+(?:\[[ xX]\]\s+)?(.*)$/.exec(line)
  if (item) return { text: item[1]!.trim(), kind: 'item' }
  const numbered = /^(\d{1,3})[.)]\s+(.*)$/.exec(line)
  if (numbered) return { text: `${numbered[1]}: ${numbered[2]!.trim()}`, kind: 'item' }
  return { text: line, kind: 'text' }
}

function withoutMarks(text: string): string {
  return text
    .replace(/\\([\\`*_{}[\]()#+\-.!|~>])/g, '$1')
    .replace(/`+/g, '')
    .replace(/~~/g, '')
    .replace(/\*+/g, (stars, at: number) => (isBetweenDigits(text, at, stars) ? stars : ''))
    .replace(/(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, '')
    .replace(/\s*(?:→|⇒|=>|->)\s*/g, ', ')
}

/** "2 * 3" is arithmetic, "*so*" is emphasis. */
function isBetweenDigits(text: string, at: number, stars: string): boolean {
  return stars.length === 1 && /\d\s*$/.test(text.slice(0, at)) && /^\s*\d/.test(text.slice(at + 1))
}

function withoutEmoji(text: string): string {
  return text.replace(EMOJI, ' ').replace(EMOJI_PARTS, '').replace(SMILEY, '')
}
