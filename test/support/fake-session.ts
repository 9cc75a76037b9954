/** A session and its host without any work behind them: tests read what a wire told it, and say what it answers. */
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { Channel } from '../../src/channel.ts'
import type { ClientEvent } from '../../src/session/client.ts'
import type { SessionOutput } from '../../src/session/output.ts'
import {
  type CloseReason,
  type Session,
  type SessionHost,
  type SessionOrigin,
  SessionRefused,
} from '../../src/session/session.ts'
import type { SessionSettings } from '../../src/session/settings.ts'

export const PIPELINE_SETTINGS: SessionSettings = {
  instructions: 'Be brief.',
  voice: 'warm',
  inputFormat: PCM16_24K,
  outputFormat: PCM16_24K,
  modality: 'audio',
  speed: 1,
  showTranscription: false,
  transcriptDeltas: 'committed',
  turnDetection: {
    type: 'server_vad',
    threshold: 0.6,
    prefixPaddingMs: 250,
    silenceDurationMs: 450,
    createResponse: true,
    interruptResponse: true,
  },
  interruption: { minSpeechMs: 200, minWords: 0, ignore: [] },
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 'inf',
  maxRevisions: 3,
  leadMs: null,
}

export const PHONE_SETTINGS: SessionSettings = {
  ...PIPELINE_SETTINGS,
  inputFormat: MULAW_8K,
  outputFormat: MULAW_8K,
}

export class FakeSession implements Session {
  readonly id: string
  readonly origin: SessionOrigin
  settings: SessionSettings
  /** As many as a test likes: the wire's own bounds are what is tested. */
  readonly outputs = new Channel<SessionOutput>({ capacity: 1_000_000 })
  readonly events: ClientEvent[] = []
  audioBytes = 0
  lastAudio: Uint8Array | undefined
  closed: CloseReason | undefined
  /** Resolves to why the wire closed it. */
  readonly ended: Promise<CloseReason>
  #end: (reason: CloseReason) => void = () => {}
  /** What to answer to settings; `hold` leaves them to the test. */
  onSettings: 'apply' | 'refuse' | 'hold' = 'apply'
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = []

  constructor(id: string, origin: SessionOrigin, settings: SessionSettings) {
    this.id = id
    this.origin = origin
    this.settings = settings
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  audio(bytes: Uint8Array): void {
    this.audioBytes += bytes.length
    this.lastAudio = bytes
    this.#wake()
  }

  send(event: ClientEvent): void {
    this.events.push(event)
    if (event.type === 'settings') this.#settings(event)
    this.#wake()
  }

  get closedFor(): CloseReason | undefined {
    return this.closed
  }

  say(...outputs: readonly SessionOutput[]): void {
    for (const output of outputs) this.outputs.push(output)
  }

  /** Resolves when the wire has sent this many events. */
  received(count: number): Promise<void> {
    return this.#until(() => this.events.length >= count)
  }

  /** Resolves when the wire has sent this much audio. */
  heard(bytes: number): Promise<void> {
    return this.#until(() => this.audioBytes >= bytes)
  }

  /** The n-th event of a kind, once the wire has sent it. */
  async told(type: ClientEvent['type'], n = 0): Promise<ClientEvent> {
    for (;;) {
      const found = this.events.filter((event) => event.type === type)[n]
      if (found) return found
      await this.received(this.events.length + 1)
    }
  }

  close(reason: CloseReason): Promise<void> {
    this.closed ??= reason
    this.#end(reason)
    this.outputs.close()
    return Promise.resolve()
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ done, resolve }))
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (waiter.done()) waiter.resolve()
  }

  #settings(event: Extract<ClientEvent, { type: 'settings' }>): void {
    if (this.onSettings === 'hold') return
    if (this.onSettings === 'refuse') {
      const message = 'This pipeline does not let clients change that.'
      this.say({ type: 'refused', code: 'not_allowed', message, param: 'session', ref: event.ref })
      return
    }
    this.settings = { ...this.settings, ...event.patch }
    this.say({ type: 'settingsApplied' })
  }
}

export class FakeHost implements SessionHost {
  readonly opened: FakeSession[] = []
  settings: SessionSettings = PIPELINE_SETTINGS
  refuse: ConstructorParameters<typeof SessionRefused>[0] | undefined
  readonly #waiting: ((session: FakeSession) => void)[] = []

  open(origin: SessionOrigin): FakeSession {
    if (this.refuse) throw new SessionRefused(this.refuse, `refused: ${this.refuse}`)
    const settings = origin.begin?.(this.settings) ?? this.settings
    const session = new FakeSession(`sess_${this.opened.length + 1}`, origin, settings)
    this.opened.push(session)
    for (const tell of this.#waiting.splice(0)) tell(session)
    return session
  }

  /** The first session, once it is open. */
  first(): Promise<FakeSession> {
    const [first] = this.opened
    if (first) return Promise.resolve(first)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The newest session. */
  get last(): FakeSession {
    const session = this.opened.at(-1)
    if (!session) throw new Error('no session was opened')
    return session
  }
}
