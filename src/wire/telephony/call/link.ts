/**
 * One media socket of a call: its messages checked, bounded and read; frames out with back-pressure; a time limit to `start`,
 * a ping now and then, and an end for every way it can end.
 *
 *     socket ─► size, rate ─► codec.read ─► Call            Call ─► writer (64 kB) ─► socket
 *                  └► a mistake, counted: too many close it
 */
import type { InputMeter } from '../../../access/input-rates.ts'
import type { Clock, Timer } from '../../../clock.ts'
import { type WireSocket, Writer } from '../../writer.ts'
import type { Bridge, BridgeCodec, BridgeEvents, CallStart, Frame } from '../bridge.ts'
import { BridgeMistake, BridgeRefused } from '../bridge.ts'
import { MAX_MESSAGE_BYTES } from '../bridges/message.ts'

export type MediaSocket = WireSocket<Frame>

/** What a link tells the call it belongs to. */
export interface LinkOwner extends Pick<BridgeEvents, 'audio' | 'digit' | 'marked'> {
  /** The link may be written to again. */
  ready(): void
  /** `stopped`: the call is over; `broken`: the socket is gone without a goodbye. */
  ended(link: Link, how: 'stopped' | 'broken'): void
}

/** Why a socket is closed by us, and with which code. docs/telephony.md has them. */
export const CLOSINGS = {
  over: [1000, 'call over'],
  replaced: [1000, 'replaced by a new stream of the call'],
  no_start: [1008, 'no start came'],
  unproved: [1008, 'the call did not prove itself'],
  mistakes: [1008, 'too many broken messages'],
  unserved: [1003, 'a start that cannot be served'],
  flood: [1008, 'more than a call may send'],
  slow_reader: [1008, 'the stream is not read'],
  too_large: [1009, 'a message is too large'],
  failed: [1011, 'the session failed'],
  full: [1013, 'no room for another call'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>
export type Closing = keyof typeof CLOSINGS

export interface LinkOptions {
  readonly bridge: Bridge
  readonly clock: Clock
  /** Of the upgrade. */
  readonly query?: Readonly<Record<string, string>>
  /** Whose call it is; throws nothing: a closing instead of an owner refuses it. */
  readonly begin: (link: Link, start: CallStart) => LinkOwner | Closing
  /** Bytes that come in are counted by it, from `start` on. */
  readonly meter?: (onExceeded: () => void) => InputMeter
  /** Never with anything of the caller's. */
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
  /** The link has ended, whoever ended it. */
  readonly onOver: () => void
}

/** Bridges send it with the first message; a person's patience is no measure here. */
const START_MS = 10_000
/** A bridge of another version sends some that we do not understand; one that sends nothing else is none. */
const MAX_MISTAKES = 20
const PING_MS = 20_000
const MAX_SILENT_PINGS = 3
const CLOSE_GRACE_MS = 5_000
/** What handling the smallest message costs, in bytes. */
const MIN_MESSAGE_BYTES = 512

export class Link implements BridgeEvents {
  readonly codec: BridgeCodec
  /** By what they were: nothing is quoted. */
  readonly mistakes = new Map<string, number>()
  readonly #socket: MediaSocket
  readonly #options: LinkOptions
  readonly #writer: Writer<Frame>
  #owner: LinkOwner | undefined
  #meter: InputMeter | undefined
  #start: Timer | undefined
  #ping: Timer | undefined
  #silentPings = 0
  #mistakesMade = 0
  #held = false
  #over = false

  constructor(socket: MediaSocket, options: LinkOptions) {
    const { bridge, clock, query } = options
    this.#socket = socket
    this.#options = options
    this.codec = bridge.open(query)
    this.#writer = new Writer<Frame>(socket, clock, () => this.close('slow_reader'))
    this.#start = clock.setTimer(START_MS, () => this.close('no_start'))
    this.#pingLater()
  }

  /** A message of the far side. Handled whole before it returns. */
  message(message: Buffer, kind: 'text' | 'binary'): void {
    if (this.#over) return
    this.#silentPings = 0
    this.#meter?.take(Math.max(message.length, MIN_MESSAGE_BYTES))
    if (this.#over) return
    if (message.length > MAX_MESSAGE_BYTES) return this.close('too_large')
    try {
      this.codec.read(message, kind, this)
    } catch (error) {
      if (error instanceof BridgeRefused) {
        this.#count(error.message)
        return this.close('unserved')
      }
      if (error instanceof BridgeMistake) return this.#mistake(error.message)
      this.#options.note('a telephone message failed', {
        bridge: this.#options.bridge.name,
        error: String(error),
      })
      this.close('failed')
    }
  }

  signOfLife(): void {
    this.#silentPings = 0
  }

  /** The socket is gone. `code`: as the far side closed it. */
  closed(code: number): void {
    const { goodbye } = this.#options.bridge.caps
    this.#end(goodbye === 'close' && (code === 1000 || code === 1005) ? 'stopped' : 'broken')
  }

  /** Whether a frame would go straight to the network. */
  get open(): boolean {
    return !this.#over && !this.#held && !this.#writer.blocked
  }

  send(frame: Frame): void {
    if (!this.#over) this.#writer.write(frame)
  }

  /** Says goodbye and closes. Its call is told nothing: it knows, or there is none. */
  close(closing: Closing): void {
    if (this.#over) return
    const owner = this.#owner
    const goodbye = this.codec.goodbye(closing === 'over' || closing === 'replaced' ? 'completed' : 'error')
    this.#writer.end(goodbye ?? undefined)
    this.#stop()
    const [code, reason] = CLOSINGS[closing]
    this.#socket.close(code, reason)
    const cut = this.#options.clock.setTimer(CLOSE_GRACE_MS, () => this.#socket.terminate())
    this.#cut = cut
    if (closing !== 'over' && closing !== 'replaced') {
      this.#options.note('a telephone stream was closed', {
        bridge: this.#options.bridge.name,
        closing,
        mistakes: Object.fromEntries(this.mistakes),
      })
      owner?.ended(this, 'stopped')
    }
  }

  #cut: Timer | undefined

  // -- BridgeEvents

  start(start: CallStart): void {
    if (this.#owner) return this.#mistake('a second start')
    this.#start?.cancel()
    const begun = this.#options.begin(this, start)
    if (typeof begun === 'string') return this.close(begun)
    this.#owner = begun
    this.#meter = this.#options.meter?.(() => this.close('flood'))
  }

  audio(bytes: Uint8Array, placeMs?: number): void {
    if (this.#owner) this.#owner.audio(bytes, placeMs)
    else this.#mistake('sound before the start')
  }

  digit(digit: string): void {
    if (this.#owner) this.#owner.digit(digit)
    else this.#mistake('a key before the start')
  }

  marked(name: string): void {
    this.#owner?.marked(name)
  }

  /** It was told to, and is believed to have. */
  cleared(): void {}

  flow(state: 'hold' | 'go'): void {
    this.#held = state === 'hold'
    if (!this.#held) this.#owner?.ready()
  }

  reply(frame: Frame): void {
    this.send(frame)
  }

  stop(): void {
    if (this.#over) return
    const owner = this.#owner
    this.close('over')
    owner?.ended(this, 'stopped')
  }

  complaint(code: string): void {
    const count = this.#count(`complaint: ${code.slice(0, 40)}`)
    if (count === 1)
      this.#options.note('a telephone bridge complains', {
        bridge: this.#options.bridge.name,
        code: code.slice(0, 40),
      })
  }

  /** Resolves when the network takes more, or the link has ended. A bridge that wants no more for now says `ready` to the owner. */
  room(): Promise<void> {
    return this.#held ? new Promise(() => {}) : this.#writer.ready()
  }

  #mistake(what: string): void {
    this.#count(what)
    if (++this.#mistakesMade >= MAX_MISTAKES) this.close('mistakes')
  }

  #count(what: string): number {
    const count = (this.mistakes.get(what) ?? 0) + 1
    // Complaints are worded by the far side.
    if (count > 1 || this.mistakes.size < 32) this.mistakes.set(what, count)
    return count
  }

  #end(how: 'stopped' | 'broken'): void {
    this.#cut?.cancel()
    if (this.#over) return
    const owner = this.#owner
    this.#writer.end()
    this.#stop()
    owner?.ended(this, how)
  }

  #stop(): void {
    this.#over = true
    this.#start?.cancel()
    this.#ping?.cancel()
    this.#meter?.close()
    this.#owner = undefined
    this.#options.onOver()
  }

  #pingLater(): void {
    this.#ping = this.#options.clock.setTimer(PING_MS, () => {
      if (this.#silentPings++ >= MAX_SILENT_PINGS) {
        this.#socket.terminate()
        return this.#end('broken')
      }
      this.#socket.ping()
      this.#pingLater()
    })
  }
}
