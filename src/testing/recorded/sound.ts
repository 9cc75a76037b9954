/** Sound inside JSON: base64 too long to be anything else. */
const LONG = 100
const BASE64 = /^[A-Za-z0-9+/]+=*$/

export function isSound(text: string): boolean {
  return text.length >= LONG && BASE64.test(text)
}

/** How many bytes of sound a JSON value holds. */
export function soundBytes(value: unknown): number {
  if (typeof value === 'string') return isSound(value) ? Buffer.byteLength(value, 'base64') : placeheld(value)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, member) => sum + soundBytes(member), 0)
}

/** The same with `sound: 320 bytes` in the place of each. */
export function shortened(value: unknown): unknown {
  if (typeof value === 'string') return isSound(value) ? `sound: ${soundBytes(value)} bytes` : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(shortened)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shortened(member)]))
}

function placeheld(text: string): number {
  return Number(/^sound: (\d+) bytes$/.exec(text)?.[1] ?? 0)
}
