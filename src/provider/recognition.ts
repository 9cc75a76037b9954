/**
 * A recogniser's stream over a WebSocket: what is the same for every provider. What differs is a `Protocol`, which
 * is data and a pure reading of the messages.
 *
 *     write ─► AudioSender ─► socket ─► Protocol.hear ─► Utterances ─► events
 *
 * Never tries again and never logs. Whatever ends it says goodbye to the provider, and ends the connection a second
 * later if the provider does not.
 */
import type { AudioFormat } from '../audio/format.ts'
import { Channel } from '../channel.ts'
import type { Clock, Timer } from '../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { SttEvent, SttStream } from '../stage/stt.ts'
import { AudioSender } from './audio-sender.ts'
import { Malformed, type Notice, type Protocol, type Silence } from './protocol.ts'
import { Quiet } from './quiet.ts'
import type { Socket } from './socket.ts'
import { type Question, type Segment, Utterances } from './utterances.ts'

export interface RecognitionOptions {
  readonly provider: string
  readonly protocol: Protocol
  readonly socket: Socket
  readonly format: AudioFormat
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The last line of defence: a question without an answer. The session's own deadline is usually shorter. */
export const ANSWER_LIMIT_MS = 5_000
/** Before the provider's own end. */
const EXPIRY_MARGIN_MS = 30_000
/** From goodbye to the end of the connection. */
export const GOODBYE_MS = 1_000
const NORMAL_CLOSURE = 1000
/** Where nothing has to be kept alive, idleness is looked for that often. */
const IDLE_LOOK_MS = 10_000
/** Audio that may wait for the network or the provider's pace. */
const WAITING_LIMIT_MS = 60_000
const UNREAD_EVENTS = 256
const UNANSWERED_FORCES = 32
/** After the provider has ended a turn, so much more of its silence has no word in it: a finalize within it is answered at once. */
const QUIET_MS = 200

export class Recognition implements SttStream {
  readonly #options: RecognitionOptions
  readonly #events: Channel<SttEvent>
  readonly #sender: AudioSender
  readonly #utterances = new Utterances()
  readonly #quiet: Quiet
  /** Up to where the audio was when each was sent, oldest first; some are never answered. */
  #forces: number[] = []
  #forcedMs = 0
  /** The same with silence of ours, as the provider counts. */
  #forcedPositionMs = 0
  /** Silence of ours at the end of the audio. */
  #padded = { fromMs: 0, toMs: 0 }
  readonly #onAbort: () => void
  #becomeReady: { resolve(): void; reject(error: unknown): void } | undefined
  #ended = false
  #activeAt: number
  #expiring = false
  #watched: { question: object; since: number } | undefined
  #watchTimer: Timer | undefined
  #keepAliveTimer: Timer | undefined
  #expiryTimer: Timer | undefined
  /** Resolves when the provider said that it is ready; rejects with what ended the stream before. */
  readonly ready: Promise<void>

  constructor(options: RecognitionOptions) {
    const { socket, format, protocol, clock, signal } = options
    this.#options = options
    this.#events = new Channel({ capacity: UNREAD_EVENTS, signal })
    this.#sender = new AudioSender(socket, format, protocol.framing, clock)
    this.#quiet = new Quiet(format)
    this.#activeAt = clock.now()
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = { resolve, reject }
    })
    this.ready.catch(() => {})
    this.#onAbort = () => this.#end(signal.reason)
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (protocol.hello !== undefined) socket.sendText(protocol.hello)
    if (protocol.sessionLimitMs !== undefined) this.#expireIn(protocol.sessionLimitMs)
    this.#keepAlive()
    void this.#read()
  }

  write(audio: Uint8Array): void {
    if (this.#ended || audio.length === 0) return
    this.#activeAt = this.#options.clock.now()
    this.#sender.write(audio)
    this.#quiet.write(audio)
    if (this.#sender.waitingMs > WAITING_LIMIT_MS)
      this.fail('transient', 'the provider does not take the audio')
  }

  preview(): void {
    if (this.#options.protocol.previews !== 'forced') return
    this.#ask('preview')
    this.#quiet.preview()
  }

  finalize(): void {
    if (!this.#ended && this.#quiet.sincePreview && this.#standsPreviewed()) return this.#quiet.begin()
    this.#ask('final')
    this.#quiet.begin()
  }

  discard(): void {
    if (this.#ended) return
    this.#sender.fill()
    this.#quiet.begin()
    if (this.#utterances.discard(this.#writtenToMs)) this.#force()
    this.#settle([])
  }

  async close(): Promise<void> {
    this.#events.close()
    this.#end(new ProviderError(this.#facts('cancelled', 'the stream was closed')))
    await this.#options.socket.closed
  }

  [Symbol.asyncIterator](): AsyncIterator<SttEvent> {
    return this.#events
  }

  /** The stream broke: readers get what they have not read, then the error. */
  fail(kind: ProviderErrorKind, message: string, retryAfterMs?: number): void {
    if (this.#ended) return
    const after = retryAfterMs === undefined ? {} : { retryAfterMs }
    const error = new ProviderError({ ...this.#facts(kind, message), ...after })
    this.#events.fail(error)
    this.#end(error)
  }

  #facts(kind: ProviderErrorKind, message: string) {
    return { provider: this.#options.provider, stage: 'stt', kind, message } as const
  }

  #ask(question: Question): void {
    if (this.#ended) return
    this.#activeAt = this.#options.clock.now()
    this.#sender.fill()
    if (this.#utterances.ask(question, this.#writtenToMs)) this.#force()
    this.#settle(this.#utterances.drain())
  }

  /** The words of the preview are the final ones, without another question. False when they may not be. */
  #standsPreviewed(): boolean {
    const { clock, protocol } = this.#options
    this.#activeAt = clock.now()
    this.#sender.fill()
    const atMs = this.#writtenToMs
    const silentMs = this.#utterances.askSilent(atMs)
    if (silentMs === undefined) return false
    protocol.silent?.(silentMs, atMs)
    this.#settle(this.#utterances.drain())
    return true
  }

  #force(): void {
    const { protocol } = this.#options
    const { force, forceLeastMs = 0 } = protocol
    const atMs = this.#writtenToMs
    // Twice for the same audio, it would have nothing to say to the second.
    if (atMs <= this.#forcedMs) return
    this.#forcedMs = atMs
    if (typeof force === 'object') return this.#fallSilent(force)
    const missingMs = this.#forcedPositionMs + forceLeastMs - this.#sender.positionMs
    if (missingMs > 0) this.#fallSilent({ silenceMs: missingMs })
    this.#forcedPositionMs = this.#sender.positionMs
    // An end of turn that comes before it was sent is no answer to it.
    this.#sender.send(typeof force === 'string' ? force : force(this.#sender.positionMs), () => {
      this.#forces.push(atMs)
      if (this.#forces.length > UNANSWERED_FORCES) this.#forces.shift()
      protocol.forceSent?.(atMs)
    })
  }

  #fallSilent({ silenceMs }: Silence): void {
    const fromMs = this.#writtenToMs
    this.#sender.pad(silenceMs)
    this.#sender.fill()
    this.#padded = { fromMs, toMs: this.#sender.positionMs }
  }

  /** The end of the audio, without silence of ours. */
  get #writtenToMs(): number {
    const { positionMs } = this.#sender
    return positionMs === this.#padded.toMs ? this.#padded.fromMs : positionMs
  }

  async #read(): Promise<void> {
    const { socket, protocol } = this.#options
    for await (const message of socket.messages) {
      if (this.#ended) continue
      try {
        const notices = typeof message === 'string' ? protocol.hear(message) : []
        for (const notice of notices) this.#notice(notice)
      } catch (error) {
        this.fail('transient', error instanceof Malformed ? error.message : 'a message could not be read')
      }
    }
    const { kind, message, retryAfterMs } = protocol.closed(await socket.closed)
    this.fail(kind, message, retryAfterMs)
  }

  #notice(notice: Notice): void {
    if (this.#ended) return
    switch (notice.type) {
      case 'ready':
        return this.#becomeReady?.resolve()
      case 'segment':
        return this.#settle(
          this.#utterances.parted(notice.segment).flatMap((part) => this.#utterances.hear(this.#timed(part))),
        )
      case 'covered':
        return this.#settle(this.#utterances.cover(notice.toMs))
      case 'forced':
        return this.#forced(notice.middleMs)
      case 'endOfTurn':
        return this.#turnEnded(notice.middleMs)
      case 'eagerEnd': {
        const text = this.#utterances.spokenText()
        return this.#settle(text === '' ? [] : [{ type: 'eagerEnd', text }])
      }
      case 'resumed':
        return this.#settle([{ type: 'resumed' }])
      case 'expires':
        return this.#expireIn(notice.inMs)
      case 'failed':
        return this.fail(notice.kind, notice.message)
      default:
        notice satisfies never
    }
  }

  /** Words count from the first byte written. */
  #timed(segment: Segment): Segment {
    const { words: said, ...rest } = segment
    if (!said) return segment
    const words = said.map(({ text, startMs, endMs }) => ({
      text,
      startMs: this.#sender.writtenMs(startMs),
      endMs: this.#sender.writtenMs(endMs),
    }))
    return { words, ...rest }
  }

  /** Those before the one that is answered never will be. */
  #forced(middleMs?: number): void {
    const at = this.#forces.findIndex((atMs) => atMs > (middleMs ?? 0))
    const answered = this.#forces.splice(0, at + 1).at(-1)
    if (answered !== undefined) this.#settle(this.#utterances.cover(answered))
    else if (middleMs !== undefined) this.#turnEnded(middleMs)
  }

  #turnEnded(middleMs?: number): void {
    const text = this.#utterances.spokenText(middleMs)
    if (text === '') return
    const { protocol } = this.#options
    const answers =
      protocol.previews === 'unasked' ? this.#utterances.cover(this.#sender.sentMs + QUIET_MS) : []
    this.#settle([{ type: 'endOfTurn', text }, ...answers])
  }

  #settle(events: readonly SttEvent[]): void {
    for (const event of events) {
      const isLuxury = event.type === 'partial' && !event.complete
      if (isLuxury && this.#events.size > UNREAD_EVENTS / 2) continue
      if (!this.#events.push(event)) return this.fail('transient', 'nobody reads the recognition')
    }
    this.#watch()
    if (this.#expiring && this.#isIdle) this.fail('expired', 'the session comes to its end')
  }

  get #isIdle(): boolean {
    return this.#utterances.idleAt(this.#writtenToMs)
  }

  /** One timer for the oldest question. */
  #watch(): void {
    const waiting = this.#utterances.waiting
    if (waiting?.question === this.#watched?.question) return
    this.#watchTimer?.cancel()
    const since = this.#options.clock.now()
    this.#watched = waiting && { question: waiting.question, since }
    if (waiting) this.#lookLater()
  }

  #lookLater(): void {
    const { clock, protocol } = this.#options
    this.#watchTimer = clock.setTimer(protocol.graceMs, () => this.#look())
  }

  #look(): void {
    const { clock, protocol } = this.#options
    const waiting = this.#utterances.waiting
    const watched = this.#watched
    if (!waiting || !watched) return
    if (this.#sender.waitingMs > 0) {
      // Not even asked yet.
      watched.since = clock.now()
      return this.#lookLater()
    }
    const { atMs, fromMs, hasSettled, hasUnsettled } = waiting
    const uncoveredMs = atMs - Math.max(fromMs, this.#utterances.coveredMs)
    const waitedMs = clock.now() - watched.since
    const { framesSent } = this.#sender
    const question = { waitedMs, atMs, uncoveredMs, hasSettled, hasUnsettled, framesSent }
    if (protocol.unanswered(question) === 'answer') {
      return this.#settle(this.#utterances.cover(atMs))
    }
    if (waitedMs >= ANSWER_LIMIT_MS) return this.fail('timeout', 'no final came')
    this.#lookLater()
  }

  #keepAlive(): void {
    const { clock, protocol } = this.#options
    const { keepAlive, idleLimitMs } = protocol
    // A timer that is due within a rounding of now would be due again for ever.
    const dueMs = keepAlive
      ? Math.max(1, this.#sender.lastSentAt + keepAlive.everyMs - clock.now())
      : IDLE_LOOK_MS
    this.#keepAliveTimer = clock.setTimer(dueMs, () => {
      if (this.#isIdle && clock.now() - this.#activeAt >= idleLimitMs) {
        return this.fail('expired', 'nothing was said for a long time')
      }
      if (keepAlive && clock.now() - this.#sender.lastSentAt >= keepAlive.everyMs) {
        const { message, primeMs = 0 } = keepAlive
        if (typeof message !== 'string') this.#fallSilent(message)
        else if (primeMs > 0 && this.#sender.positionMs === 0) {
          this.#sender.pad(primeMs)
          this.#utterances.skipTo(this.#sender.positionMs)
        } else this.#sender.sendNow(message)
      }
      this.#keepAlive()
    })
  }

  #expireIn(ms: number): void {
    this.#expiryTimer?.cancel()
    this.#expiryTimer = this.#options.clock.setTimer(ms - EXPIRY_MARGIN_MS, () => {
      this.#expiring = true
      this.#settle([])
    })
  }

  #end(reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const { socket, signal, clock, protocol } = this.#options
    signal.removeEventListener('abort', this.#onAbort)
    for (const timer of [this.#watchTimer, this.#keepAliveTimer, this.#expiryTimer]) timer?.cancel()
    this.#becomeReady?.reject(reason)
    this.#sender.close()
    const { goodbye } = protocol
    if (goodbye === undefined) socket.close(NORMAL_CLOSURE)
    else socket.sendText(typeof goodbye === 'string' ? goodbye : goodbye(this.#sender.framesSent))
    const timer = clock.setTimer(GOODBYE_MS, () => socket.terminate())
    void socket.closed.then(() => timer.cancel())
  }
}
