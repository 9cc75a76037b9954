/** What an SSML document says and in whose voice, for doubles; and what is wrong with it. */

export interface Ssml {
  readonly voice: string
  readonly text: string
}

const MARKS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** A text is what is wrong. */
export function readSsml(document: string): Ssml | string {
  const open: string[] = []
  let voice = ''
  let text = ''
  for (const [part] of document.trim().matchAll(/<[^>]*>|[^<]+/g)) {
    if (!part.startsWith('<')) {
      if (/&(?!(amp|lt|gt|quot|apos);)/.test(part)) return 'an & that begins nothing'
      text += part.replaceAll(/&(\w+);/g, (_all, name) => MARKS[name]!)
      continue
    }
    const closed = /^<\/([\w:-]+)>$/.exec(part)?.[1]
    if (closed !== undefined) {
      if (open.pop() !== closed) return `${closed} is closed before it is open`
      continue
    }
    const tag = /^<([\w:-]+)((?:\s+[\w:-]+=(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>$/.exec(part)
    if (!tag) return 'a tag that is none'
    const [, name = '', attributes = '', empty] = tag
    if (
      open.length === 0 &&
      (name !== 'speak' || !/\sxml:lang=["'][a-z]{2,3}-[A-Z]{2}["']/.test(attributes))
    ) {
      return 'a document is speak, with xml:lang'
    }
    if (name === 'voice') voice = /\sname=["']([^"']+)["']/.exec(attributes)?.[1] ?? ''
    if (!empty) open.push(name)
  }
  if (open.length > 0) return `${open.at(-1)} is not closed`
  return voice === '' ? 'no voice' : { voice, text }
}
