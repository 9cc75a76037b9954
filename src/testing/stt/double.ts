/**
 * What the doubles of recognisers share: a script that is data, faults by their common names, messages that go out
 * after a delay on the injected clock, and a record of what the client did.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { bytesToMs } from '../../audio/format.ts'
import { type Clock, realClock, type Timer } from '../../clock.ts'
import type { SocketClose } from '../../provider/socket.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import type { Double, ProviderEntry } from '../double.ts'

export const FAKE_KEY = 'fake-key-0123456789'

/** Where in the audio it receives the double "hears" a word. */
export interface HeardWord {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
  /** How sure the double is that the turn is over after it, 0…1; left out: it is not. */
  readonly endsTurn?: number
  /** Left out: English, where the double says any. */
  readonly language?: string
}

export type ScriptStep =
  | { readonly atAudioMs: number; readonly send: string | object; readonly afterMs?: number }
  /** By the `type` of a text message; once. */
  | { readonly onMessage: string; readonly send: string | object; readonly afterMs?: number }

export type SttFaultName =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'hang_on_connect'
  | 'drop_mid_stream'
  | 'silent_after_ms'
  | 'slow_drip'
  | 'close_clean_early'
  | 'malformed_json'
  | 'error_without_context'
  | 'late_after_cancel'
  | 'duplicate_final'
  | 'no_final'
  | 'wrong_sample_rate'
  | 'refuse_503'
  /** From the opening, or from `faultAtMs` on, nothing is said. */
  | 'accept_then_silence'
  /** As that, but for messages that mean nothing. */
  | 'keep_alives_only'

/** Read anew at each message: a script may be an object that changes with what it hears. */
export interface SttScript {
  readonly words?: readonly HeardWord[]
  /** Told all audio before any word of it is looked for. */
  hear?(bytes: Uint8Array, format: AudioFormat): void
  readonly steps?: readonly ScriptStep[]
  /** From what is heard to what is said of it. */
  readonly answerMs?: number
  readonly fault?: SttFaultName | undefined
  /** The audio at which the fault strikes. */
  readonly faultAtMs?: number
}

/** What one client did. */
export interface SttSessionRecord {
  readonly url: URL
  /** Text messages by type, in order. */
  readonly messages: string[]
  /** Lengths of the audio frames. */
  readonly framesMs: number[]
  audioMs: number
  /** Of that, made up by the client; where the double counts it. */
  silentMs: number
  /** What the double held against it. */
  readonly mistakes: string[]
  closed?: SocketClose
}

export interface SttDoubleOptions {
  /** Left out: the real one. */
  readonly clock?: Clock
  readonly script?: SttScript
  /** Another script for each session. */
  readonly scriptOf?: () => SttScript
  /** Of every session; left out: as its script says. */
  readonly fault?: SttFaultName
  /** The key it takes. */
  readonly key?: string
}

export interface SttDouble extends Double {
  readonly server: DoubleServer
  readonly sessions: readonly SttSessionRecord[]
}

/** What a session goes by. */
export interface SttDirections {
  readonly script: SttScript
  readonly clock: Clock
}

/** One upgrade, and what the double was told to make of it. */
export interface SttUpgrade extends DoubleRequest, SttDirections {
  readonly key: string
}

/** Refused, or heard. */
export type SttAnswer =
  | Exclude<DoubleAnswer, 'hang' | ((peer: DoublePeer) => DoubleTalk)>
  | ((peer: DoublePeer, record: SttSessionRecord) => DoubleTalk)

/** The script of the next session. */
export function nextScript({ scriptOf, script = {}, fault }: SttDoubleOptions): SttScript {
  const next = scriptOf?.() ?? script
  return fault === undefined ? next : { ...next, fault }
}

/** A double of a WebSocket: what is the same for all recognisers, around what `answer` says to an upgrade. */
export function sttDouble(
  options: SttDoubleOptions,
  entryAt: (url: string, key: string) => ProviderEntry,
  answer: (upgrade: SttUpgrade) => SttAnswer,
): SttDouble {
  const { clock = realClock, key = FAKE_KEY } = options
  const sessions: SttSessionRecord[] = []
  return {
    sessions,
    server(request) {
      const script = nextScript(options)
      const refusal = refusalBy(script.fault)
      if (refusal) return refusal
      const hearing = answer({ ...request, script, clock, key })
      if (typeof hearing !== 'function') return hearing
      return (peer) => hearing(peer, recordIn(sessions, request.url))
    },
    get mistakes() {
      return mistakesIn(sessions)
    },
    settingsAt: (url) => entryAt(url, key),
  }
}

/** The record of a session that begins. */
export function recordIn(sessions: SttSessionRecord[], url: URL): SttSessionRecord {
  const record = { url, messages: [], framesMs: [], audioMs: 0, silentMs: 0, mistakes: [] }
  sessions.push(record)
  return record
}

export function mistakesIn(sessions: readonly SttSessionRecord[]): string[] {
  return sessions.flatMap(({ mistakes }) => mistakes)
}

/** Answers to an upgrade that are faults; undefined when there is none. */
export function refusalBy(fault: SttFaultName | undefined): DoubleAnswer | undefined {
  if (fault === 'hang_on_connect') return 'hang'
  if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' } }
  if (fault === 'refuse_quota') return { status: 402 }
  if (fault === 'refuse_503') return { status: 503 }
  return undefined
}

/** Words of the script, from the `next`-th on, that have been spoken at least half. */
export function saidBy(audioMs: number, { words = [] }: SttScript, next: number): HeardWord[] {
  return words.slice(next).filter(({ startMs, endMs }) => (startMs + endMs) / 2 < audioMs)
}

const SLOW_DRIP_MS = 4_000
const KEEP_ALIVE_MS = 1_000

/** The double's mouth: delays, faults and what is left when the connection is gone. */
export class Outlet {
  readonly #timers = new Set<Timer>()
  #silent = false
  #steps: ScriptStep[]
  #struck = false
  #aliveAt = 0

  constructor(
    readonly peer: DoublePeer,
    readonly record: SttSessionRecord,
    private readonly clock: Clock,
    private readonly script: SttScript,
    private readonly format: AudioFormat,
    /** What the provider may send that means nothing. */
    private readonly keepAlive: object,
    /** Audio of the script that sessions before this one heard. */
    private readonly fromMs = 0,
  ) {
    this.#steps = (script.steps ?? []).filter(
      (step) => fromMs === 0 || !('atAudioMs' in step) || step.atAudioMs > fromMs,
    )
    if ((script.faultAtMs ?? 0) <= fromMs) this.#fallSilent()
  }

  #fallSilent(): void {
    const { fault } = this.script
    if (fault !== 'accept_then_silence' && fault !== 'keep_alives_only') return
    this.#silent = true
    if (fault === 'keep_alives_only') this.#beat()
  }

  #beat(): void {
    this.later(KEEP_ALIVE_MS, () => {
      this.peer.send(JSON.stringify(this.keepAlive))
      this.#beat()
    })
  }

  later(ms: number, act: () => void): void {
    if (ms <= 0) return act()
    const timer = this.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      act()
    })
    this.#timers.add(timer)
  }

  /** The client gave a sign of life. */
  alive(): void {
    this.#aliveAt = this.clock.now()
  }

  /** `end` happens once it has given none for so long, from now on. */
  whenSilentFor(ms: number, end: () => void): void {
    this.alive()
    const look = () => {
      const leftMs = this.#aliveAt + ms - this.clock.now()
      if (leftMs <= 0) end()
      else this.later(leftMs, look)
    }
    look()
  }

  /** An answer, after its delay. */
  say(message: object, kind: 'final' | 'other' = 'other'): void {
    const { fault, answerMs = 0 } = this.script
    if (kind === 'final' && fault === 'no_final') return
    this.later(fault === 'slow_drip' ? SLOW_DRIP_MS : answerMs, () => {
      this.sendNow(message)
      if (kind === 'final' && fault === 'duplicate_final') this.sendNow(message)
    })
  }

  sendNow(message: string | object): void {
    if (!this.#silent) this.peer.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** The client did something wrong. */
  refuse(mistake: string, code: number, reason: string): void {
    this.record.mistakes.push(mistake)
    this.peer.close(code, reason)
  }

  /** Counts audio; what the script has for that moment happens. `error` is the provider's own way to fail. */
  heard(bytes: Uint8Array, error: () => void): void {
    const { record, script } = this
    const ms = bytesToMs(this.format, bytes.length)
    record.framesMs.push(ms)
    record.audioMs += ms
    const atMs = this.fromMs + record.audioMs
    script.hear?.(bytes, this.format)
    this.#steps = this.#steps.filter((step) => {
      if (!('atAudioMs' in step) || step.atAudioMs > atMs) return true
      this.later(step.afterMs ?? 0, () => this.sendNow(step.send))
      return false
    })
    if (this.#struck || script.fault === undefined || atMs < (script.faultAtMs ?? 0)) return
    this.#struck = true
    if (!this.#silent) this.#fallSilent()
    if (script.fault === 'drop_mid_stream') this.peer.drop()
    else if (script.fault === 'close_clean_early') this.peer.close(1000)
    else if (script.fault === 'silent_after_ms') this.#silent = true
    else if (script.fault === 'malformed_json') this.sendNow('{"type":')
    else if (script.fault === 'error_without_context') error()
  }

  heardMessage(type: string): void {
    this.record.messages.push(type)
    const at = this.#steps.findIndex((step) => 'onMessage' in step && step.onMessage === type)
    const [step] = at < 0 ? [] : this.#steps.splice(at, 1)
    if (step) this.later(step.afterMs ?? 0, () => this.sendNow(step.send))
  }

  gone(close: SocketClose): void {
    this.record.closed = close
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}

/** A text message's fields, or undefined when it is no JSON object with a `type`. */
export function fieldsOf(text: string): (Record<string, unknown> & { type: string }) | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && typeof value.type === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
