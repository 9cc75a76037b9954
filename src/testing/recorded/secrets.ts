/** What a recording leaves out: keys, tokens, and the caller's voice. */
import { shortened } from './sound.ts'

/** Members, query members and headers of such names hold secrets. (`tokens` are words, at some.) */
const SECRET = /(key|token|secret|password|authorization|credential|signature|cookie|jwt)$/i
const STRIPPED = 'stripped'
/** Shorter ones are no secrets, and would stand in other words. */
const LEAST = 8

export class Secrets {
  readonly #known = new Set<string>()

  /** It will be stripped wherever it stands. */
  learn(secret: string | undefined): void {
    for (const word of secret?.split(/[\s,]+/) ?? []) if (word.length >= LEAST) this.#known.add(word)
  }

  learnFrom(headers: Readonly<Record<string, string | undefined>>, url: URL): void {
    for (const [name, value] of Object.entries(headers))
      if (SECRET.test(name) || name === 'sec-websocket-protocol') this.learn(value)
    for (const [name, value] of url.searchParams) if (SECRET.test(name)) this.learn(value)
  }

  /** Of the client's messages, of the provider's, or of an address. */
  strip(text: string, from: 'client' | 'provider'): string {
    const json = objectIn(text)
    if (json !== undefined) this.#learnIn(json)
    // What a caller says goes; what a voice says is the recording.
    let clean = json !== undefined && from === 'client' ? JSON.stringify(shortened(json)) : text
    for (const secret of this.#known) clean = clean.replaceAll(secret, STRIPPED)
    return clean
  }

  #learnIn(value: unknown, of: 'secret' | 'other' = 'other'): void {
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      const kind = of === 'secret' || SECRET.test(name) ? 'secret' : 'other'
      if (typeof member !== 'string') this.#learnIn(member, kind)
      else if (kind === 'secret') this.learn(member)
      else if (/^wss?:|^https?:/.test(member) && URL.canParse(member)) this.learnFrom({}, new URL(member))
    }
  }
}

export function objectIn(text: string): object | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text) as object
  } catch {
    return undefined
  }
}
