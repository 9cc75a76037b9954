/**
 * The server-owned output buffer: PCM in, Opus packets out, one every 20 ms by the one clock. What waits here can be
 * taken back, and what went out counts as played: so the server knows what was heard without asking.
 *
 *     play ─► encode ─► queue (the session's lead, 180 ms) ─ every 20 ms ─► RTP
 */
import { OPUS_FRAME_MS, type OpusCodec } from '../../../audio/opus.ts'
import type { Clock } from '../../../clock.ts'
import type { Ticked, Ticker } from '../../../playout/ticker.ts'
import type { BufferNews } from '../media.ts'

/** RTP counts Opus at 48 kHz whatever it was encoded from. */
const RTP_TICKS_PER_MS = 48
/** Later than this, and the far side ran dry long ago: a burst would only pile up there. */
const MAX_LAG_MS = 100

export interface OutPacket {
  readonly payload: Uint8Array
  /** In 48 kHz ticks since the call began; goes on through silence. */
  readonly timestamp: number
  readonly sequence: number
  /** The first after a silence. */
  readonly marker: 0 | 1
}

export interface OutboundOptions {
  readonly clock: Clock
  readonly ticker: Ticker
  readonly codec: OpusCodec
  readonly send: (packet: OutPacket) => void
  readonly news: (what: BufferNews, responseId: string) => void
}

interface Place {
  readonly responseId: string
  readonly itemId: string
}

interface Waiting extends Place {
  readonly payload: Uint8Array
}

export interface Played extends Place {
  readonly playedMs: number
}

export class Outbound implements Ticked {
  readonly #options: OutboundOptions
  #queue: Waiting[] = []
  /** The answer being played, from its first packet to its last. */
  #playing: { readonly place: Place; playedMs: number; ended: boolean } | undefined
  /** Ended before their first packet went out. */
  readonly #ended = new Set<string>()
  #nextAt: number
  #timestamp = 0
  #sequence = 0
  #marker: 0 | 1 = 1

  constructor(options: OutboundOptions) {
    this.#options = options
    this.#nextAt = options.clock.now()
  }

  /** Audio that waits for its time, ms. */
  get queuedMs(): number {
    return this.#queue.length * OPUS_FRAME_MS
  }

  /** PCM16 at the codec's rate; a frame not filled at its end is filled with silence. */
  play(place: Place, pcm: Uint8Array): void {
    const { codec, clock, ticker } = this.#options
    const { responseId, itemId } = place
    for (let at = 0; at < pcm.length; at += codec.frameBytes) {
      let frame = pcm.subarray(at, at + codec.frameBytes)
      if (frame.length < codec.frameBytes) {
        const padded = new Uint8Array(codec.frameBytes)
        padded.set(frame)
        frame = padded
      }
      this.#queue.push({ responseId, itemId, payload: codec.encode(frame) })
    }
    const now = clock.now()
    if (now - this.#nextAt > MAX_LAG_MS) this.#skipTo(now)
    this.tick(now)
    if (this.#queue.length > 0 || this.#playing) ticker.join(this)
  }

  /** No more sound of that answer comes. */
  end(responseId: string): void {
    if (this.#playing?.place.responseId === responseId) {
      this.#playing.ended = true
      this.#options.ticker.join(this)
    } else if (this.#queue.some((one) => one.responseId === responseId)) this.#ended.add(responseId)
  }

  /** Takes back what waits. Returns what was being played and how far; undefined in silence. */
  clear(): Played | undefined {
    this.#queue = []
    this.#ended.clear()
    const playing = this.#playing
    if (!playing) return undefined
    this.#playing = undefined
    this.#options.ticker.leave(this)
    this.#options.news('cleared', playing.place.responseId)
    return { ...playing.place, playedMs: playing.playedMs }
  }

  /** An answer that pauses is neither cleared nor stopped: only what waits is taken back. */
  pause(): void {
    this.#queue = []
  }

  tick(now: number): void {
    if (now - this.#nextAt > MAX_LAG_MS && this.#queue.length > 0) this.#skipTo(now)
    while (now >= this.#nextAt) {
      const next = this.#queue.shift()
      if (next?.responseId !== this.#playing?.place.responseId) this.#stopped(next)
      if (!next) break
      this.#send(next)
    }
    if (this.#queue.length === 0 && !this.#playing?.ended) this.#options.ticker.leave(this)
  }

  close(): void {
    this.#queue = []
    this.#playing = undefined
    this.#options.ticker.leave(this)
  }

  #send(next: Waiting): void {
    if (!this.#playing) {
      const { responseId, itemId } = next
      const ended = this.#ended.delete(responseId)
      this.#playing = { place: { responseId, itemId }, playedMs: 0, ended }
      this.#options.news('started', responseId)
    }
    this.#playing.playedMs += OPUS_FRAME_MS
    this.#options.send({
      payload: next.payload,
      timestamp: this.#timestamp >>> 0,
      sequence: this.#sequence,
      marker: this.#marker,
    })
    this.#marker = 0
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#timestamp += OPUS_FRAME_MS * RTP_TICKS_PER_MS
    this.#nextAt += OPUS_FRAME_MS
  }

  /** The last packet has been played; an answer that only waits for its voice is not over. */
  #stopped(next: Waiting | undefined): void {
    const playing = this.#playing
    if (!playing || (!playing.ended && !next)) return
    this.#playing = undefined
    this.#options.news('stopped', playing.place.responseId)
  }

  #skipTo(now: number): void {
    this.#timestamp += Math.round((now - this.#nextAt) * RTP_TICKS_PER_MS)
    this.#nextAt = now
    this.#marker = 1
  }
}
