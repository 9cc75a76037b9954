/** Sound of one call: the caller's packets to the session, the session's answers to the caller, and what was heard. */
import { OpusCodec } from '../../../audio/opus.ts'
import type { Clock } from '../../../clock.ts'
import type { Ticker } from '../../../playout/ticker.ts'
import type { SessionOutput } from '../../../session/output.ts'
import type { Media, MediaListener } from '../media.ts'
import { Inbound, type InPacket } from './inbound.ts'
import { Outbound, type OutPacket, type Played } from './outbound.ts'

export interface CallMediaOptions {
  readonly clock: Clock
  readonly ticker: Ticker
  readonly send: (packet: OutPacket) => void
}

export class CallMedia implements Media {
  readonly #codec = new OpusCodec()
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  #listener: MediaListener | undefined
  /** The last answer that is no part of the conversation: there is nothing to truncate. */
  #outOfBand = ''

  /** Await `loadOpus` first. */
  constructor({ clock, ticker, send }: CallMediaOptions) {
    const codec = this.#codec
    this.#inbound = new Inbound({ clock, codec, heard: (pcm) => this.#listener?.heard(pcm) })
    this.#outbound = new Outbound({
      clock,
      ticker,
      codec,
      send,
      news: (what, responseId) => this.#listener?.news(what, responseId),
    })
  }

  attach(listener: MediaListener): void {
    this.#listener = listener
  }

  /** Before `attach` nobody listens, and the packet is gone. */
  packet(packet: InPacket): void {
    if (this.#listener) this.#inbound.packet(packet)
  }

  get counts(): Inbound['counts'] {
    return this.#inbound.counts
  }

  output(output: SessionOutput): 'taken' | 'event' {
    switch (output.type) {
      case 'answerAudio':
        this.#outbound.play(output, output.audio)
        return 'taken'
      case 'outputCleared':
        if (output.why === 'pause') this.#outbound.pause()
        else this.#truncate(this.#outbound.clear())
        return 'taken'
      case 'answerStarted':
        if (!output.inConversation) this.#outOfBand = output.responseId
        return 'event'
      case 'answerDone':
        this.#outbound.end(output.responseId)
        return 'event'
      case 'responseDone':
        this.#outbound.end(output.response.id)
        return 'event'
      default:
        return 'event'
    }
  }

  clear(): void {
    this.#truncate(this.#outbound.clear())
  }

  close(): void {
    this.#listener = undefined
    this.#inbound.close()
    this.#outbound.close()
    this.#codec.close()
  }

  /** The server truncates by itself: nobody else knows what was played. */
  #truncate(played: Played | undefined): void {
    if (!played || played.responseId === this.#outOfBand) return
    const { itemId, playedMs } = played
    this.#listener?.send({
      type: 'truncateItem',
      itemId,
      contentIndex: 0,
      audioEndMs: playedMs,
      ref: null,
    })
  }
}
