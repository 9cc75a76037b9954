/** The exchanges of a recording, each with what the client sent, and what the provider said after how much of that. */
import type { RecordedLine, Said } from './log.ts'
import { isKeepAlive, shapeOf, soundIn } from './shape.ts'

/** `afterMs`: since the client had sent the last of what it waits for. */
export type Step = { readonly messages: number; readonly soundBytes: number; readonly afterMs: number } & (
  | { readonly act: 'say'; readonly data: string | Uint8Array }
  | { readonly act: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly act: 'end'; readonly how: number | 'whole' | 'broken'; readonly reason: string }
)

export interface Conversation {
  /** By which another one like it is known. */
  readonly key: string
  readonly headers: readonly string[]
  /** The client's, without sound and keep-alives. */
  readonly messages: readonly string[]
  readonly shapes: ReadonlySet<string>
  /** All of its sound. */
  readonly soundBytes: number
  readonly steps: readonly Step[]
}

class Gathering {
  readonly key: string
  readonly headers: readonly string[]
  readonly messages: string[] = []
  readonly shapes = new Set<string>()
  readonly steps: Step[] = []
  soundBytes = 0
  #at: number

  constructor(key: string, headers: readonly string[], at: number) {
    this.key = key
    this.headers = headers
    this.#at = at
  }

  sent(said: Said, at: number): void {
    if (typeof said === 'string' && isKeepAlive(said)) return
    this.#at = at
    if (typeof said !== 'string') {
      if ('bytes' in said) this.soundBytes += said.bytes
      return
    }
    const sound = soundIn(said)
    this.soundBytes += sound
    this.shapes.add(shapeOf(said))
    if (sound === 0) this.messages.push(said)
  }

  came(line: RecordedLine): void {
    const { messages, soundBytes } = this
    const when = { messages: messages.length, soundBytes, afterMs: Math.max(0, line.at - this.#at) }
    if ('provider' in line) this.steps.push({ ...when, act: 'say', data: dataOf(line.provider) })
    else if ('status' in line) {
      const { status, headers } = line
      this.steps.push({ ...when, act: 'head', status, headers })
    } else if ('ended' in line)
      this.steps.push({ ...when, act: 'end', how: line.ended, reason: line.reason ?? '' })
  }
}

export function conversationsIn(lines: readonly RecordedLine[]): readonly Conversation[] {
  const all = new Map<number, Gathering>()
  for (const line of lines) {
    const one = all.get(line.n)
    if ('socket' in line)
      all.set(line.n, new Gathering(keyOf('SOCKET', urlOf(line.socket)), line.headers, line.at))
    else if ('request' in line) {
      const [method = '', path = ''] = line.request.split(' ')
      const asked = new Gathering(keyOf(method, urlOf(path)), line.headers, line.at)
      asked.sent(line.body, line.at)
      all.set(line.n, asked)
    } else if ('client' in line) one?.sent(line.client, line.at)
    else one?.came(line)
  }
  return [...all.values()]
}

/** By the names of query members: values are of the moment. */
export function keyOf(kind: string, { pathname, searchParams }: URL): string {
  const members = [...new Set(searchParams.keys())].sort()
  return `${kind} ${pathname}${members.length > 0 ? `?${members.join('&')}` : ''}`
}

function urlOf(path: string): URL {
  return new URL(path, 'http://localhost')
}

function dataOf(said: Said): string | Uint8Array {
  if (typeof said === 'string') return said
  return 'base64' in said ? Buffer.from(said.base64, 'base64') : new Uint8Array(said.bytes)
}
