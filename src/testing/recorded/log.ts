/**
 * A recording of what an adapter and its provider said to each other, as JSON lines. The first line is the head; each later one is
 * of an exchange `n`, a WebSocket or a request, and of a moment `at`, milliseconds since the recording began.
 */
import type { ProviderEntry } from '../double.ts'

/** For the host that the provider names in what it says. */
export const ORIGIN = '{origin}'

export interface RecordingHead {
  readonly recording: 1
  /** Of the settings, without keys. */
  readonly entry: ProviderEntry
}

/**
 * One message, or one piece of an answer's body: text, or the provider's bytes in base64, or how many bytes the client sent, since a
 * caller's voice is nobody's to keep.
 */
export type Said = string | { readonly base64: string } | { readonly bytes: number }

export type RecordedEvent =
  /** `socket`: path and query. */
  | { readonly socket: string; readonly headers: readonly string[] }
  /** `request`: method, path and query. */
  | { readonly request: string; readonly headers: readonly string[]; readonly body: Said }
  | { readonly client: Said }
  | { readonly provider: Said }
  /** The head of an answer to a request, or to an upgrade that was refused. */
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  /** The provider ended it; 1006: it broke. A request's has no code. */
  | { readonly ended: number | 'whole' | 'broken'; readonly reason?: string }

export type RecordedLine = { readonly n: number; readonly at: number } & RecordedEvent

export interface WireRecording {
  readonly entry: ProviderEntry
  readonly lines: readonly RecordedLine[]
}

/** Throws an `Error` that names the line. A last line that was cut off is left out: the recorder was killed. */
export function readRecording(text: string): WireRecording {
  const [first = '', ...rest] = text.split('\n')
  const head = parsed(first) as Partial<RecordingHead> | undefined
  if (head?.recording !== 1 || typeof head.entry?.type !== 'string')
    throw new Error('line 1 is not the head of a recording')
  const lines: RecordedLine[] = []
  for (const [index, line] of rest.entries()) {
    if (line === '') continue
    const one = parsed(line) as RecordedLine | undefined
    if (typeof one?.n === 'number' && typeof one.at === 'number') lines.push(one)
    else if (index < rest.length - 1) throw new Error(`line ${index + 2} is no line of a recording`)
  }
  return { entry: head.entry, lines }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
