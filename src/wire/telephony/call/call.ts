/**
 * One call: a session of Parley's and the media socket that carries it, which may break and come back.
 *
 *     link ─ audio ─► Hearing ─► session.audio          session.outputs ─► (room at the link) ─► Speech ─► link
 *     link ─ keys, marks ─► session.send                 cleared ─► Speech.clear ─► what was heard ─► session.send
 */
import type { Clock, Timer } from '../../../clock.ts'
import type { Ticker } from '../../../playout/ticker.ts'
import type { SessionOutput } from '../../../session/output.ts'
import type { CloseReason, Session } from '../../../session/session.ts'
import type { Bridge, CallStart } from '../bridge.ts'
import type { CallRecorder } from '../recording/recorder.ts'
import type { VoicemailActs, VoicemailWatch } from '../voicemail/watch.ts'
import { Comfort } from './comfort.ts'
import { Hearing } from './hearing.ts'
import type { Link, LinkOwner } from './link.ts'
import { Speech } from './speech.ts'

export interface CallOptions {
  readonly bridge: Bridge
  readonly start: CallStart
  readonly session: Session
  /** Of the key it acts for. */
  readonly keyId: string | null
  readonly clock: Clock
  readonly ticker: Ticker
  readonly sessionMinutes: number
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
  /** The call is over, whoever ended it; called once. */
  readonly onOver: (call: Call, why: CallEnd) => void
  /** Ends the call at the bridge, which else would go on without us; left out: closing the stream is all that can be done. */
  readonly hangUpFar?: () => Promise<void>
  /** A key was pressed, and the pipeline wants keys. */
  readonly onDigit?: (call: Call, digit: string) => void
  /** Left out: the call is not recorded. Closed with it. */
  readonly recorder?: CallRecorder | undefined
}

/** `caller`: hung up, or the bridge ended the stream; `lost`: the line broke and did not come back. */
export type CallEnd = 'caller' | 'lost' | 'hung_up' | CloseReason

/** Ends that are ours, and meant for the caller's call and not for our part in it alone. */
const FOR_THE_CALLER: ReadonlySet<CallEnd> = new Set(['hung_up', 'idle', 'expired'])
/** A line that broke comes back at once, or not at all. */
export const RECONNECT_MS = 2_000
/** Beyond the last sound: the way to the caller's ear. */
const AFTER_LAST_SOUND_MS = 300
/** A call that shall end after its last words ends by then, whatever they are. */
const LAST_WORDS_MS = 20_000

export class Call implements LinkOwner {
  readonly start: CallStart
  readonly session: Session
  readonly bridge: Bridge
  readonly keyId: string | null
  readonly #options: CallOptions
  readonly #speech: Speech
  readonly #hearing: Hearing
  readonly #comfort: Comfort | undefined
  #link: Link | undefined
  /** Raised whenever what is on its way is void. */
  #generation = 0
  /** Of the one who waits for room: what is said is sent in order. */
  #wake: (() => void) | undefined
  #reconnect: Timer | undefined
  #limit: Timer | undefined
  #lastWords: Timer | undefined
  #wordsEnd: Timer | undefined
  #hangingUp = false
  #watch: VoicemailWatch | undefined
  /** Of the far side, by item: what a machine is known by. */
  readonly #words = new Map<string, string>()
  #responses = new Set<string>()
  #over = false

  constructor(options: CallOptions) {
    const { bridge, start, session, clock, ticker, sessionMinutes, recorder } = options
    this.start = start
    this.session = session
    this.bridge = bridge
    this.keyId = options.keyId
    this.#options = options
    this.#speech = new Speech({ clock, caps: bridge.caps, format: start.outputFormat, recorder })
    this.#hearing = new Hearing({
      clock,
      format: start.inputFormat,
      caps: bridge.caps,
      heard: (bytes) => session.audio(bytes),
    })
    if (bridge.caps.idle === 'silence') {
      this.#comfort = new Comfort({ ticker, playback: this.#speech.playback, format: start.outputFormat })
    }
    this.#limit = clock.setTimer(sessionMinutes * 60_000, () => void session.close('expired'))
    void this.#run()
  }

  /** Of the caller's sound. */
  get counts(): Hearing['counts'] {
    return this.#hearing.counts
  }

  /** Waits for its line to come back. */
  get isWaiting(): boolean {
    return !this.#over && this.#link === undefined
  }

  get isOver(): boolean {
    return this.#over
  }

  /** The first link, or another one of the same call: the one before is closed. */
  attach(link: Link): void {
    const old = this.#link
    const again = old !== undefined || this.#reconnect !== undefined
    this.#reconnect?.cancel()
    this.#reconnect = undefined
    if (old) this.#lose()
    old?.close('replaced')
    this.#link = link
    this.#comfort?.attach(link)
    if (again) this.session.send({ type: 'lineBack' })
    this.ready()
  }

  /** Whether a machine answered is judged from now on. */
  watchFor(watch: VoicemailWatch): void {
    this.#watch = watch
  }

  /** What is done about a machine. */
  get voicemailActs(): VoicemailActs {
    return {
      machine: () => this.#turnDeaf(),
      leave: (text) => {
        this.session.send({ type: 'say', text })
        this.hangUp()
      },
      hangUp: () => this.#end('hung_up'),
    }
  }

  /** What is said to a machine is void, and what it says is not answered. */
  #turnDeaf(): void {
    const { turnDetection } = this.session.settings
    if (turnDetection) {
      const patch = { turnDetection: { ...turnDetection, createResponse: false, interruptResponse: false } }
      this.session.send({ type: 'settings', patch, ref: null })
    }
    this.session.send({ type: 'cancelResponse', responseId: null, ref: null })
    const played = this.#speech.playback.played(this.#options.clock.now())
    if (played) this.#clear({ ...played, type: 'outputCleared', why: 'cut' })
  }

  /** Ends once what is being said was heard. */
  hangUp(): void {
    if (this.#hangingUp) return
    this.#hangingUp = true
    this.#endWithin(LAST_WORDS_MS)
    this.#considerEnd()
  }

  /** Ends now. */
  close(why: CallEnd): void {
    this.#end(why)
  }

  // -- LinkOwner

  audio(bytes: Uint8Array, placeMs?: number): void {
    if (this.#over) return
    this.#options.recorder?.caller(bytes, this.start.inputFormat, this.#options.clock.now())
    this.#hearing.frame(bytes, placeMs)
    this.#watch?.audio(bytes)
  }

  digit(digit: string): void {
    this.session.send({ type: 'digit', digit })
    if (this.session.settings.dtmf) this.#options.onDigit?.(this, digit)
  }

  marked(name: string): void {
    const played = this.#speech.marked(name)
    if (!played) return
    this.session.send({
      type: 'played',
      responseId: played.responseId,
      playedMs: Math.floor(played.playedMs),
    })
  }

  ready(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  ended(link: Link, how: 'stopped' | 'broken'): void {
    if (link !== this.#link) return
    if (how === 'stopped' || this.bridge.caps.reconnects === 'never') return this.#end('caller')
    this.#lose()
    this.#reconnect = this.#options.clock.setTimer(RECONNECT_MS, () => this.#end('lost'))
  }

  /** What the bridge held is gone with it; the session holds on to the rest. */
  #lose(): void {
    this.#link = undefined
    this.#generation++
    this.#comfort?.detach()
    this.#wordsEnd?.cancel()
    const played = this.#speech.playback.played(this.#options.clock.now())
    this.#speech.clear(undefined)
    if (played) this.#tellPlayed(played.responseId)
    this.session.send({ type: 'lineLost' })
  }

  async #run(): Promise<void> {
    try {
      for await (const output of this.session.outputs) {
        if (this.#over) return
        const link = this.#open() ?? (await this.#room(output))
        if (link) this.#take(output, link)
      }
      this.#end(this.session.closedFor ?? 'error')
    } catch (error) {
      this.#options.note('a call failed', { sessionId: this.session.id, error: String(error) })
      this.#end('error')
    }
  }

  #open(): Link | undefined {
    return this.#link?.open ? this.#link : undefined
  }

  /** What only takes sound back needs no room. Undefined: the output is void by now. */
  async #room(output: SessionOutput): Promise<Link | undefined> {
    const generation = this.#generation
    if (output.type !== 'answerAudio') {
      // Told to the link that is there; without one there is nothing to take back.
      if (!this.#link) this.#count(output)
      return this.#link
    }
    while (!this.#over) {
      const link = this.#open()
      if (link) return generation === this.#generation ? link : undefined
      await this.#changed()
    }
    return undefined
  }

  /** The link has room, or there is another one, or none is needed any more. */
  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      void this.#link?.room().then(resolve)
    })
  }

  #take(output: SessionOutput, link: Link): void {
    switch (output.type) {
      case 'answerAudio':
        return this.#speech.say(output, link)
      case 'answerDone':
        return this.#finish(output.responseId, link)
      case 'outputCleared':
        return this.#clear(output)
      default:
        return this.#count(output)
    }
  }

  #count(output: SessionOutput): void {
    if (this.#watch) this.#tellWatch(output, this.#watch)
    if (output.type === 'responseCreated') {
      this.#responses.add(output.response.id)
      // What it says after a tool's answer is still the goodbye.
      if (this.#hangingUp) this.#endWithin(LAST_WORDS_MS)
    }
    if (output.type !== 'responseDone') return
    this.#responses.delete(output.response.id)
    if (this.#link) this.#finish(output.response.id, this.#link)
    this.#considerEnd()
  }

  #tellWatch(output: SessionOutput, watch: VoicemailWatch): void {
    if (watch.isOver) {
      this.#watch = undefined
      return
    }
    if (output.type === 'speechStarted') watch.speechStarted()
    else if (output.type === 'speechStopped') watch.speechStopped()
    else if (output.type === 'transcriptDelta') this.#heardWords(output.itemId, output.delta, watch)
    else if (output.type === 'transcript') {
      this.#words.delete(output.itemId)
      this.#heardWords(output.itemId, output.transcript, watch)
    }
  }

  #heardWords(itemId: string, words: string, watch: VoicemailWatch): void {
    this.#words.set(itemId, (this.#words.get(itemId) ?? '') + words)
    watch.words([...this.#words.values()].join(' '))
  }

  /**
   * The mark behind a message that was filled up comes back when the silence was played too, and that is later than the
   * session waits for it: the clock tells the end of the words.
   */
  #finish(responseId: string, link: Link): void {
    const filledMs = this.#speech.finish(link)
    if (filledMs <= 0) return
    const { clock } = this.#options
    const leftMs = this.#speech.playback.waitingMs(clock.now()) - filledMs
    this.#wordsEnd?.cancel()
    this.#wordsEnd = clock.setTimer(leftMs, () => this.#tellPlayed(responseId))
  }

  /** The session took sound back. It is told how far the far side came, which nobody else knows. */
  #clear({ responseId, itemId, why }: Extract<SessionOutput, { type: 'outputCleared' }>): void {
    this.#speech.clear(this.#link)
    this.#wordsEnd?.cancel()
    const heardMs = this.#speech.playback.heardOf(responseId)
    if (heardMs === undefined) return
    if (why === 'pause') return this.#tellPlayed(responseId)
    const audioEndMs = Math.floor(heardMs)
    this.session.send({ type: 'truncateItem', itemId, contentIndex: 0, audioEndMs, ref: null })
  }

  /** Once told, a session waits to be told again: a bridge without marks leaves it to its own clock. */
  #tellPlayed(responseId: string): void {
    if (this.bridge.caps.marks === 'none') return
    const heardMs = this.#speech.playback.heardOf(responseId)
    if (heardMs === undefined) return
    this.session.send({ type: 'played', responseId, playedMs: Math.floor(heardMs) })
  }

  /** After the last words, and the time they take to be heard. */
  #considerEnd(): void {
    if (!this.#hangingUp || this.#over || this.#responses.size > 0) return
    const { clock } = this.#options
    const waitMs = this.#speech.playback.waitingMs(clock.now()) + AFTER_LAST_SOUND_MS
    this.#endWithin(waitMs)
  }

  #endWithin(ms: number): void {
    this.#lastWords?.cancel()
    this.#lastWords = this.#options.clock.setTimer(ms, () => this.#end('hung_up'))
  }

  #end(why: CallEnd): void {
    if (this.#over) return
    this.#over = true
    for (const timer of [this.#reconnect, this.#limit, this.#lastWords, this.#wordsEnd]) timer?.cancel()
    this.#hearing.close()
    this.#watch?.close()
    this.#comfort?.detach()
    const link = this.#link
    this.#link = undefined
    const { hangUpFar, recorder } = this.#options
    void recorder?.close()
    const leave = () => link?.close(why === 'error' ? 'failed' : 'over')
    // First the call and then its stream: a bridge whose stream is closed may go on with the call by itself.
    if (hangUpFar && FOR_THE_CALLER.has(why)) hangUpFar().then(leave, leave)
    else leave()
    this.ready()
    this.session
      .close(why === 'caller' || why === 'lost' || why === 'hung_up' ? 'client' : why)
      .catch((error: unknown) => {
        this.#options.note('closing a session failed', { sessionId: this.session.id, error: String(error) })
      })
    this.#options.onOver(this, why)
  }
}
