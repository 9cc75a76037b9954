/**
 * AWS's event streams: binary messages with a length in front and checksums. Each becomes an event with its name and its payload's text;
 * an exception comes under its own name.
 */
import { StreamFault } from '../../dialect/faults.ts'
import { SSE_EVENT_CHARACTERS, type SseEvent } from '../../dialect/sse.ts'
import type { Framing } from '../http-frames.ts'
import type { Aws } from './aws.ts'

type Codec = InstanceType<Aws['EventStreamCodec']>

/** Prelude, its checksum, and that of the message. */
const LEAST_BYTES = 16

export class EventStreamFraming implements Framing {
  readonly #codec: Codec
  /** What came of the message that is not complete yet. */
  #pieces: Uint8Array[] = []
  #bytes = 0

  constructor({ EventStreamCodec }: Aws) {
    this.#codec = new EventStreamCodec(
      (bytes) =>
        typeof bytes === 'string'
          ? bytes
          : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
      (text) => Buffer.from(text, 'utf8'),
    )
  }

  /** Throws `StreamFault`. */
  push(bytes: Uint8Array): SseEvent[] {
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
    const events: SseEvent[] = []
    for (;;) {
      const length = this.#nextLength()
      if (length === undefined || this.#bytes < length) return events
      const all = this.#joined()
      events.push(...this.#read(all.subarray(0, length)))
      this.#pieces = length < all.length ? [all.subarray(length)] : []
      this.#bytes = all.length - length
    }
  }

  /** Whether an answer that ends inside a message had ended is its decoder's to know. */
  end(): SseEvent[] {
    return []
  }

  #nextLength(): number | undefined {
    if (this.#bytes < 4) return undefined
    const first = this.#pieces[0] as Uint8Array
    const head = first.length >= 4 ? first : this.#joined()
    const length = new DataView(head.buffer, head.byteOffset, 4).getUint32(0)
    if (length >= LEAST_BYTES && length <= SSE_EVENT_CHARACTERS) return length
    throw new StreamFault('transient', 'the stream is no event stream of AWS, or an event is too large')
  }

  #joined(): Uint8Array {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] as Uint8Array
  }

  #read(message: Uint8Array): SseEvent[] {
    let decoded: ReturnType<Codec['decode']>
    try {
      decoded = this.#codec.decode(message)
    } catch {
      throw new StreamFault('transient', 'an event of the stream is damaged')
    }
    const { headers, body } = decoded
    const text = (name: string): string => {
      const value = headers[name]?.value
      return typeof value === 'string' ? value : ''
    }
    const data = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
    switch (text(':message-type')) {
      case 'event':
        return [{ event: text(':event-type'), data }]
      case 'exception':
        return [{ event: text(':exception-type') || 'error', data }]
      default:
        // Unmodelled: its code stands in a header, its sentence in another.
        return [{ event: 'error', data: '{}' }]
    }
  }
}
