/**
 * A telephone behind a bridge, as a client of the server under test: it dials, speaks frame by frame, presses keys, plays what
 * it is sent at the pace of listening, and holds against the server whatever its bridge would. Its dialect is one of the files
 * beside this one.
 */
import { msToBytes } from '../../audio/format.ts'
import type { Clock, Timer } from '../../clock.ts'
import { Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { Dial, Line, LineClose, LineMessage } from './line.ts'
import { Mouth } from './mouth.ts'
import { Playback } from './playback.ts'
import type { PhoneAct, PhoneScript } from './script.ts'

export interface PhoneOptions {
  readonly clock: Clock
  readonly dialect: PhoneDialect
  readonly dial: Dial
  readonly url: string
  readonly call?: Partial<CallFacts>
  /** Of the upgrade, beside the dialect's own: a bearer, a password. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** `swapped`: each second frame overtakes the one before it. */
  readonly order?: 'kept' | 'swapped'
  /** How long after their moment marks come back. */
  readonly markDelayMs?: number
  /** Silence shorter than this between two sounds is an underrun; 400 left out. */
  readonly pauseMs?: number
}

/** What the server did. */
export interface PhoneRecord {
  /** What the bridge holds against it; empty: nothing. */
  readonly mistakes: string[]
  /** Kinds of its messages, in order. */
  readonly messages: string[]
  /** Lengths of its sound, a message each. */
  readonly soundMs: number[]
  /** Marks that were sent back, and when. */
  readonly marks: { readonly name: string; readonly atMs: number }[]
  /** When it had what was held thrown away. */
  readonly clears: number[]
  /** Each connection's end. */
  readonly closes: (LineClose & { readonly atMs: number })[]
  /** The subprotocol of each connection. */
  readonly protocols: string[]
}

const FACTS: CallFacts = { callId: 'CA-double-1', from: '+15005550001', to: '+15005550002', parameters: {} }

export class Phone {
  readonly playback: Playback
  readonly record: PhoneRecord = {
    mistakes: [],
    messages: [],
    soundMs: [],
    marks: [],
    clears: [],
    closes: [],
    protocols: [],
  }
  readonly #options: PhoneOptions
  readonly #mouth: Mouth
  readonly #timers = new Set<Timer>()
  #connection: Connection | undefined
  #streams = 0
  #late: LineMessage | undefined

  constructor(options: PhoneOptions) {
    this.#options = options
    const { clock, dialect } = options
    this.playback = new Playback({
      clock,
      format: dialect.outputFormat,
      ...dialect.holds,
      ...(options.pauseMs === undefined ? {} : { pauseMs: options.pauseMs }),
    })
    this.#mouth = new Mouth({
      clock,
      format: dialect.inputFormat,
      frameMs: dialect.frameMs,
      silence: dialect.silence,
      frame: (bytes, placeMs) => this.#frame(bytes, placeMs),
    })
  }

  /** `live`: connected, and the bridge has introduced the call. */
  get state(): 'idle' | 'dialling' | 'live' | 'over' {
    if (this.#connection) return this.#connection.live ? 'live' : 'dialling'
    return this.#streams === 0 ? 'idle' : 'over'
  }

  /** Dials; again, for the same call, when the connection is gone. */
  call(): void {
    if (this.#connection) throw new Error('the phone is off the hook already')
    const { dialect, dial, url, headers, call } = this.#options
    const facts = { ...FACTS, ...call }
    const wire = dialect.connect(facts, ++this.#streams)
    const address = dialect.address?.(url, facts) ?? url
    const connection: Connection = { wire, live: false, line: undefined }
    this.#connection = connection
    connection.line = dial(
      { url: address, headers: { ...dialect.headers(url), ...headers }, protocols: dialect.protocols },
      {
        open: (protocol) => this.#opened(connection, protocol),
        message: (message) => this.#hear(connection, message),
        closed: (close) => this.#closed(connection, close),
      },
    )
  }

  /** Calls, and does as it is told from then on. */
  play(script: PhoneScript): void {
    this.call()
    for (const act of script) this.#later(act.atMs, () => this.do(act))
  }

  do(act: PhoneAct): void {
    if ('say' in act) this.say(act.say)
    else if ('press' in act) this.press(act.press)
    else if ('drop' in act) this.drop()
    else if ('dial' in act) this.call()
    else if ('hangUp' in act) this.hangUp()
    else this.send(act.send)
  }

  /** Sound in the input format, after what is being said. */
  say(bytes: Uint8Array): void {
    this.#mouth.say(bytes)
  }

  press(digits: string): void {
    const wire = this.#connection?.wire
    for (const digit of digits)
      for (const each of wire?.digit(digit, this.#mouth.placeMs) ?? []) this.send(each)
  }

  /** As it is. */
  send(message: LineMessage): void {
    this.#connection?.line?.send(message)
  }

  /** The caller hangs up: the bridge says goodbye, if it does, and closes. */
  hangUp(): void {
    const { wire, line } = this.#connection ?? {}
    this.#mouth.close()
    for (const each of wire?.goodbye() ?? []) line?.send(each)
    line?.close(1000)
  }

  /** The connection breaks. What was held is lost. */
  drop(): void {
    this.#connection?.line?.drop()
  }

  #opened(connection: Connection, protocol: string): void {
    this.record.protocols.push(protocol)
    connection.wire.opened?.(this.#earOf(connection))
    for (const each of connection.wire.greeting()) this.send(each)
    connection.live = true
    this.#mouth.open()
  }

  #frame(bytes: Uint8Array, placeMs: number): void {
    const frame = this.#connection?.wire.sound(bytes, placeMs)
    if (frame === undefined) return
    if (this.#options.order !== 'swapped') return this.send(frame)
    if (this.#late === undefined) {
      this.#late = frame
      return
    }
    this.send(frame)
    this.send(this.#late)
    this.#late = undefined
  }

  #hear(connection: Connection, message: LineMessage): void {
    if (connection !== this.#connection) return
    try {
      connection.wire.hear(message, this.#earOf(connection))
    } catch (error) {
      if (!(error instanceof Unheard)) throw error
      this.record.mistakes.push(error.message)
    }
  }

  #earOf(connection: Connection): PhoneEar {
    const { record, playback } = this
    const { clock, dialect, markDelayMs = 0 } = this.#options
    const { outputFormat } = dialect
    const say = (messages: readonly LineMessage[]) => {
      if (connection === this.#connection) for (const each of messages) this.send(each)
    }
    const echo = (name: string) => {
      record.marks.push({ name, atMs: clock.now() })
      say(connection.wire.marked(name))
    }
    return {
      playback,
      kind: (name) => void record.messages.push(name),
      sound: (bytes) => {
        record.soundMs.push((bytes.length / msToBytes(outputFormat, 1_000)) * 1_000)
        playback.take(bytes)
      },
      mark: (name) => {
        const back = () => (markDelayMs > 0 ? this.#later(markDelayMs, () => echo(name)) : echo(name))
        playback.whenPlayed(back, dialect.marksOnClear === 'echoed' ? 'acts' : 'forgotten')
      },
      clear: () => {
        record.clears.push(clock.now())
        playback.clear()
        say(connection.wire.cleared())
      },
      hangUp: () => this.hangUp(),
      reply: (message) => say([message]),
      later: (ms, act) => this.#later(ms, act),
      mistake: (text) => void record.mistakes.push(text),
    }
  }

  #closed(connection: Connection, close: LineClose): void {
    if (connection !== this.#connection) return
    this.#connection = undefined
    connection.wire.closed?.()
    this.#late = undefined
    this.record.closes.push({ ...close, atMs: this.#options.clock.now() })
    this.#mouth.close()
    this.playback.abandon()
  }

  #later(ms: number, act: () => void): Timer {
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      act()
    })
    this.#timers.add(timer)
    return timer
  }

  /** Nothing of it is left: no connection, no timer. */
  smash(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.drop()
    this.#mouth.close()
    this.playback.abandon()
  }
}

interface Connection {
  readonly wire: PhoneWire
  live: boolean
  line: Line | undefined
}
