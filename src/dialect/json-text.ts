/** JSON text with members added, without parsing it again. Pure. */

/** `text` is an object that was parsed before. Members of `more` come last, so they count where it had the same. */
export function withMember(text: string, more: Readonly<Record<string, unknown>>): string {
  const end = text.lastIndexOf('}')
  const added = JSON.stringify(more)
  if (added === '{}') return text
  const before = text.slice(0, end).trimEnd()
  return `${before}${before.endsWith('{') ? '' : ','}${added.slice(1)}`
}
