/**
 * Server-sent events out of bytes, as the HTML standard has them: lines end with CR, LF or CRLF, a blank line
 * ends an event, comments are skipped. Chunks may cut anything anywhere, a character too. Pure.
 */
export interface SseEvent {
  /** `message` when the stream names none. */
  readonly event: string
  readonly data: string
}

/** Characters in one event, data lines together; far above any real one, far below what hurts. */
export const SSE_EVENT_CHARACTERS = 1_000_000

export class SseTooLarge extends Error {
  override readonly name = 'SseTooLarge'
  constructor(limit: number) {
    super(`an event of the stream is larger than ${limit} characters`)
  }
}

export class SseParser {
  readonly #limit: number
  readonly #decoder = new TextDecoder('utf-8')
  /** Pieces of the line that is not ended yet: joined once, so that a long line costs no quadratic copying. */
  #line: string[] = []
  #lineLength = 0
  #afterCr = false
  #event = ''
  #data: string[] = []
  #dataLength = 0

  /** `limit`: characters in one event. */
  constructor(limit = SSE_EVENT_CHARACTERS) {
    this.#limit = limit
  }

  /** The events that `bytes` complete. Throws `SseTooLarge`. */
  push(bytes: Uint8Array): SseEvent[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The stream ended: an event without its blank line is dropped by the standard, but given here, since some servers forget it. */
  end(): SseEvent[] {
    const events = this.#read(this.#decoder.decode())
    if (this.#lineLength > 0) this.#endLine(events)
    this.#dispatch(events)
    return events
  }

  #read(text: string): SseEvent[] {
    const events: SseEvent[] = []
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterCr = false
    if (!text.includes('\r')) return this.#readLines(text, start, events)
    for (let i = start; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c !== 10 && c !== 13) continue
      this.#grow(text.slice(start, i))
      this.#endLine(events)
      if (c === 13 && i + 1 === text.length) this.#afterCr = true
      else if (c === 13 && text.charCodeAt(i + 1) === 10) i++
      start = i + 1
    }
    this.#grow(text.slice(start))
    return events
  }

  /** Lines that end with LF alone, as nearly all do. */
  #readLines(text: string, from: number, events: SseEvent[]): SseEvent[] {
    let start = from
    for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
      this.#grow(text.slice(start, end))
      this.#endLine(events)
      start = end + 1
    }
    this.#grow(text.slice(start))
    return events
  }

  #grow(piece: string): void {
    if (piece === '') return
    this.#lineLength += piece.length
    if (this.#lineLength + this.#dataLength > this.#limit) throw new SseTooLarge(this.#limit)
    this.#line.push(piece)
  }

  #endLine(events: SseEvent[]): void {
    const line = this.#line.length === 1 ? (this.#line[0] as string) : this.#line.join('')
    this.#line.length = 0
    this.#lineLength = 0
    if (line === '') return this.#dispatch(events)
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const rest = colon < 0 ? '' : line.slice(colon + 1)
    const value = rest.startsWith(' ') ? rest.slice(1) : rest
    if (field === 'event') this.#event = value
    else if (field === 'data') {
      this.#data.push(value)
      this.#dataLength += value.length + 1
    }
  }

  #dispatch(events: SseEvent[]): void {
    const [first] = this.#data
    if (first !== undefined) {
      const data = this.#data.length === 1 ? first : this.#data.join('\n')
      events.push({ event: this.#event || 'message', data })
      this.#data.length = 0
    }
    this.#event = ''
    this.#dataLength = 0
  }
}
