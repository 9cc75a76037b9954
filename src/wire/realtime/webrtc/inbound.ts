/**
 * The caller's packets into PCM, in order and without holes: one that is late by a few is waited for, one that is lost
 * is concealed, and where nothing comes any more the ear hears silence, or no turn would end.
 *
 *     RTP ─► wait for order (at most 4 packets) ─► decode | conceal ─► PCM16, 24 kHz
 */

import { silence } from '../../../audio/convert.ts'
import { OPUS_FRAME_MS, OPUS_PCM, type OpusCodec, OpusPacketError } from '../../../audio/opus.ts'
import type { Clock, Timer } from '../../../clock.ts'

export interface InPacket {
  /** 16 bits, wrapping. */
  readonly sequence: number
  readonly payload: Uint8Array
}

export interface InboundOptions {
  readonly clock: Clock
  readonly codec: OpusCodec
  readonly heard: (pcm: Uint8Array) => void
}

/** Packets that may wait for one before them: 80 ms. More order is not worth the delay. */
const MAX_WAITING = 4
/** Beyond 120 ms, what is concealed is an echo of what was; silence is more honest. */
const MAX_CONCEALED = 6
/** A jump of a second or more is a new stream. */
const MAX_GAP = 50
const WATCH_MS = 100
/** Quiet for this long is a gap and not jitter. */
const QUIET_MS = 200

export class Inbound {
  readonly #options: InboundOptions
  readonly #waiting = new Map<number, Uint8Array>()
  #expected: number | undefined
  #lastAt: number
  #timer: Timer | undefined
  #closed = false
  /** Since the beginning. */
  readonly counts = { received: 0, late: 0, lost: 0, broken: 0 }

  constructor(options: InboundOptions) {
    this.#options = options
    this.#lastAt = options.clock.now()
  }

  packet({ sequence, payload }: InPacket): void {
    if (this.#closed) return
    this.counts.received++
    this.#lastAt = this.#options.clock.now()
    if (!this.#timer) this.#watch()
    this.#expected ??= sequence
    const ahead = ((sequence - this.#expected + 0x8000) & 0xffff) - 0x8000
    if (Math.abs(ahead) >= MAX_GAP) {
      this.#flush()
      this.#expected = sequence
    } else if (ahead < 0) {
      this.counts.late++
      return
    }
    this.#waiting.set(sequence, payload)
    this.#inOrder()
    while (this.#waiting.size >= MAX_WAITING) {
      this.#conceal()
      this.#inOrder()
    }
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#waiting.clear()
  }

  #inOrder(): void {
    for (;;) {
      const payload = this.#waiting.get(this.#expected!)
      if (!payload) return
      this.#waiting.delete(this.#expected!)
      this.#next()
      try {
        this.#options.heard(this.#options.codec.decode(payload))
      } catch (error) {
        if (!(error instanceof OpusPacketError)) throw error
        this.counts.broken++
        this.#options.heard(this.#options.codec.conceal())
      }
    }
  }

  /** All that is missing before the first that waits. */
  #conceal(): void {
    let concealed = 0
    while (!this.#waiting.has(this.#expected!)) {
      this.counts.lost++
      this.#next()
      if (++concealed <= MAX_CONCEALED) this.#options.heard(this.#options.codec.conceal())
      else this.#options.heard(silence(OPUS_PCM, OPUS_FRAME_MS))
    }
  }

  #flush(): void {
    while (this.#waiting.size > 0) {
      this.#conceal()
      this.#inOrder()
    }
  }

  #next(): void {
    this.#expected = (this.#expected! + 1) & 0xffff
  }

  #watch(): void {
    this.#timer = this.#options.clock.setTimer(WATCH_MS, () => {
      if (this.#options.clock.now() - this.#lastAt >= QUIET_MS) {
        this.#flush()
        this.#options.heard(silence(OPUS_PCM, WATCH_MS))
      }
      this.#watch()
    })
  }
}
