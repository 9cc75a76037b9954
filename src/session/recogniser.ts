/**
 * The session's hold on a recogniser's stream. Opened at the caller's first words and kept for many turns; each
 * `finalize` is one attempt, answered by one `final` or by `sttFailed`. All audio is read from the session's ring, so
 * that a stream that breaks loses nothing: what was not recognised yet is written into a new one, once.
 *
 *     listen ─► hear hear hear … preview ─► partial
 *            ─► hear … finalize ─► final | sttFailed
 */
import type { HealthView } from '../attempt/health.ts'
import { type Candidate, firstOf } from '../attempt/lineup.ts'
import { type Converter, createConverter } from '../audio/convert.ts'
import { type AudioFormat, sameFormat } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import type { Clock, Timer } from '../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { SttAdapter, SttEvent, SttStream } from '../stage/stt.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { RecognitionEvent } from './events.ts'
import { type SttAttempt, startAttempt } from './stt-attempt.ts'

/** No final by then: the turn fails. Moonshine base needs 1 s for ten seconds of speech on a busy core. */
export const FINAL_DEADLINE_MS = 10_000

const WENT_AWAY = 'the recogniser went away'
/** Streams tried for one utterance: every candidate's, and a lone one's twice. */
const MIN_TRIES = 2
/** A recogniser that was lost is not the first choice again before. */
const MISTRUST_MS = 30_000

export interface RecogniserOptions {
  /** In the order to be tried; asked at each utterance, since what is known of the caller changes. */
  readonly candidates: () => readonly Candidate<SttAdapter>[]
  readonly clock: Clock
  readonly health: HealthView
  readonly signal: AbortSignal
  /** Asked when a stream is opened. */
  readonly language: () => string | undefined
  readonly report: (event: RecognitionEvent) => void
  readonly attempts: (turn: string) => AttemptLog | undefined
  /** The audio time up to which the caller may be heard now. */
  readonly audibleMs: () => number
  /** The caller's audio between two audio times, as far as the ring holds it; whole samples. */
  readonly audio: (
    fromMs: number,
    toMs: number,
  ) => { readonly bytes: Uint8Array; readonly format: AudioFormat }
}

interface Utterance {
  readonly turn: string
  readonly fromMs: number
  /** Null while the caller speaks. */
  endMs: number | null
  /** Up to where the stream has it. */
  writtenMs: number
  converter: { readonly from: AudioFormat; readonly to: Converter } | undefined
  /** Streams lost with it. */
  losses: number
  /** Given up while the caller still spoke: its end will say so. */
  failed: ProviderErrorKind | undefined
  deadline: Timer | undefined
  attempt: SttAttempt | undefined
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
  /** When each target was last lost. */
  readonly #lostAt = new Map<string, number>()

  /** Throws `NoCandidate`. */
  constructor(options: RecogniserOptions) {
    this.#options = options
    this.#candidate = firstOf('stt', options.candidates())
  }

  /** Connects before it is needed; harmless when already open. */
  warm(): void {
    if (!this.#scope && !this.#options.signal.aborted) void this.#open()
  }

  /** Recognise the caller's audio from `fromMs` on as `turn`. */
  listen(turn: string, fromMs: number): void {
    this.discard(this.#spoken?.turn ?? '')
    this.#reroute()
    this.#utterances.push({
      turn,
      fromMs,
      endMs: null,
      writtenMs: fromMs,
      converter: undefined,
      losses: 0,
      failed: undefined,
      deadline: undefined,
      attempt: undefined,
    })
    this.warm()
    this.hear()
  }

  /** Another recogniser for the next utterance, when the facts ask for one and nothing is owed by the present. */
  #reroute(): void {
    if (
      !this.#stream ||
      this.#utterances.length > 0 ||
      targetOf(this.#choose()) === targetOf(this.#candidate)
    )
      return
    const { close } = this.#stream
    void close.call(this.#stream)
    this.#scope?.cancel('superseded')
    this.#stream = undefined
    this.#scope = undefined
  }

  /** The first of the candidates that was not lost lately; if all were, the one that was lost longest ago. */
  #choose(): Candidate<SttAdapter> {
    const candidates = this.#options.candidates()
    const now = this.#options.clock.now()
    const since = (candidate: Candidate<SttAdapter>) =>
      now - (this.#lostAt.get(targetOf(candidate)) ?? Number.NEGATIVE_INFINITY)
    const trusted = candidates.find((candidate) => since(candidate) >= MISTRUST_MS)
    return trusted ?? candidates.toSorted((a, b) => since(b) - since(a))[0] ?? this.#candidate
  }

  /** More of the caller may be audible; ignored outside an utterance. */
  hear(): void {
    const utterance = this.#spoken
    if (utterance) this.#write(utterance, this.#options.audibleMs())
  }

  preview(turn: string): void {
    if (turn !== this.#spoken?.turn) return
    this.hear()
    this.#stream?.preview()
  }

  /** The utterance is over: its audio ends at `endMs`. */
  finalize(turn: string, endMs: number): void {
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    const { clock } = this.#options
    utterance.endMs = endMs
    if (utterance.failed !== undefined) {
      this.#utterances.pop()
      return this.#report(turn, utterance.failed, WENT_AWAY)
    }
    utterance.attempt = this.#attempt(this.#candidate, 'first', this.#options.attempts(turn))
    utterance.deadline = clock.setTimer(FINAL_DEADLINE_MS, () => this.#overdue(utterance))
    this.#finish(utterance, endMs)
    this.warm()
  }

  discard(turn: string): void {
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    this.#utterances.pop()
    rewind(utterance)
    this.#stream?.discard()
  }

  /** From where the ring must keep the caller's audio; null when nothing is being recognised. */
  get neededFromMs(): number | null {
    return this.#utterances[0]?.fromMs ?? null
  }

  async close(): Promise<void> {
    for (const utterance of this.#utterances.splice(0)) {
      utterance.deadline?.cancel()
      utterance.attempt?.cut()
      rewind(utterance)
    }
    const stream = this.#stream
    this.#stream = undefined
    this.#scope?.cancel('hangup')
    await stream?.close()
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
    this.#candidate = this.#choose()
    let error: unknown
    try {
      const stream = await this.#connect(scope.signal)
      this.#stream = stream
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
    const { clock, language } = this.#options
    const candidate = this.#candidate
    const wanted = language()
    const opening = candidate.adapter.open({
      format: this.#format,
      signal,
      clock,
      ...(wanted === undefined ? {} : { language: wanted }),
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
    // Until the first utterance's final comes, what arrives is still of it.
    if (event.type !== 'partial' || first !== this.#spoken) return
    const { text, stable, complete } = event
    this.#options.report({ type: 'partial', at, turn: first.turn, text, stable, complete })
  }

  #answered(first: Utterance, event: Extract<SttEvent, { type: 'final' }>, at: number): void {
    const { turn, fromMs, endMs, attempt } = first
    if (endMs === null) return
    this.#utterances.shift()
    first.deadline?.cancel()
    attempt?.ok()
    const language = event.language ?? null
    this.#options.report({ type: 'final', at, turn, text: event.text, language, audioMs: endMs - fromMs })
  }

  /** Too late for its turn. A stream that is ten seconds behind is given up: the next utterance gets a fresh one. */
  #overdue(utterance: Utterance): void {
    this.#utterances = this.#utterances.filter((one) => one !== utterance)
    this.#fail(utterance, 'timeout', 'recognition did not answer in time')
    this.#scope?.cancel('deadline')
  }

  /** The stream ended, or never opened. With nothing owed, the next utterance opens another. */
  #lost(kind: ProviderErrorKind): void {
    const owed = this.#utterances.filter(({ failed }) => failed === undefined)
    if (owed.length > 0) this.#lostAt.set(targetOf(this.#candidate), this.#options.clock.now())
    // No attempt tells of a stream that broke while the caller still spoke.
    if (owed.length > 0 && owed.every(({ attempt }) => attempt === undefined)) {
      this.#attempt(this.#candidate, 'first', undefined).failed(kind)
    }
    const next = this.#choose()
    const tries = Math.max(MIN_TRIES, this.#options.candidates().length)
    for (const utterance of owed) {
      rewind(utterance)
      const spoken = utterance.endMs === null
      if (++utterance.losses < tries) {
        if (spoken) continue
        utterance.attempt?.failed(kind)
        const same = targetOf(next) === targetOf(this.#candidate)
        const reason = same ? 'retry' : `fallback: ${kind}`
        utterance.attempt = this.#attempt(next, reason, this.#options.attempts(utterance.turn))
      } else if (spoken) {
        utterance.failed = kind
      } else {
        this.#utterances = this.#utterances.filter((one) => one !== utterance)
        utterance.deadline?.cancel()
        this.#fail(utterance, kind, WENT_AWAY)
      }
    }
    if (this.#utterances.some(({ failed }) => failed === undefined)) this.warm()
  }

  #attempt(candidate: Candidate<SttAdapter>, reason: string, log: AttemptLog | undefined): SttAttempt {
    const { clock, health, language } = this.#options
    return startAttempt({ candidate, reason, clock, health, language: language(), log })
  }

  #fail({ turn, attempt }: Utterance, kind: ProviderErrorKind, message: string): void {
    attempt?.failed(kind)
    this.#report(turn, kind, message)
  }

  #report(turn: string, code: string, message: string): void {
    this.#options.report({ type: 'sttFailed', at: this.#options.clock.now(), turn, code, message })
  }
}

function targetOf({ provider, model }: Candidate<unknown>): string {
  return `${provider}/${model}`
}

/** As if nothing of it had been written. */
function rewind(utterance: Utterance): void {
  utterance.converter?.to.close()
  utterance.converter = undefined
  utterance.writtenMs = utterance.fromMs
}
