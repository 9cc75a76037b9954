/** An answer sent as it is made: its headers with the first byte, so that what fails before is an ordinary error; paced by its reader. */
import type { FastifyReply } from 'fastify'
import { drained, type Patience } from './drained.ts'

export interface ByteReplyOptions extends Patience {
  readonly reply: FastifyReply
  /** Asked when the first byte is sent. */
  readonly headers: () => Readonly<Record<string, string>>
}

export class ByteReply {
  readonly #options: ByteReplyOptions
  #state: 'waiting' | 'sending' = 'waiting'

  constructor(options: ByteReplyOptions) {
    this.#options = options
  }

  get began(): boolean {
    return this.#state === 'sending'
  }

  /** Resolves when there is room for more. Rejects with the signal's reason. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (bytes.length === 0) return
    this.#begin()
    const { reply } = this.#options
    if (!reply.raw.write(bytes)) await drained(reply.raw, this.#options)
  }

  end(bytes: Uint8Array | string = ''): void {
    this.#begin()
    this.#options.reply.raw.end(bytes)
  }

  /** What was promised cannot be kept, and the shape has no word for it: the connection breaks off, which every client notices. */
  break(): void {
    this.#options.reply.hijack()
    this.#options.reply.raw.destroy()
  }

  #begin(): void {
    if (this.#state === 'sending') return
    this.#state = 'sending'
    const { reply, headers } = this.#options
    reply.hijack()
    reply.raw.writeHead(200, {
      // What access allowed to pages of other origins.
      ...(reply.getHeaders() as Record<string, string>),
      'cache-control': 'no-cache, no-transform',
      // Proxies in front shall not wait for more.
      'x-accel-buffering': 'no',
      ...headers(),
    })
  }
}
