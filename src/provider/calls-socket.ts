/**
 * Recognisers that have no word for "answer now" but the end of a call, as a socket that `recognition.ts` speaks through. A
 * call lasts as long as somebody speaks, its end is asked for, and the next audio begins another. Calls of one stream
 * answer in their order, whichever is quicker.
 *
 *     audio … force ─► [call: config, audio …, end] ─► results, ended ─► covered
 *             audio … keep ─► [call …]
 */
import { type AudioFormat, bytesToMs } from '../audio/format.ts'
import { Channel } from '../channel.ts'
import type { Clock } from '../clock.ts'
import type { Word } from '../stage/stt.ts'
import type { Rpc, RpcCall, RpcFault } from './call.ts'
import { objectOf } from './message.ts'
import type { Notice, Protocol } from './protocol.ts'
import type { Socket, SocketClose } from './socket.ts'

/** 24,000 bytes of the longest kind; 25,600 are taken. How fast a replay may go is not said: a guess. */
const FRAMING = { minMs: 0, maxMs: 500, pace: { speed: 4, burstMs: 2_000 } }
export const REPLAY_SPEED = FRAMING.pace.speed
const FORCE = 'force'
/** A call without audio is ended before the provider does it; Google does, some ten seconds later. */
const KEEP = { message: 'keep', everyMs: 4_000 }
/** A minute before Google ends a call; others give more. */
const CALL_MS = 240_000
const IDLE_LIMIT_MS = 60_000
const GRACE_MS = 450
/** What an end and a fault are to a socket's reader; the reason of a fault is itself, as JSON. */
const ENDED = 1000
const FAULT = 4000

export interface Result {
  readonly text: string
  readonly isFinal: boolean
  /** Since the call's first byte. */
  readonly endMs: number
  readonly words: readonly Word[]
  readonly confidence: number | undefined
  readonly language: string | undefined
}

export interface Recognised {
  readonly results: readonly Result[]
  /** Of the voice activity that ended. */
  readonly speechEndMs: number | undefined
}

/** `read`: a response of the provider's; throws `Malformed`. */
export function callsProtocol(provider: string, read: (response: unknown) => Recognised): Protocol {
  let settledMs = 0
  return {
    framing: FRAMING,
    force: FORCE,
    keepAlive: KEEP,
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    // A call that was ended answers.
    unanswered: () => 'wait',
    hear(json) {
      const { fromMs, toMs, response } = objectOf(json, provider)
      if (typeof toMs === 'number') return [{ type: 'covered', toMs }]
      const from = typeof fromMs === 'number' ? fromMs : 0
      const { results, speechEndMs } = read(response)
      const notices: Notice[] = []
      for (const { text, isFinal, endMs, words, confidence, language } of results.filter(
        (one) => one.isFinal,
      )) {
        const timed = words.map((word) => ({
          text: word.text,
          startMs: from + word.startMs,
          endMs: from + word.endMs,
        }))
        // Said twice, it begins where it began.
        const startMs = timed[0]?.startMs ?? Math.max(from, settledMs)
        settledMs = Math.max(settledMs, from + endMs)
        notices.push({
          type: 'segment',
          segment: {
            startMs,
            endMs: timed.at(-1)?.endMs ?? from + endMs,
            text,
            settled: isFinal,
            ...(timed.length > 0 && { words: timed }),
            ...(confidence !== undefined && { confidence }),
            ...(language !== undefined && { language }),
          },
        })
      }
      // The first of them is the surer one; together they are all that is not settled.
      const open = results.filter((one) => !one.isFinal && one.text !== '')
      const [first] = open
      if (first) {
        const startMs = Math.max(from, settledMs)
        const endMs = Math.max(startMs, ...open.map((one) => from + one.endMs))
        const text = open.map((one) => one.text).join(' ')
        notices.push({ type: 'segment', segment: { startMs, endMs, text, settled: false } })
      }
      if (speechEndMs !== undefined) notices.push({ type: 'endOfTurn', middleMs: from + speechEndMs })
      return notices
    },
    closed: ({ code, reason }) => {
      if (code !== FAULT) return { kind: 'transient', message: 'the call was ended by the other side' }
      const fault = JSON.parse(reason) as RpcFault
      return fault
    },
  }
}

/** One call, from its first audio to its last result. */
interface Leg {
  readonly fromMs: number
  readonly begunAt: number
  call: RpcCall | undefined
  /** Where its audio ends; undefined: it goes on. */
  toMs: number | undefined
  readonly unread: string[]
  over: boolean
}

export interface CallsOptions {
  readonly rpc: Rpc
  /** The first message of every call. */
  readonly config: object
  readonly format: AudioFormat
  readonly clock: Clock
}

/** Unread results: what a reader leaves is bounded by the recognition, which reads always. */
const UNREAD = 1_024

export class CallsSocket implements Socket {
  readonly messages: AsyncIterable<string>
  readonly closed: Promise<SocketClose>
  readonly #options: CallsOptions
  readonly #read = new Channel<string>({ capacity: UNREAD })
  /** Oldest first; audio goes into the last one, unless it was ended. */
  readonly #legs: Leg[] = []
  #bytes = 0
  #waitingBytes = 0
  #isClosed = false
  #tellClosed: (close: SocketClose) => void = () => {}

  constructor(options: CallsOptions) {
    this.#options = options
    this.messages = this.#read
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve
    })
  }

  get bufferedAmount(): number {
    return this.#waitingBytes
  }

  sendBinary(audio: Uint8Array): void {
    if (this.#isClosed) return
    const last = this.#open
    if (last && this.#options.clock.now() - last.begunAt >= CALL_MS) this.#endLeg(last)
    const leg = this.#open ?? this.#begin()
    this.#bytes += audio.length
    this.#waitingBytes += audio.length
    leg.call?.write({ audio }, () => {
      this.#waitingBytes -= audio.length
    })
  }

  /** `force` or `keep`: either way the call is ended, and another begun by the next audio. */
  sendText(text: string): void {
    if (this.#isClosed) return
    const leg = this.#open
    if (leg) this.#endLeg(leg)
    else if (text === FORCE && this.#legs.length === 0) this.#tell({ toMs: this.#atMs })
  }

  close(code = ENDED): void {
    this.#over({ code, reason: '' })
  }

  terminate(): void {
    this.#over({ code: 1006, reason: '' })
  }

  get #open(): Leg | undefined {
    const last = this.#legs.at(-1)
    return last && last.toMs === undefined ? last : undefined
  }

  get #atMs(): number {
    return bytesToMs(this.#options.format, this.#bytes)
  }

  #begin(): Leg {
    const { rpc, config, clock } = this.#options
    const leg: Leg = {
      fromMs: this.#atMs,
      begunAt: clock.now(),
      call: undefined,
      toMs: undefined,
      unread: [],
      over: false,
    }
    this.#legs.push(leg)
    leg.call = rpc.call({
      message: (response) => {
        const message = JSON.stringify({ fromMs: leg.fromMs, response })
        if (leg === this.#legs[0]) this.#say(message)
        else if (leg.unread.length < UNREAD) leg.unread.push(message)
        else this.#over({ code: ENDED, reason: '' })
      },
      ended: () => this.#ended(leg),
      failed: (fault: RpcFault) => this.#over({ code: FAULT, reason: JSON.stringify(fault) }),
    })
    leg.call.write(config, () => {})
    return leg
  }

  #endLeg(leg: Leg): void {
    leg.toMs = this.#atMs
    leg.call?.end()
  }

  #ended(leg: Leg): void {
    leg.over = true
    // Not by us.
    if (leg.toMs === undefined) return this.#over({ code: ENDED, reason: '' })
    while (this.#legs[0]?.over) {
      this.#tell({ toMs: this.#legs.shift()!.toMs })
      for (const message of this.#legs[0]?.unread.splice(0) ?? []) this.#say(message)
    }
  }

  #tell(message: object): void {
    this.#say(JSON.stringify(message))
  }

  #say(message: string): void {
    if (!this.#isClosed && !this.#read.push(message)) this.#over({ code: ENDED, reason: '' })
  }

  #over(close: SocketClose): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const leg of this.#legs.splice(0)) leg.call?.cancel()
    this.#read.close()
    this.#tellClosed(close)
  }
}
