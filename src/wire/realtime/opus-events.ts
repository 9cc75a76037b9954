/**
 * Opus inside events, where a client asked for `audio/opus`: one packet an event, in both directions. The session
 * itself goes on in PCM.
 *
 *     append { audio, sequence? } ─► hear ─► PCM          PCM of an answer ─► say ─► packets of 20 ms
 */
import { silence } from '../../audio/convert.ts'
import { loadOpus, OPUS_FRAME_MS, OPUS_PCM, OpusCodec } from '../../audio/opus.ts'

/** A second: more than that is not a loss but a pause of the client's. */
const MAX_GAP = 50
/** Beyond 120 ms, silence is more honest than an echo. */
const MAX_CONCEALED = 6
/** Packets that wait while the codec is loaded the first time: 10 s. */
const MAX_EARLY = 500

interface Packet {
  readonly bytes: Uint8Array
  readonly sequence: number | null
}

export class OpusEvents {
  readonly #heard: (pcm: Uint8Array) => void
  readonly ready: Promise<void>
  #codec: OpusCodec | undefined
  #early: Packet[] = []
  #expected: number | null = null
  #rest = new Uint8Array(0)
  #closed = false

  constructor(heard: (pcm: Uint8Array) => void) {
    this.#heard = heard
    this.ready = loadOpus().then(() => {
      if (this.#closed) return
      this.#codec = new OpusCodec()
      for (const packet of this.#early.splice(0)) this.#decode(packet)
    })
  }

  /** Throws `OpusPacketError`. Numbers that were skipped are concealed; one that is too late is dropped. */
  hear(bytes: Uint8Array, sequence: number | null): void {
    if (this.#codec) this.#hear({ bytes, sequence })
    else if (this.#early.length < MAX_EARLY) this.#early.push({ bytes, sequence })
  }

  /** PCM of an answer into whole packets; what is left waits for more. Await `ready` first. */
  say(pcm: Uint8Array): Uint8Array[] {
    const codec = this.#codec
    if (!codec) return []
    const all = new Uint8Array(this.#rest.length + pcm.length)
    all.set(this.#rest)
    all.set(pcm, this.#rest.length)
    const packets: Uint8Array[] = []
    let at = 0
    for (; at + codec.frameBytes <= all.length; at += codec.frameBytes)
      packets.push(codec.encode(all.subarray(at, at + codec.frameBytes)))
    this.#rest = all.slice(at)
    return packets
  }

  /** The answer is over: its last part of a frame, filled up with silence. */
  finish(): Uint8Array[] {
    if (!this.#codec || this.#rest.length === 0) return []
    return this.say(new Uint8Array(this.#codec.frameBytes - this.#rest.length))
  }

  /** What is left of an answer that was cut goes. */
  forget(): void {
    this.#rest = new Uint8Array(0)
  }

  close(): void {
    this.#closed = true
    this.#codec?.close()
    this.#codec = undefined
    this.#early = []
  }

  #decode(packet: Packet): void {
    try {
      this.#hear(packet)
    } catch {
      // It came before anybody could tell the client of it.
    }
  }

  #hear({ bytes, sequence }: Packet): void {
    const codec = this.#codec!
    if (sequence !== null) {
      const gap = this.#expected === null ? 0 : sequence - this.#expected
      if (gap < 0 && gap > -MAX_GAP) return
      if (gap > 0 && gap < MAX_GAP) {
        for (let i = 0; i < gap; i++)
          this.#heard(i < MAX_CONCEALED ? codec.conceal() : silence(OPUS_PCM, OPUS_FRAME_MS))
      }
      this.#expected = sequence + 1
    }
    this.#heard(codec.decode(bytes))
  }
}
