/** What may be written to the log: no secrets ever, no words of callers or models unless the operator asks. Pure. */

export type Words = 'hidden' | 'shown'

/** Names in lower case without dashes and underscores. A name hides whatever is below it. */
const SECRETS: ReadonlySet<string> = new Set([
  'accesstoken',
  'apikey',
  'authorization',
  'authtoken',
  'clientsecret',
  'cookie',
  'password',
  'proxyauthorization',
  'secret',
  'secwebsocketprotocol',
  'setcookie',
  'token',
  'xapikey',
])
const WORDS: ReadonlySet<string> = new Set([
  'arguments',
  'content',
  'delta',
  'digit',
  'digits',
  'greeting',
  'heard',
  'input',
  'instructions',
  'messages',
  'metadata',
  'output',
  'prompt',
  'said',
  'say',
  'text',
  'transcript',
  'user',
  'words',
  'xparleymetadata',
])

/** A query may hold metadata, a user's name, or a key that was put there by mistake. */
const ADDRESSES: ReadonlySet<string> = new Set(['originalurl', 'path', 'url'])

const MAX_DEPTH = 6
const MAX_ENTRIES = 100
const MAX_CHARS = 2000

/** A copy that is safe to print, and bounded: deep, long and endless things are cut. */
export function redact(value: unknown, words: Words): unknown {
  return copy(value, words, 0)
}

function copy(value: unknown, words: Words, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS)}…` : value
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[deep]'
  if (value instanceof Error) return describeError(value, words, depth)
  const owns = (value as { toJSON?: unknown }).toJSON
  if (typeof owns === 'function') {
    const plain: unknown = owns.call(value)
    return plain === value ? '[object]' : copy(plain, words, depth + 1)
  }
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => copy(one, words, depth + 1))
  const entries = Object.entries(value).slice(0, MAX_ENTRIES)
  return Object.fromEntries(entries.map(([name, inner]) => [name, member(name, inner, words, depth)]))
}

function member(name: string, value: unknown, words: Words, depth: number): unknown {
  const plain = name.toLowerCase().replace(/[-_]/g, '')
  if (value === null || value === undefined) return value
  if (SECRETS.has(plain)) return '[secret]'
  if (words === 'hidden' && WORDS.has(plain)) return '[words]'
  if (ADDRESSES.has(plain) && typeof value === 'string') return copy(value.split('?', 1)[0], words, depth + 1)
  return copy(value, words, depth + 1)
}

/** Name, message and stack, the cause below; other members by the same rules. */
function describeError(error: Error, words: Words, depth: number): unknown {
  const { name, message, stack, cause, ...rest } = error
  return {
    type: error.name,
    message: copy(message, words, depth + 1),
    stack: copy(stack, words, depth + 1),
    ...(copy(rest, words, depth + 1) as object),
    ...(cause === undefined ? {} : { cause: copy(cause, words, depth + 1) }),
  }
}
