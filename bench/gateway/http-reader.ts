/**
 * Reads the HTTP/1.1 messages of a keep-alive connection: as little as the load generator and the upstream of
 * `bench:gateway` need, since both share a core and neither may become what is measured. Bodies by length or in chunks;
 * text is given a character a byte.
 */

export interface Message {
  /** First line and headers, as they came. */
  readonly head: string
  readonly body: string
}

export interface ReaderEvents {
  /** More of the body of the message under way came; `body` is all so far. */
  onBody?(body: string): void
  /** A message is whole. */
  onMessage(message: Message): void
}

type State = 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer'

export class HttpReader {
  readonly #events: ReaderEvents
  #state: State = 'head'
  /** What came of a head or a line and is not whole yet. */
  #line = ''
  #head = ''
  #body = ''
  /** Bytes of the body or chunk still to come. */
  #missing = 0

  constructor(events: ReaderEvents) {
    this.#events = events
  }

  /** Throws when it is not HTTP as expected. */
  push(piece: Buffer): void {
    const text = piece.toString('latin1')
    let at = 0
    const before = this.#body.length
    while (at < text.length) at = this.#step(text, at)
    if (this.#state !== 'head' && this.#body.length > before) this.#events.onBody?.(this.#body)
  }

  #step(text: string, at: number): number {
    switch (this.#state) {
      case 'head': {
        const next = this.#until('\r\n\r\n', text, at)
        if (next > 0) this.#begin()
        return next > 0 ? next : text.length
      }
      case 'length':
      case 'chunk': {
        const end = Math.min(text.length, at + this.#missing)
        this.#body += at === 0 && end === text.length ? text : text.slice(at, end)
        this.#missing -= end - at
        if (this.#missing > 0) return end
        if (this.#state === 'chunk') this.#state = 'chunk end'
        else this.#end()
        return end
      }
      case 'chunk size': {
        const next = this.#until('\r\n', text, at)
        if (next < 0) return text.length
        this.#missing = Number.parseInt(this.#line, 16)
        if (Number.isNaN(this.#missing)) throw new Error(`no chunk size: ${this.#line.slice(0, 50)}`)
        this.#line = ''
        this.#state = this.#missing === 0 ? 'trailer' : 'chunk'
        return next
      }
      case 'chunk end':
      case 'trailer': {
        const next = this.#until('\r\n', text, at)
        if (next < 0) return text.length
        this.#line = ''
        if (this.#state === 'trailer') this.#end()
        else this.#state = 'chunk size'
        return next
      }
    }
  }

  /** Collects `#line` up to the mark and gives the place behind it; -1: it has not come yet. */
  #until(mark: string, text: string, at: number): number {
    const have = this.#line.length
    this.#line += at === 0 ? text : text.slice(at)
    const end = this.#line.indexOf(mark, Math.max(0, have - mark.length))
    if (end < 0) return -1
    this.#line = this.#line.slice(0, end)
    return at + end + mark.length - have
  }

  #begin(): void {
    this.#head = this.#line
    this.#line = ''
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head)
    if (length) {
      this.#missing = Number(length[1])
      this.#state = 'length'
      if (this.#missing === 0) this.#end()
    } else if (/\r\ntransfer-encoding: *chunked/i.test(this.#head)) this.#state = 'chunk size'
    else throw new Error(`neither a length nor chunks: ${this.#head.slice(0, 300)}`)
  }

  #end(): void {
    const message = { head: this.#head, body: this.#body }
    this.#state = 'head'
    this.#body = ''
    this.#events.onMessage(message)
  }
}
