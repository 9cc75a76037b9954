/**
 * A call on the virtual clock: one session on stages that do as they are told, a caller who speaks and is silent in
 * 20 ms frames, a wire that takes outputs at its own pace, and a loudspeaker at the far side.
 */

import type { Hedge } from '../../src/attempt/hedge.ts'
import type { Lineup, Router } from '../../src/attempt/lineup.ts'
import { loadAudio } from '../../src/audio/convert.ts'
import { type AudioFormat, msToBytes } from '../../src/audio/format.ts'
import type { Rung } from '../../src/budget/ladder.ts'
import { listenersOf } from '../../src/cancel.ts'
import { delay, settled, VirtualClock } from '../../src/clock.ts'
import type { ExperimentBook } from '../../src/experiment/book.ts'
import type { EndOfTurn } from '../../src/listen/end-of-turn.ts'
import type { Vad } from '../../src/listen/vad.ts'
import { PacerGroup } from '../../src/playout/pacer-group.ts'
import type { ClientEvent, ResponseRequest } from '../../src/session/client.ts'
import type { HostedSession } from '../../src/session/host.ts'
import { LiveSession, type LiveSessionOptions } from '../../src/session/live-session.ts'
import type { SessionOutput } from '../../src/session/output.ts'
import type { WireCaps } from '../../src/session/session.ts'
import type { SessionSettings } from '../../src/session/settings.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { ServerTools } from '../../src/stage/tools.ts'
import type { TtsAdapter } from '../../src/stage/tts.ts'
import { Metrics } from '../../src/trace/metrics.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { memoryTurnStore, type TurnStore } from '../../src/trace/turn-store.ts'
import { FakeVad } from '../support/fake-vad.ts'
import { FakeLlm, FakeStt, FakeTts, fixedRouter, sound } from '../support/stages.ts'
import { Listener } from './listener.ts'
import { SETTINGS } from './story.ts'

/** As OpenAI's wire: everything at once, nothing is reported back. */
export const UNPACED: WireCaps = { leadMs: null, ownsOutput: false, reportsPlayed: false }
/** As WebRTC: the server keeps the time. */
export const PACED: WireCaps = { leadMs: 200, ownsOutput: false, reportsPlayed: false }
/** As a telephone bridge: the server keeps the time and can clear what the bridge holds. */
export const BRIDGE: WireCaps = { leadMs: 200, ownsOutput: true, reportsPlayed: false }

export interface CallOptions {
  readonly settings?: Partial<SessionSettings>
  readonly caps?: WireCaps
  readonly greeting?: string
  readonly clientMay?: readonly string[]
  readonly stt?: FakeStt
  readonly llm?: LlmAdapter
  readonly tts?: TtsAdapter
  /** Second in line at their stage. */
  readonly spare?: { readonly stt?: FakeStt; readonly llm?: LlmAdapter; readonly tts?: TtsAdapter }
  /** The model's second in line is asked too when the first is late. */
  readonly hedge?: Hedge
  readonly ladder?: readonly Rung[]
  readonly tools?: ServerTools
  /** Phrases that are ready to be said, by how long they play. */
  readonly phrases?: Readonly<Record<string, number>>
  /** Instead of a router without rules. */
  readonly router?: (lineup: Lineup, clock: VirtualClock) => Router
  readonly vad?: Vad
  readonly endOfTurn?: EndOfTurn
  /** `never` reads nothing; a number waits so many ms after each output. */
  readonly reader?: 'fast' | 'never' | number
  readonly clock?: VirtualClock
  readonly pacers?: PacerGroup
  readonly turns?: TurnStore
  readonly metrics?: Metrics
  readonly experiments?: ExperimentBook
  /** Instead of `new LiveSession`. */
  readonly begin?: (options: LiveSessionOptions) => HostedSession
}

export interface Taken {
  readonly at: number
  readonly output: SessionOutput
}

type Kind = SessionOutput['type']
type Of<K extends Kind> = Extract<SessionOutput, { type: K }>

export const FRAME_MS = 20

export class Call {
  readonly clock: VirtualClock
  readonly session: HostedSession
  readonly stt: FakeStt
  readonly llm: FakeLlm
  readonly tts: FakeTts
  readonly turns: TurnStore
  readonly pacers: PacerGroup
  readonly listener: Listener
  readonly taken: Taken[] = []
  /** Clock time at which the caller last made a sound. */
  spokeUntil = 0
  outputsEnded = false
  closed = 0
  /** How a loudspeaker hears of an interruption: on the event, as Realtime clients do, or on the bridge's clear. */
  readonly #caps: WireCaps
  readonly #iterator: AsyncIterator<SessionOutput>
  #signal: AbortSignal | undefined
  #refs = 0

  static async open(options: CallOptions = {}): Promise<Call> {
    await loadAudio()
    const call = new Call(options)
    await settled()
    return call
  }

  private constructor(options: CallOptions) {
    const { clock = new VirtualClock(), caps = UNPACED, reader = 'fast', vad = new FakeVad() } = options
    this.clock = clock
    this.#caps = caps
    this.stt = options.stt ?? new FakeStt()
    this.llm = (options.llm ?? new FakeLlm()) as FakeLlm
    this.tts = (options.tts ?? new FakeTts()) as FakeTts
    this.turns = options.turns ?? memoryTurnStore(10_000)
    this.pacers = options.pacers ?? new PacerGroup(clock)
    const settings = { ...SETTINGS, ...options.settings }
    this.listener = new Listener(settings.outputFormat)
    const facts = { provider: 'fake', route: 'any' }
    const lineup: Lineup = {
      stt: [{ adapter: this.stt, model: 'stt', ...facts }, ...spared(options.spare?.stt)],
      llm: [{ adapter: this.llm, model: 'llm', ...facts }, ...spared(options.spare?.llm)],
      tts: [{ adapter: this.tts, model: 'tts', ...facts }, ...spared(options.spare?.tts)],
      llmHedge: options.hedge ?? null,
      voice: (name, provider) => `${provider}-${name}`,
    }
    const begin = options.begin ?? ((given) => new LiveSession(given))
    this.session = begin({
      id: 'sess_0123456789abcdef',
      settings,
      greeting: options.greeting ?? null,
      origin: { wire: 'test', caps, pipeline: null, key: null, metadata: {}, user: null },
      clientMay: options.clientMay ?? ['instructions', 'voice', 'tools'],
      router: options.router?.(lineup, clock) ?? fixedRouter(lineup, clock, options.phrases),
      ladder: options.ladder ?? [],
      ...(options.tools ? { tools: options.tools } : {}),
      clock,
      vad: {
        ...(options.endOfTurn ? { endOfTurn: options.endOfTurn } : {}),
        open: (o) => {
          this.#signal = o.signal
          return vad.open(o)
        },
      },
      pacers: this.pacers,
      book: {
        pipeline: 'test',
        turnMs: 1500,
        turns: this.turns,
        metrics: options.metrics ?? new Metrics(),
        ...(options.experiments ? { experiments: options.experiments } : {}),
      },
      onClosed: () => {
        this.closed++
        options.experiments?.closed(this.session.id)
      },
    })
    this.#iterator = this.session.outputs[Symbol.asyncIterator]()
    if (reader === 'fast') void this.#read(0)
    else if (typeof reader === 'number') void this.#read(reader)
  }

  async #read(pauseMs: number): Promise<void> {
    while (await this.take()) if (pauseMs > 0) await delay(this.clock, pauseMs)
  }

  /** The wire takes one output; false at the end. */
  async take(): Promise<boolean> {
    const { value, done } = await this.#iterator.next()
    if (done) {
      this.outputsEnded = true
      return false
    }
    this.#took(value)
    return true
  }

  #took(output: SessionOutput): void {
    const now = this.clock.now()
    this.taken.push({ at: now, output })
    if (output.type === 'answerAudio') this.listener.hears(output, now)
    const clears = this.#caps.ownsOutput ? 'outputCleared' : 'speechStarted'
    if (output.type === clears) this.listener.clear(now)
  }

  // -- the caller

  async speak(ms: number): Promise<void> {
    await this.#sound(ms, 'speech')
  }

  async silent(ms: number): Promise<void> {
    await this.#sound(ms, 'silence')
  }

  /** Speaks, then is silent for as long as ends the turn. */
  async says(ms = 1000): Promise<void> {
    await this.speak(ms)
    await this.silent(640)
  }

  /** Time passes without a frame. */
  async wait(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** Lets the ear work off a flood: it takes some audio in each turn of the event loop. No time passes. */
  async workOff(): Promise<void> {
    for (let i = 0; i < 400; i++) await settled()
  }

  async #sound(ms: number, kind: 'speech' | 'silence'): Promise<void> {
    for (let left = ms; left > 0; left -= FRAME_MS) {
      await this.clock.advance(Math.min(FRAME_MS, left))
      if (kind === 'speech') this.spokeUntil = this.clock.now()
      this.session.audio(sound(this.session.settings.inputFormat, Math.min(FRAME_MS, left), kind))
      await settled()
    }
  }

  // -- the client

  /** Sends an event; returns its ref. */
  send(event: DistributiveOmit<ClientEvent, 'ref'>): string {
    const ref = `evt_${++this.#refs}`
    this.session.send({ ref, ...event } as ClientEvent)
    return ref
  }

  async respond(request: Partial<ResponseRequest> = {}): Promise<void> {
    this.send({ type: 'respond', request: { conversation: 'default', ...request } })
    await settled()
  }

  async text(text: string): Promise<void> {
    const item = {
      id: '',
      type: 'message',
      role: 'user',
      status: 'completed',
      parts: [{ type: 'text', text }],
    } as const
    this.send({ type: 'createItem', item, after: null })
    await settled()
  }

  // -- what came

  all<K extends Kind>(type: K): Of<K>[] {
    return this.taken.flatMap(({ output }) => (output.type === type ? [output as Of<K>] : []))
  }

  last<K extends Kind>(type: K): Of<K> {
    const found = this.all(type).at(-1)
    if (!found) throw new Error(`no ${type} among ${this.types.join(' ')}`)
    return found
  }

  /** Clock time at which the first output of a kind was taken. */
  at(type: Kind): number {
    const found = this.taken.find(({ output }) => output.type === type)
    if (!found) throw new Error(`no ${type} among ${this.types.join(' ')}`)
    return found.at
  }

  count(type: Kind): number {
    return this.all(type).length
  }

  /** Kinds of outputs in order, neighbours of one kind as one. */
  get types(): Kind[] {
    const types = this.taken.map(({ output }) => output.type)
    return types.filter((type, i) => type !== types[i - 1])
  }

  get transcript(): string {
    return this.all('answerText')
      .map(({ delta }) => delta)
      .join('')
  }

  get audioMs(): number {
    const { outputFormat } = this.session.settings
    let bytes = 0
    for (const { audio } of this.all('answerAudio')) bytes += audio.length
    return bytes / (msToBytes(outputFormat, 1000) / 1000)
  }

  /** The newest prompt without its instructions, as `role: text`. */
  get prompt(): string[] {
    return (this.llm.requests.at(-1)?.messages ?? [])
      .filter(({ role }) => role !== 'system')
      .map(({ role, text }) => `${role}: ${text}`)
  }

  /** Closed turns, oldest first. */
  async records(): Promise<TurnRecord[]> {
    const page = await this.turns.list(null, { limit: 100 })
    return [...(page?.records ?? [])].reverse()
  }

  /** Hangs up, and finds nothing left behind. */
  async hangUp(): Promise<void> {
    await this.session.close('client')
    await settled()
  }

  /** Abort listeners on the session's signal. */
  get listeners(): number {
    return listenersOf(this.#signal!)
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export function formatted(format: AudioFormat): Partial<SessionSettings> {
  return { inputFormat: format, outputFormat: format }
}

function spared<A>(adapter: A | undefined) {
  return adapter === undefined ? [] : [{ adapter, provider: 'spare', model: 'spare', route: 'any' }]
}
