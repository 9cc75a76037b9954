/** Does a language tag lie within another: `de-AT` within `de`, by whole subtags (RFC 4647, basic filtering). Pure. */

/** Case and `_` for `-` do not count; an empty range holds nothing, `*` everything. */
export function languageWithin(tag: string, range: string): boolean {
  const [inner, outer] = [plain(tag), plain(range)]
  if (inner === '' || outer === '') return false
  return outer === '*' || inner === outer || inner.startsWith(`${outer}-`)
}

/** `de` of `de-AT`: what statistics are kept by. Anything that is no tag is `null`. */
export function primaryTag(tag: string | null | undefined): string | null {
  const primary = plain(tag ?? '').split('-', 1)[0] ?? ''
  return /^[a-z]{2,3}$/.test(primary) ? primary : null
}

/** Whether somebody who lists `languages` can be given speech in `tag`. An unknown language fits everybody. */
export function speaks(languages: readonly string[] | 'any', tag: string | null): boolean {
  const wanted = primaryTag(tag)
  if (languages === 'any' || wanted === null) return true
  // `pt-BR` is offered, `pt` is spoken: near enough to try.
  return languages.some((one) => primaryTag(one) === wanted || one === '*' || one === 'multi')
}

function plain(tag: string): string {
  return tag.toLowerCase().replaceAll('_', '-')
}
