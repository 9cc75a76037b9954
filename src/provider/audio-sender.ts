/**
 * Audio on its way to a provider: cut into the frames it takes, no faster than it takes them, and never more waiting
 * than a bound. Control messages keep their place between the frames. Knows where in the provider's audio each
 * written byte came to lie, since padding makes the two differ.
 *
 *     write ─► held (until a frame is full) ─► outbox (until its time has come) ─► socket
 */
import { silence } from '../audio/convert.ts'
import { type AudioFormat, bytesToMs, msToBytes } from '../audio/format.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Socket } from './socket.ts'

export interface Framing {
  /** A shorter frame is refused. */
  readonly minMs: number
  readonly maxMs: number
  /** Times real time at which audio may be sent once `burstMs` went ahead; left out: as it comes. */
  readonly pace?: { readonly speed: number; readonly burstMs: number }
  /** Where audio goes as text: the message that holds a frame. Left out: frames are binary. */
  readonly envelope?: (frame: Uint8Array) => string
}

/** A place where what was written and what the provider has part, or meet again. */
interface Mark {
  readonly providerMs: number
  readonly writtenMs: number
}

interface Control {
  readonly text: string
  readonly sent: () => void
}

/** Places remembered; older ones lie before any word still to come. */
const MARKS = 64

export class AudioSender {
  readonly #socket: Socket
  readonly #format: AudioFormat
  readonly #framing: Framing
  readonly #clock: Clock
  #held: Uint8Array[] = []
  #heldBytes = 0
  #outbox: (Uint8Array | Control)[] = []
  #outboxBytes = 0
  #acceptedBytes = 0
  #writtenBytes = 0
  #framesSent = 0
  #marks: Mark[] = [{ providerMs: 0, writtenMs: 0 }]
  #timer: Timer | undefined
  /** Milliseconds of audio that may go out at once, as of `#creditAt`. */
  #creditMs: number
  #creditAt: number
  #lastSentAt: number

  constructor(socket: Socket, format: AudioFormat, framing: Framing, clock: Clock) {
    this.#socket = socket
    this.#format = format
    this.#framing = framing
    this.#clock = clock
    this.#creditMs = framing.pace?.burstMs ?? 0
    this.#creditAt = clock.now()
    this.#lastSentAt = clock.now()
  }

  /** The end of all audio accepted, in the provider's milliseconds. */
  get positionMs(): number {
    return bytesToMs(this.#format, this.#acceptedBytes)
  }

  /** The end of what the socket was given. */
  get sentMs(): number {
    return this.positionMs - bytesToMs(this.#format, this.#heldBytes + this.#outboxBytes)
  }

  /** Audio messages in all. */
  get framesSent(): number {
    return this.#framesSent
  }

  /** Audio accepted that the network has not taken. */
  get waitingMs(): number {
    const bytes = this.#heldBytes + this.#outboxBytes + this.#socket.bufferedAmount
    return bytesToMs(this.#format, bytes)
  }

  /** When anything was last sent. */
  get lastSentAt(): number {
    return this.#lastSentAt
  }

  write(audio: Uint8Array): void {
    this.#writtenBytes += audio.length
    // It may wait here, and the writer's buffer is the writer's; of a `Buffer`, `slice` would be no copy.
    this.#accept(new Uint8Array(audio))
  }

  /** Silence nobody said. */
  pad(ms: number): void {
    this.#accept(silence(this.#format, Math.ceil(ms)))
    this.#mark()
  }

  /** What is held goes out, silence making up a whole frame. */
  fill(): void {
    const missingMs = this.#framing.minMs - bytesToMs(this.#format, this.#heldBytes)
    if (this.#heldBytes > 0 && missingMs > 0) this.pad(missingMs)
    this.#frame()
    this.#send()
  }

  /** After the frames so far; `sent` tells when. */
  send(text: string, sent: () => void): void {
    this.#outbox.push({ text, sent })
    this.#send()
  }

  /** Not in order with the audio, and not what idleness is counted from. */
  sendNow(message: string): void {
    this.#lastSentAt = this.#clock.now()
    this.#socket.sendText(message)
  }

  /** A moment of the provider's audio in milliseconds since the first byte written; a whole number. */
  writtenMs(providerMs: number): number {
    const after = this.#marks.findIndex((mark) => mark.providerMs > providerMs)
    const mark = this.#marks[Math.max(0, (after < 0 ? this.#marks.length : after) - 1)]!
    const limit = after < 0 ? Number.POSITIVE_INFINITY : this.#marks[after]!.writtenMs
    const ms = mark.writtenMs + providerMs - mark.providerMs
    return Math.round(Math.max(0, Math.min(limit, ms)))
  }

  close(): void {
    this.#timer?.cancel()
    this.#held = []
    this.#heldBytes = 0
    this.#outbox = []
    this.#outboxBytes = 0
  }

  #accept(audio: Uint8Array): void {
    if (audio.length === 0) return
    this.#held.push(audio)
    this.#heldBytes += audio.length
    this.#acceptedBytes += audio.length
    const full = msToBytes(this.#format, this.#framing.minMs)
    if (this.#heldBytes >= full) this.#frame()
    this.#send()
  }

  #mark(): void {
    const writtenMs = bytesToMs(this.#format, this.#writtenBytes)
    this.#marks.push({ providerMs: this.positionMs, writtenMs })
    if (this.#marks.length > MARKS) this.#marks.shift()
  }

  /** The held bytes as frames, none shorter than the least. */
  #frame(): void {
    if (this.#heldBytes === 0) return
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    const most = msToBytes(this.#format, this.#framing.maxMs)
    const parts = Math.ceil(all.length / most)
    for (let part = 0; part < parts; part++) {
      const from = this.#sampleAt(all.length, part / parts)
      const frame = all.subarray(from, this.#sampleAt(all.length, (part + 1) / parts))
      this.#outbox.push(frame)
      this.#outboxBytes += frame.length
    }
  }

  #sampleAt(bytes: number, share: number): number {
    const size = this.#format.encoding === 'pcm16' ? 2 : 1
    return Math.round((bytes / size) * share) * size
  }

  #send(): void {
    if (this.#timer) return
    this.#earn()
    while (this.#outbox.length > 0) {
      const next = this.#outbox[0]!
      if (next instanceof Uint8Array) {
        const waitMs = this.#waitMs(next)
        if (waitMs > 0) return this.#later(waitMs)
        this.#outboxBytes -= next.length
        this.#framesSent++
        const { envelope } = this.#framing
        if (envelope) this.#socket.sendText(envelope(next))
        else this.#socket.sendBinary(next)
      } else {
        this.#socket.sendText(next.text)
        next.sent()
      }
      this.#outbox.shift()
      this.#lastSentAt = this.#clock.now()
    }
  }

  #later(ms: number): void {
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined
      this.#send()
    })
  }

  #earn(): void {
    const { pace } = this.#framing
    if (!pace) return
    const now = this.#clock.now()
    this.#creditMs = Math.min(pace.burstMs, this.#creditMs + (now - this.#creditAt) * pace.speed)
    this.#creditAt = now
  }

  /** How long a frame must wait; takes its cost when it need not. */
  #waitMs(frame: Uint8Array): number {
    const { pace } = this.#framing
    if (!pace) return 0
    const ms = bytesToMs(this.#format, frame.length)
    const missing = ms - this.#creditMs
    // A hair's breadth of rounding is no reason to wait again.
    if (missing > 1e-6) return missing / pace.speed
    this.#creditMs -= ms
    return 0
  }
}
