/** The little XML that telephone bridges are answered with. */

export function xml(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${body}`
}

/** For an attribute in double quotes or an element's text. Characters that XML cannot hold are left out. */
export function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
