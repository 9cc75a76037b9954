/**
 * The session's hold on a recogniser's stream. Opened at the caller's first words and kept for many turns; each
 * `finalize` is one attempt, answered by one `final` or by `sttFailed`. All audio is read from the session's ring, so
 * that a stream that breaks loses nothing: what was not recognised yet is written into a new one, once.
 *
 *     listen ─► hear hear hear … preview ─► partial
 *            ─► hear … finalize ─► final | sttFailed
 */
import { keyedIdOf } from '../attempt/failure.ts'
import { type Candidate, firstOf } from '../attempt/lineup.ts'
import { createConverter } from '../audio/convert.ts'
import { type AudioFormat, sameFormat } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { TurnJudge } from '../listen/end-of-turn.ts'
import type { Costs } from '../price/pricing.ts'
import type { OwnTurns, SttAdapter, SttEvent, SttStream } from '../stage/stt.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { RecognitionEvent } from './events.ts'
import { TurnRight, wordsOf } from './own-turns.ts'
import { rewind, settle, type Utterance, utteranceFrom } from './spoken-utterance.ts'
import { StableWords } from './stable-words.ts'
import { type SttAttempt, startAttempt } from './stt-attempt.ts'
import { SttChoice, type SttChoiceOptions } from './stt-choice.ts'
import { wholeAudio } from './whole-audio.ts'

const WENT_AWAY = 'the recogniser went away'
/** Streams tried for one utterance: every candidate's, and a lone one's twice. */
const MIN_TRIES = 2

/** `candidates`: in the order to be tried; asked at each utterance, since what is known of the caller changes. `language`: asked when a stream is opened. */
export interface RecogniserOptions extends SttChoiceOptions {
  readonly signal: AbortSignal
  readonly report: (event: RecognitionEvent) => void
  /** How a recogniser that can shall end turns; left out: it shall not. Asked when a stream is opened. */
  readonly ownTurns?: () => OwnTurns | undefined
  /** The recogniser judged that the utterance being spoken is over. */
  readonly turnEnded?: () => void
  /** Words of an utterance that is over came, and are not its final ones. */
  readonly partial?: (turn: string) => void
  /** To which language a stream of it is held; left out: to `language`. */
  readonly held?: (adapter: SttAdapter) => string | undefined
  readonly attempts: (turn: string) => AttemptLog | undefined
  readonly pricing?: Costs | undefined
  /** The audio time up to which the caller may be heard now. */
  readonly audibleMs: () => number
  /** The caller's audio between two audio times, as far as the ring holds it; whole samples. */
  readonly audio: (
    fromMs: number,
    toMs: number,
  ) => { readonly bytes: Uint8Array; readonly format: AudioFormat }
}

export class Recogniser {
  readonly #options: RecogniserOptions
  /** Not answered yet, oldest first; only the last may still be spoken. */
  #utterances: Utterance[] = []
  #stream: SttStream | undefined
  /** Of the stream, or of its opening. */
  #scope: Scope | undefined
  /** Whose stream it is. */
  #candidate: Candidate<SttAdapter>
  /** What it was told the caller speaks. */
  #language: string | undefined
  readonly #choice: SttChoice
  readonly #right: TurnRight
  readonly #written = new Set<Recogniser>()

  /** Throws `NoCandidate`. */
  constructor(options: RecogniserOptions) {
    this.#options = options
    this.#candidate = firstOf('stt', options.candidates())
    this.#choice = new SttChoice(options)
    this.#right = new TurnRight(options.clock, options.ownTurns ?? (() => undefined))
  }

  /** Who judges the pauses of the utterance being spoken: the words of one before it may still be owed. */
  get turnJudge(): TurnJudge {
    const [first] = this.#utterances
    return first && first === this.#spoken && this.#stream ? this.#right.judge : 'asked'
  }

  /** Connects before it is needed; harmless when already open. */
  warm(): void {
    if (!this.#scope && !this.#options.signal.aborted) void this.#open()
  }

  /** Recognise the caller's audio from `fromMs` on as `turn`. */
  listen(turn: string, fromMs: number): void {
    this.discard(this.#spoken?.turn ?? '')
    this.#reroute()
    const stable = new StableWords(this.#options.clock, () => this.#options.partial?.(turn))
    this.#utterances.push(utteranceFrom(turn, fromMs, stable))
    this.warm()
    this.hear()
  }

  /** Another recogniser for the next utterance, when the facts ask for one and nothing is owed by the present. */
  #reroute(): void {
    if (!this.#stream || this.#utterances.length > 0) return
    const next = this.#choice.choose(this.#candidate)
    const same = keyedIdOf(next) === keyedIdOf(this.#candidate) && this.#right.stands(next.adapter)
    const { language, held = language } = this.#options
    if (same && this.#language === held(next.adapter)) return
    const { close } = this.#stream
    void close.call(this.#stream)
    this.#scope?.cancel('superseded')
    this.#stream = undefined
    this.#scope = undefined
  }

  /** More of the caller may be audible; ignored outside an utterance. */
  hear(): void {
    const utterance = this.#spoken
    if (utterance) this.#write(utterance, this.#options.audibleMs())
  }

  preview(turn: string): void {
    if (turn !== this.#spoken?.turn) return
    this.#spoken.stable.silent()
    this.hear()
    this.#stream?.preview()
  }

  /** The utterance is over: its audio ends at `endMs`. */
  finalize(turn: string, endMs: number): void {
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    utterance.endMs = endMs
    if (utterance.failed !== undefined) {
      this.#utterances.pop()
      return this.#report(turn, utterance.failed, WENT_AWAY)
    }
    utterance.attempt = this.#attempt(this.#candidate, 'first', utterance)
    this.#arm(utterance, this.#candidate)
    this.#finish(utterance, endMs)
    this.warm()
  }

  hasStable(turn: string): boolean {
    return (this.#owedTo(turn)?.stable.standing ?? '') !== ''
  }

  /** No final in time: the words that stand are taken for it. False when there are none. */
  promote(turn: string): boolean {
    const utterance = this.#owedTo(turn)
    const text = utterance?.stable.standing ?? ''
    if (!utterance || text === '') return false
    utterance.promoted = true
    const { fromMs, endMs } = utterance
    const at = this.#options.clock.now()
    const audioMs = (endMs ?? fromMs) - fromMs
    this.#options.report({ type: 'final', at, turn, text, language: null, audioMs })
    return true
  }

  #owedTo(turn: string): Utterance | undefined {
    return this.#utterances.find((one) => one.turn === turn && one.endMs !== null && !one.promoted)
  }

  discard(turn: string): void {
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    this.#utterances.pop()
    settle(utterance)
    rewind(utterance)
    this.#stream?.discard()
  }

  /** Recognises audio that is there whole, on a stream of its own; answered by a `final` or `sttFailed` of `turn`. */
  written(turn: string, audio: Uint8Array, format: AudioFormat): void {
    const { endMs, ...whole } = wholeAudio(audio, format, this.#options.candidates, this.#candidate)
    const own = new Recogniser({
      ...this.#options,
      ...whole,
      ownTurns: () => undefined,
      report: (event) => {
        if (event.type !== 'partial' && this.#written.delete(own)) void own.close()
        this.#options.report(event)
      },
    })
    this.#written.add(own)
    own.listen(turn, 0)
    own.finalize(turn, endMs)
  }

  /** From where the ring must keep the caller's audio; null when nothing is being recognised. */
  get neededFromMs(): number | null {
    return this.#utterances[0]?.fromMs ?? null
  }

  async close(): Promise<void> {
    const written = [...this.#written].map((own) => own.close())
    for (const utterance of this.#utterances.splice(0)) {
      settle(utterance)
      utterance.attempt?.cut()
      rewind(utterance)
    }
    const stream = this.#stream
    this.#stream = undefined
    this.#scope?.cancel('hangup')
    await Promise.all([stream?.close(), ...written])
  }

  /** The utterance that is still being spoken. */
  get #spoken(): Utterance | undefined {
    const last = this.#utterances.at(-1)
    return last?.endMs === null ? last : undefined
  }

  get #format(): AudioFormat {
    return this.#candidate.adapter.caps.inputs[0] as AudioFormat
  }

  #write(utterance: Utterance, toMs: number): void {
    if (!this.#stream || utterance.failed !== undefined || toMs <= utterance.writtenMs) return
    const { bytes, format } = this.#options.audio(utterance.writtenMs, toMs)
    utterance.writtenMs = toMs
    if (utterance.converter && !sameFormat(utterance.converter.from, format)) this.#flush(utterance)
    utterance.converter ??= { from: format, to: createConverter(format, this.#format) }
    const pcm = utterance.converter.to.process(bytes)
    if (pcm.length > 0) this.#stream.write(pcm)
  }

  #flush(utterance: Utterance): void {
    const tail = utterance.converter?.to.flush()
    utterance.converter?.to.close()
    utterance.converter = undefined
    if (tail && tail.length > 0) this.#stream?.write(tail)
  }

  #finish(utterance: Utterance, endMs: number): void {
    if (!this.#stream) return
    this.#write(utterance, endMs)
    this.#flush(utterance)
    this.#stream?.finalize()
  }

  /** One stream, from its opening to its end; whatever it owed then is `lost`. */
  async #open(): Promise<void> {
    const scope = openScope(this.#options.signal)
    this.#scope = scope
    this.#candidate = this.#choice.choose(this.#candidate)
    let error: unknown
    try {
      const stream = await this.#connect(scope.signal)
      this.#stream = stream
      const heardMs = this.#options.audibleMs()
      this.#right.serve(this.#candidate.adapter, heardMs - (this.#utterances[0]?.fromMs ?? heardMs))
      for (const utterance of this.#utterances) {
        if (utterance.endMs === null) this.hear()
        else this.#finish(utterance, utterance.endMs)
      }
      for await (const event of stream) this.#heard(event)
    } catch (cause) {
      error = cause
    } finally {
      // Whatever the adapter still waits for goes with its stream.
      scope.cancel('done')
    }
    // Another stream may have taken its place.
    if (this.#scope !== scope) return
    this.#stream = undefined
    this.#scope = undefined
    if (!this.#options.signal.aborted) this.#lost(error instanceof ProviderError ? error.kind : 'transient')
  }

  async #connect(signal: AbortSignal): Promise<SttStream> {
    const { clock, language, held = language } = this.#options
    const candidate = this.#candidate
    const wanted = held(candidate.adapter)
    this.#language = wanted
    const opening = candidate.adapter.open({
      format: this.#format,
      signal,
      clock,
      ...(wanted === undefined ? {} : { language: wanted }),
      ...this.#right.grant(candidate.adapter),
    })
    try {
      return await orAborted(opening, signal)
    } catch (error) {
      // One that opens after all is not left standing.
      opening.then((late) => late.close()).catch(() => {})
      throw error
    }
  }

  #heard(event: SttEvent): void {
    const first = this.#utterances[0]
    if (!first) return
    const at = this.#options.clock.now()
    if (event.type === 'final') return this.#answered(first, event, at)
    // Of a recogniser that was not asked to judge, it is news of silence only.
    if (event.type === 'resumed' || (event.type !== 'partial' && this.turnJudge === 'asked')) return
    // Until the first utterance's final comes, what arrives is still of it.
    const words = wordsOf(event)
    const { text, stable, complete } = words
    first.stable.heard(complete ? text : stable, complete ? 'all' : 'more')
    if (first !== this.#spoken) return
    this.#options.report({ type: 'partial', at, turn: first.turn, ...words })
    if (event.type === 'endOfTurn') this.#options.turnEnded?.()
  }

  #answered(first: Utterance, event: Extract<SttEvent, { type: 'final' }>, at: number): void {
    const { turn, fromMs, endMs, attempt } = first
    if (endMs === null) return
    this.#utterances.shift()
    settle(first)
    attempt?.ok()
    if (first.promoted) return
    const { text, language = null, confidence } = event
    const audioMs = endMs - fromMs
    this.#options.report({ type: 'final', at, turn, text, language, confidence, audioMs })
  }

  #arm(utterance: Utterance, candidate: Candidate<SttAdapter>): void {
    const { ms, next } = this.#choice.window(utterance, candidate)
    utterance.deadline?.cancel()
    utterance.deadline = this.#options.clock.setTimer(ms, () =>
      next ? this.#silent() : this.#overdue(utterance),
    )
  }

  /** It accepted the audio and says nothing: somebody else gets all of it. */
  #silent(): void {
    const scope = this.#scope
    this.#stream = undefined
    this.#scope = undefined
    scope?.cancel('deadline')
    this.#lost('timeout')
  }

  /** Too late for its turn, and nobody else is there. The next utterance gets a fresh stream. */
  #overdue(utterance: Utterance): void {
    this.#utterances = this.#utterances.filter((one) => one !== utterance)
    this.#fail(utterance, 'timeout', 'recognition did not answer in time')
    this.#scope?.cancel('deadline')
  }

  /** The stream ended, or never opened. With nothing owed, the next utterance opens another. */
  #lost(kind: ProviderErrorKind): void {
    this.#settlePromoted(kind)
    const owed = this.#utterances.filter(({ failed }) => failed === undefined)
    if (owed.length > 0) this.#choice.lost(this.#candidate, kind)
    // No attempt tells of a stream that broke while the caller still spoke.
    if (owed.length > 0 && owed.every(({ attempt }) => attempt === undefined)) {
      this.#attempt(this.#candidate, 'first', null).failed(kind)
    }
    const next = this.#choice.choose(this.#candidate)
    const tries = Math.max(MIN_TRIES, this.#options.candidates().length)
    for (const utterance of owed) {
      const spoken = utterance.endMs === null
      utterance.attempt?.failed(kind)
      rewind(utterance)
      if (++utterance.losses < tries) {
        if (spoken) continue
        const same = keyedIdOf(next) === keyedIdOf(this.#candidate)
        const reason = same ? 'retry' : `fallback: ${kind}`
        utterance.attempt = this.#attempt(next, reason, utterance)
        this.#arm(utterance, next)
      } else if (spoken) {
        utterance.failed = kind
      } else {
        this.#utterances = this.#utterances.filter((one) => one !== utterance)
        settle(utterance)
        this.#fail(utterance, kind, WENT_AWAY)
      }
    }
    if (this.#utterances.some(({ failed }) => failed === undefined)) this.warm()
  }

  /** Their words are known: nobody else is asked for them. */
  #settlePromoted(kind: ProviderErrorKind): void {
    for (const utterance of this.#utterances) {
      const { promoted, attempt } = utterance
      if (!promoted) continue
      settle(utterance)
      attempt?.failed(kind)
    }
    this.#utterances = this.#utterances.filter(({ promoted }) => !promoted)
  }

  /** `utterance` null: of no turn that has a record. */
  #attempt(candidate: Candidate<SttAdapter>, reason: string, utterance: Utterance | null): SttAttempt {
    const { clock, health, language, pricing, attempts } = this.#options
    const log = utterance ? attempts(utterance.turn) : undefined
    const audioMs = () => (utterance ? utterance.writtenMs - utterance.fromMs : 0)
    return startAttempt({ candidate, reason, clock, health, language: language(), log, pricing, audioMs })
  }

  #fail({ turn, attempt, promoted }: Utterance, kind: ProviderErrorKind, message: string): void {
    attempt?.failed(kind)
    if (!promoted) this.#report(turn, kind, message)
  }

  #report(turn: string, code: string, message: string): void {
    this.#options.report({ type: 'sttFailed', at: this.#options.clock.now(), turn, code, message })
  }
}
