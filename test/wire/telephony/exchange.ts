/**
 * A bridge's phone connected in memory to calls of ours, on the virtual clock: real sessions over stages that do as they are told.
 */
import { loadAudio } from '../../../src/audio/convert.ts'
import { settled, VirtualClock } from '../../../src/clock.ts'
import type { Pipeline } from '../../../src/config/pipeline.ts'
import type { BridgeSetting } from '../../../src/config/settings.ts'
import { PacerGroup } from '../../../src/playout/pacer-group.ts'
import { Ticker } from '../../../src/playout/ticker.ts'
import { LiveSession } from '../../../src/session/live-session.ts'
import { type Session, type SessionOrigin, SessionRefused } from '../../../src/session/session.ts'
import type { SessionSettings } from '../../../src/session/settings.ts'
import type { PhoneDialect } from '../../../src/testing/telephony/dialect.ts'
import { dialInMemory } from '../../../src/testing/telephony/line.ts'
import { Phone, type PhoneOptions } from '../../../src/testing/telephony/phone.ts'
import { Metrics } from '../../../src/trace/metrics.ts'
import type { TurnRecord } from '../../../src/trace/record.ts'
import { memoryTurnStore } from '../../../src/trace/turn-store.ts'
import type { Bridge } from '../../../src/wire/telephony/bridge.ts'
import { CallBoard } from '../../../src/wire/telephony/call/board.ts'
import { Calls } from '../../../src/wire/telephony/call/calls.ts'
import { Link } from '../../../src/wire/telephony/call/link.ts'
import { admit } from '../../../src/wire/telephony/http/admission.ts'
import type { CallShelf } from '../../../src/wire/telephony/recording/shelf.ts'
import { SETTINGS } from '../../session/story.ts'
import { FakeVad } from '../../support/fake-vad.ts'
import { FakeLlm, FakeStt, FakeTts, fixedRouter, sound } from '../../support/stages.ts'

export interface ExchangeOptions {
  readonly bridge: Bridge
  readonly setting: BridgeSetting
  readonly dialect: PhoneDialect
  readonly greeting?: string
  readonly stt?: FakeStt
  readonly llm?: FakeLlm
  readonly tts?: FakeTts
  readonly settings?: Partial<SessionSettings>
  readonly phone?: Partial<PhoneOptions>
  /** Calls are recorded there. */
  readonly shelf?: (clock: VirtualClock) => CallShelf
  /** Of the pipeline that calls run by. */
  readonly pipeline?: Partial<Pipeline>
  /** `never`: the far side's network takes nothing. */
  readonly reads?: 'always' | 'never'
  /** Sessions are refused. */
  readonly full?: 'full'
}

export class Exchange {
  readonly clock = new VirtualClock()
  readonly stt: FakeStt
  readonly llm: FakeLlm
  readonly tts: FakeTts
  readonly board = new CallBoard(this.clock)
  readonly calls: Calls
  readonly phone: Phone
  readonly sessions: Session[] = []
  readonly origins: SessionOrigin[] = []
  readonly links: Link[] = []
  readonly notes: string[] = []
  readonly turns = memoryTurnStore(1_000)
  readonly ticker: Ticker
  readonly pacers: PacerGroup
  readonly #options: ExchangeOptions

  static async open(options: ExchangeOptions): Promise<Exchange> {
    await loadAudio()
    return new Exchange(options)
  }

  private constructor(options: ExchangeOptions) {
    this.#options = options
    this.stt = options.stt ?? new FakeStt({ words: ['Tell me a story'], finalMs: 30 })
    this.llm = options.llm ?? new FakeLlm({ answer: () => 'Fine.', firstTokenMs: 50 })
    this.tts = options.tts ?? new FakeTts({ firstAudioMs: 40, msPerChar: 50 })
    this.ticker = new Ticker(this.clock)
    this.pacers = new PacerGroup(this.clock)
    this.calls = new Calls({
      host: { open: (origin) => this.#session(origin) },
      clock: this.clock,
      ticker: this.ticker,
      sessionMinutes: 60,
      hasPipeline: () => false,
      shelf: options.shelf?.(this.clock),
      board: this.board,
      note: (message) => void this.notes.push(message),
    })
    this.phone = this.another()
  }

  /** Another phone behind the same bridge. */
  another(more: Partial<PhoneOptions> = {}): Phone {
    const { bridge, setting, dialect, phone } = this.#options
    return new Phone({
      clock: this.clock,
      dialect,
      url: `wss://voice.example.com/v1/telephony/${bridge.name}`,
      dial: dialInMemory((caller, request) => {
        const gate = { bridge, setting, open: true }
        const { pathname, searchParams } = new URL(request.url)
        const upgrade = {
          path: pathname,
          query: Object.fromEntries(searchParams),
          headers: request.headers,
          publicUrl: 'https://voice.example.com',
          receivedAtMs: this.clock.wallMs(),
        }
        if (admit(gate, upgrade, undefined) !== 'admitted') return { status: 401 }
        const link = new Link(
          {
            bufferedAmount: this.#options.reads === 'never' ? 1024 * 1024 : 0,
            send: (message, flushed) => {
              if (this.#options.reads === 'never') return
              caller.send(message)
              queueMicrotask(flushed)
            },
            ping: () => link.signOfLife(),
            close: (code, reason) => caller.close(code, reason),
            terminate: () => caller.drop(),
          },
          {
            bridge,
            clock: this.clock,
            query: upgrade.query,
            begin: (begun, start) => this.calls.begin(begun, bridge, start, { pipeline: null, key: null }),
            note: (message) => void this.notes.push(message),
            onOver: () => {},
          },
        )
        this.links.push(link)
        const protocol = bridge.subprotocols.find((one) => request.protocols.includes(one))
        return {
          ...(protocol === undefined ? {} : { protocol }),
          message: (message) =>
            typeof message === 'string'
              ? link.message(Buffer.from(message), 'text')
              : link.message(Buffer.from(message), 'binary'),
          closed: ({ code }) => link.closed(code),
        }
      }),
      ...phone,
      ...more,
    })
  }

  #session(origin: SessionOrigin): Session {
    if (this.#options.full) throw new SessionRefused('server_full', 'full')
    const { clock } = this
    const facts = { provider: 'fake', route: 'any' }
    const lineup = {
      stt: [{ adapter: this.stt, model: 'stt', ...facts }],
      llm: [{ adapter: this.llm, model: 'llm', ...facts }],
      tts: [{ adapter: this.tts, model: 'tts', ...facts }],
      llmHedge: null,
      voice: () => 'voice',
    }
    const tools = origin.tools?.({ call: null, voicemail: null, ...this.#options.pipeline } as Pipeline)
    const settings = { ...SETTINGS, ...this.#options.settings }
    const session = new LiveSession({
      id: `sess_${String(this.sessions.length).padStart(16, '0')}`,
      settings: origin.begin?.(settings) ?? settings,
      greeting: this.#options.greeting ?? null,
      ...(tools ? { tools } : {}),
      origin,
      clientMay: [],
      router: fixedRouter(lineup, clock),
      clock,
      vad: new FakeVad(),
      pacers: this.pacers,
      book: { pipeline: 'test', turnMs: 1_500, turns: this.turns, metrics: new Metrics() },
      onClosed: () => {},
    })
    this.origins.push(origin)
    this.sessions.push(session)
    return session
  }

  async wait(ms: number): Promise<void> {
    await this.clock.advance(ms)
    await settled()
  }

  /** The caller speaks for so long. Time passes, and a little silence after it if wanted. */
  async speak(ms: number, thenMs = 0): Promise<void> {
    this.phone.say(sound(this.#options.dialect.inputFormat, ms, 'speech'))
    await this.wait(ms + thenMs)
  }

  /** The newest prompt without its instructions, as `role: text`. */
  get prompt(): string[] {
    return (this.llm.requests.at(-1)?.messages ?? [])
      .filter(({ role }) => role !== 'system')
      .map(({ role, text }) => `${role}: ${text}`)
  }

  async records(): Promise<TurnRecord[]> {
    const page = await this.turns.list(null, { limit: 100 })
    return [...(page?.records ?? [])].reverse()
  }

  /** Hangs up, and finds nothing left behind. */
  async end(): Promise<void> {
    this.phone.hangUp()
    this.phone.smash()
    await this.wait(10_000)
  }
}
