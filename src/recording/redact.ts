/**
 * Words out of a recording: every letter becomes `x` or `X`, every digit `0`, in members that hold what people and models
 * said. Character by character, so that pieces put together are redacted as their whole is, and lengths and punctuation
 * stay. No hash of the words is kept: words are few, and could be guessed from it.
 */
export type Redaction = 'text' | 'metadata' | 'user'

const WORDS = new Set([
  'text',
  'stable',
  'delta',
  'transcript',
  'instructions',
  'greeting',
  'said',
  'text.user',
  'digit',
  'digits',
  'arguments',
  'output',
  'explanation',
])

/** `name`: of the member that holds the value, as `member` and `parent.member`. */
export function redactWords(value: unknown, name = '', parent = ''): unknown {
  if (typeof value === 'string') {
    return WORDS.has(name) || WORDS.has(`${parent}.${name}`) ? placeholder(value) : value
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((one) => redactWords(one, name, parent))
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redactWords(one, key, name)]))
}

export function placeholder(text: string): string {
  return text
    .replace(/\p{Lu}/gu, 'X')
    .replace(/[\p{L}\p{M}]/gu, (letter) => (letter === 'X' ? 'X' : 'x'))
    .replace(/\p{N}/gu, '0')
}
