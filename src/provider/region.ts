/** Languages for providers that want a region with them. Pure. */

/** `de` becomes `de-DE`: the region where most speak it. */
export function withRegion(language: string): string {
  try {
    const { language: tongue, region } = new Intl.Locale(language).maximize()
    return region === undefined ? language : `${tongue}-${region}`
  } catch {
    return language
  }
}
