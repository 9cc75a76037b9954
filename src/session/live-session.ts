/**
 * One session at work: feeds events to the reducer one at a time and carries out its effects at once, in order.
 *
 *     wire ─ audio ─► ring, recogniser, ear ─► speech events ─┐
 *     wire ─ send ──► client events ──────────────────────────┼─► reduce ─► effects ─► recogniser, answers, speaker
 *     answers, speaker, timers ─► events ─────────────────────┘
 */
import type { Router } from '../attempt/lineup.ts'
import { bytesToMs, msToBytes } from '../audio/format.ts'
import type { Rung } from '../budget/ladder.ts'
import { openScope, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { Ear } from '../listen/ear.ts'
import type { Vad } from '../listen/vad.ts'
import type { PacerGroup } from '../playout/pacer-group.ts'
import { NO_TOOLS, type ServerTools } from '../stage/tools.ts'
import { Answers } from './answers.ts'
import { AHEAD_OF_EAR_MS, CallerAudio } from './caller-audio.ts'
import { type ClientEvent, overrideRefusal } from './client.ts'
import type { Effect } from './effects.ts'
import type { SessionEvent } from './events.ts'
import { heldLanguage } from './held-language.ts'
import { findEntry } from './history.ts'
import { ItemAudio } from './item-audio.ts'
import { Outlet } from './outlet.ts'
import type { SessionOutput } from './output.ts'
import { ownTurnsOf } from './own-turns.ts'
import { Recogniser } from './recogniser.ts'
import { reduce } from './reduce.ts'
import { Routing } from './routing.ts'
import type { CloseReason, Session, SessionOrigin } from './session.ts'
import type { SessionSettings } from './settings.ts'
import { Speaker } from './speaker.ts'
import { initialState, isQuiet, languageOf, recognisedNewest, type State, saidBeforePause } from './state.ts'
import { Timers } from './timers.ts'
import { ToolRuns } from './tool-runs.ts'
import { truncateHeard, truncateRefusal } from './truncate.ts'
import { TurnBook, type TurnBookOptions } from './turn-book.ts'
import { TurnBudget } from './turn-budget.ts'

export interface LiveSessionOptions {
  readonly id: string
  readonly settings: SessionSettings
  readonly greeting: string | null
  readonly origin: SessionOrigin
  readonly clientMay: readonly string[]
  readonly router: Router
  readonly clock: Clock
  readonly vad: Vad
  readonly pacers: PacerGroup
  /** What is given up when a turn runs short of time; left out: nothing. */
  readonly ladder?: readonly Rung[]
  /** Run for the pipeline; left out: none. */
  readonly tools?: ServerTools
  /** What the book of turns needs beside what the session knows. */
  readonly book: Pick<TurnBookOptions, 'pipeline' | 'turnMs' | 'turns' | 'metrics' | 'experiments'>
  /** Called once, when all under the session has ended. */
  readonly onClosed: () => void
}

export class LiveSession implements Session {
  readonly id: string
  closedFor: CloseReason | undefined
  readonly #options: LiveSessionOptions
  readonly #scope: Scope = openScope()
  readonly #speaker: Speaker
  readonly #recogniser: Recogniser
  readonly #ear: Ear
  readonly #book: TurnBook
  readonly #routing: Routing
  readonly #itemAudio = new ItemAudio(() => this.#options.origin.caps.retrieval ?? 'kept')
  readonly #answers: Answers
  readonly #budget: TurnBudget
  readonly #tools: ToolRuns
  readonly #outlet: Outlet
  readonly #timers: Timers
  readonly #events: SessionEvent[] = []
  readonly #caller: CallerAudio
  /** Where the newest utterance begins. */
  #listenFromMs = 0
  #state: State
  #busy = false
  #finishing = false
  #closed: Promise<void> | undefined

  constructor(options: LiveSessionOptions) {
    const { id, settings, origin, clock, vad, router } = options
    const { caps, wire } = origin
    this.id = id
    this.#options = options
    this.#state = initialState(settings, caps, id.replace(/^sess_/, '').slice(0, 12))
    const { signal } = this.#scope
    this.#timers = new Timers(clock, (timer) =>
      this.#dispatch({ type: 'timer', at: clock.now(), timer, audioMs: this.#caller.audioMs }),
    )
    const book = new TurnBook({
      ...options.book,
      clock,
      wire,
      keyId: origin.key?.id ?? null,
      sessionId: id,
      heardOf: (response) => this.#speaker.heard(response),
      onRecord: (record) => this.#speaker.queue.control({ type: 'turn', record }),
    })
    this.#book = book
    this.#speaker = new Speaker({
      clock,
      caps,
      signal,
      settings: () => this.settings,
      pacers: options.pacers,
      itemAudio: this.#itemAudio,
      report: (event) => this.#dispatch(event),
      firstSent: (turn, at) => book.mark(turn, 'firstAudioSent', at),
      underrun: (turn) => book.underrun(turn),
      onOverflow: () => void this.close('limit'),
    })
    this.#routing = new Routing({
      router,
      origin,
      sessionId: id,
      clock,
      turnMs: options.book.turnMs,
      language: () => languageOf(this.#state),
      voice: () => this.settings.voice,
      recognised: () => recognisedNewest(this.#state),
      pressed: () => this.#state.pressed,
    })
    this.#budget = new TurnBudget({
      clock,
      turnMs: options.book.turnMs,
      ladder: options.ladder ?? [],
      medianMs: (stage) => this.#routing.medianMs(stage),
      phraseMs: (text) => this.#routing.phrase(text)?.ms ?? null,
      fill: (turn, text) => this.#answers.fill(turn, text),
      bridge: (turn, phrase) => this.#dispatch({ type: 'wordsLate', at: clock.now(), turn, phrase }),
      hasStablePartial: (turn) => this.#recogniser.hasStable(turn),
      promote: (turn) => this.#recogniser.promote(turn),
      degraded: (turn, rung) => book.degraded(turn, rung),
      planned: (turn, plan) => book.planned(turn, plan),
    })
    this.#answers = new Answers({
      clock,
      signal,
      health: router.health,
      settings: () => this.settings,
      language: () => languageOf(this.#state),
      speaker: this.#speaker,
      book,
      routing: this.#routing,
      budget: this.#budget,
      report: (event) => this.#dispatch(event),
    })
    this.#outlet = new Outlet({ queue: this.#speaker.queue, book, answers: this.#answers })
    this.#tools = new ToolRuns(options.tools ?? NO_TOOLS, {
      clock,
      signal,
      report: (event) => this.#dispatch(event),
    })
    this.#recogniser = new Recogniser({
      candidates: () => this.#routing.recognisers(),
      clock,
      health: router.health,
      signal,
      language: () => languageOf(this.#state),
      held: ({ caps }) => heldLanguage(caps, this.settings.language, languageOf(this.#state)),
      ownTurns: () => ownTurnsOf(this.settings),
      turnEnded: () => this.#ear.turnEnded(),
      report: (event) => this.#dispatch(event),
      partial: (turn) => this.#budget.changed(turn),
      slackMs: (turn) => this.#budget.slackMs(turn, 'stt'),
      patienceMs: this.#budget.patienceMs,
      attempts: (turn) => book.attempts(turn),
      pricing: router.pricing,
      audibleMs: () => Math.min(this.#caller.audioMs, this.#ear.horizonMs + AHEAD_OF_EAR_MS),
      audio: (fromMs, toMs) => this.#caller.between(fromMs, toMs),
    })
    this.#caller = new CallerAudio(settings.inputFormat)
    this.#ear = new Ear({
      vad,
      clock,
      signal,
      said: () => saidBeforePause(this.#state),
      turnJudge: () => this.#recogniser.turnJudge,
      format: settings.inputFormat,
      detection: settings.turnDetection,
      confirmMs: settings.interruption.minSpeechMs,
    })
    void this.#hear()
    this.#keepAudio()
    this.#dispatch({ type: 'started', at: clock.now(), greeting: options.greeting })
  }

  get settings(): SessionSettings {
    return this.#state.settings
  }

  get outputs(): AsyncIterable<SessionOutput> {
    return this.#speaker.queue
  }

  audio(bytes: Uint8Array): void {
    if (this.#state.closed || bytes.length === 0) return
    this.#caller.write(bytes)
    this.#ear.write(bytes)
    this.#recogniser.hear()
    this.#keepAudio()
  }

  send(event: ClientEvent): void {
    const refused = overrideRefusal(event, this.settings, this.#options.clientMay)
    if (refused) return this.#outlet.emit(refused)
    const { audioMs, bufferedMs } = this.#caller
    this.#dispatch({ type: 'client', at: this.#options.clock.now(), event, audioMs, bufferedMs })
  }

  close(reason: CloseReason): Promise<void> {
    this.closedFor ??= reason
    this.#closed ??= this.#end()
    return this.#closed
  }

  /** Closes as soon as the caller is silent and nothing is being answered. */
  finish(): void {
    this.#finishing = true
    if (isQuiet(this.#state)) void this.close('drain')
  }

  async #end(): Promise<void> {
    this.#dispatch({ type: 'hangup', at: this.#options.clock.now() })
    this.#timers.close()
    this.#ear.close()
    this.#budget.close()
    this.#speaker.close()
    this.#scope.cancel('hangup')
    await this.#recogniser.close()
    this.#options.onClosed()
  }

  async #hear(): Promise<void> {
    try {
      for await (const event of this.#ear.events) this.#dispatch(event)
    } catch {
      // The model behind the ear cannot be had: without ears there is no conversation by voice.
      if (this.#scope.signal.aborted) return
      this.#outlet.emit({ type: 'fault', code: 'vad_failed', message: 'Speech detection failed.' })
    }
  }

  /** One event at a time: what effects bring about waits its turn. */
  #dispatch(event: SessionEvent): void {
    this.#events.push(event)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        const { state, effects } = reduce(this.#state, next)
        this.#state = state
        for (const effect of effects) this.#carryOut(effect)
        if (next.type === 'speechEnded') {
          this.#caller.bufferStartMs = Math.max(this.#caller.bufferStartMs, next.audioEndMs)
        }
      }
    } finally {
      this.#busy = false
    }
    this.#keepAudio()
    if (this.#finishing && !this.#state.closed) this.finish()
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'emit':
        return this.#outlet.emit(effect.output)
      case 'listen':
        this.#book.begin(effect.turn)
        this.#listenFromMs = effect.fromMs
        this.#answers.warm()
        return this.#recogniser.listen(effect.turn, effect.fromMs)
      case 'preview':
        this.#answers.warmAgain()
        return this.#recogniser.preview(effect.turn)
      case 'finalize':
        return this.#finalize(effect)
      case 'recognise':
        this.#book.begin(effect.turn)
        this.#itemAudio.append(effect.itemId, effect.audio)
        return this.#recogniser.written(effect.turn, effect.audio, this.settings.inputFormat)
      case 'discard':
        this.#book.forget(effect.turn)
        return this.#recogniser.discard(effect.turn)
      case 'resetListening':
        this.#caller.bufferStartMs = this.#caller.audioMs
        return this.#ear.reset()
      case 'think':
      case 'recite':
        return this.#answers.begin(effect)
      case 'callTool':
      case 'listTools':
        return this.#tools.do(effect)
      case 'bridge':
        return this.#answers.bridge(effect)
      case 'release':
        return this.#answers.release(effect.response)
      case 'cut':
        this.#speaker.cut(effect.response)
        return this.#answers.stop(effect.response, effect.reason)
      case 'drop':
        this.#speaker.drop(effect.response)
        return this.#answers.stop(effect.response, effect.reason)
      case 'pause':
        return this.#speaker.pause(effect.response)
      case 'resume':
        return this.#speaker.resume(effect.response)
      case 'retrieve':
        return this.#retrieve(effect.itemId)
      case 'truncate':
        return this.#truncate(effect.event)
      case 'forget':
        return this.#itemAudio.forget(effect.itemId)
      case 'played':
        return this.#speaker.played(effect.response, effect.ms)
      case 'apply':
        return this.#apply(effect.patch)
      case 'setTimer':
        return this.#timers.set(effect.timer, effect.ms)
      case 'clearTimer':
        return this.#timers.clear(effect.timer)
      case 'openTurn':
        this.#routing.turnOpened(effect.zeroAt)
        this.#book.open(effect.turn, effect.zeroAt, effect.endedBy)
        return this.#budget.open(effect.turn, effect.zeroAt)
      case 'mark':
      case 'userSaid':
      case 'keys':
        return this.#book.do(effect)
      case 'closeTurn':
        this.#budget.rest(effect.turn)
        return this.#book.close(effect.turn, effect.outcome)
      case 'hangUp':
        return void this.close('idle')
      case 'end':
        return
      default:
        effect satisfies never
    }
  }

  #finalize({ turn, itemId, endMs }: Extract<Effect, { do: 'finalize' }>): void {
    this.#itemAudio.append(itemId, this.#caller.between(this.#listenFromMs, endMs).bytes)
    this.#recogniser.finalize(turn, endMs)
    this.#budget.recognising(turn)
  }

  #retrieve(itemId: string): void {
    const item = findEntry(this.#state.history, itemId)?.item
    if (!item) return
    const audio = this.#itemAudio.get(itemId)
    this.#speaker.queue.control({ type: 'itemRetrieved', item, audio }, audio?.length ?? 0)
  }

  #truncate(event: Extract<ClientEvent, { type: 'truncateItem' }>): void {
    const { itemId, contentIndex, audioEndMs, ref } = event
    const track = this.#speaker.trackOfItem(itemId)
    const said = findEntry(this.#state.history, itemId)?.said ?? ''
    const format = track?.format ?? this.settings.outputFormat
    const bytes = this.#itemAudio.get(itemId)?.length ?? 0
    const message = truncateRefusal(audioEndMs, track, { bytes, format })
    if (message !== null) {
      const refused = { code: 'invalid_value', message, param: 'audio_end_ms', ref }
      return this.#outlet.emit({ type: 'refused', ...refused })
    }
    if (track && !track.over) {
      this.#speaker.cut(track.facts.response)
      this.#answers.stop(track.facts.response, 'client-cancelled')
    }
    const heard = track?.amend(audioEndMs) ?? truncateHeard(said, audioEndMs, bytesToMs(format, bytes))
    this.#itemAudio.truncate(itemId, msToBytes(format, audioEndMs))
    if (track) this.#book.amend(track.facts.turn)
    const at = this.#options.clock.now()
    this.#dispatch({ type: 'truncated', at, itemId, contentIndex, audioEndMs, heard })
  }

  #apply(patch: Partial<SessionSettings>): void {
    const { turnDetection: detection, interruption, inputFormat: format } = this.settings
    if (patch.inputFormat && !this.#caller.isIn(format)) {
      // What the old ring holds goes out with it.
      this.#recogniser.hear()
      this.#caller.changeFormat(format)
    }
    this.#ear.configure({ detection, confirmMs: interruption.minSpeechMs, format })
  }

  /** The ring keeps what may be recognised again, what may be committed by hand, and what the ear has not judged. */
  #keepAudio(): void {
    const { turnDetection } = this.settings
    const judgedMs = turnDetection && this.#ear.horizonMs - turnDetection.prefixPaddingMs
    this.#caller.keep(judgedMs, this.#recogniser.neededFromMs)
  }
}
