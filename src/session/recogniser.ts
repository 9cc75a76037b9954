/**
 * The session's hold on a recogniser's stream. Opened at the caller's first words and kept for many turns; each
 * `finalize` is one attempt, answered by one `final` or, at the deadline, by `sttFailed`. When the stream breaks, what
 * was not recognised yet is read from the session's ring and written into a new one, once.
 */
import type { Candidate } from '../attempt/lineup.ts'
import { type Converter, createConverter } from '../audio/convert.ts'
import type { AudioFormat } from '../audio/format.ts'
import { openScope, type Scope } from '../cancel.ts'
import type { Clock, Timer } from '../clock.ts'
import { ProviderError } from '../errors.ts'
import type { SttAdapter, SttEvent, SttStream } from '../stage/stt.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { RecognitionEvent } from './events.ts'

/** No final by then: the turn fails. Moonshine base needs 1 s for ten seconds of speech on a busy core. */
export const FINAL_DEADLINE_MS = 10_000

const WENT_AWAY = 'the recogniser went away'
/** Streams tried for one utterance. */
const MAX_TRIES = 2

export interface RecogniserOptions {
  readonly candidate: Candidate<SttAdapter>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly language?: string | undefined
  readonly report: (event: RecognitionEvent) => void
  readonly attempts: (turn: string) => AttemptLog | undefined
  /** The caller's audio between two audio times, as far as the ring holds it; null: up to now. */
  readonly audio: (
    fromMs: number,
    toMs: number | null,
  ) => { readonly bytes: Uint8Array; readonly format: AudioFormat }
}

interface Utterance {
  readonly turn: string
  readonly fromMs: number
  /** Null while the caller speaks. */
  endMs: number | null
  tries: number
  converter: Converter | undefined
  deadline: Timer | undefined
  attempt: number | undefined
  overdue: boolean
}

export class Recogniser {
  readonly #options: RecogniserOptions
  /** Not answered yet, oldest first; only the last may still be spoken. */
  #utterances: Utterance[] = []
  #stream: SttStream | undefined
  #scope: Scope | undefined
  /** An utterance given up while it was still spoken: its end will say so. */
  #givenUp: { readonly turn: string; readonly code: string } | undefined

  constructor(options: RecogniserOptions) {
    this.#options = options
  }

  /** Connects before it is needed; harmless when already open. */
  warm(): void {
    if (!this.#scope && !this.#options.signal.aborted) void this.#open()
  }

  /** Recognise the caller's audio from `fromMs` on as `turn`. */
  listen(turn: string, fromMs: number): void {
    this.discard(this.#spoken?.turn ?? '')
    const utterance: Utterance = {
      turn,
      fromMs,
      endMs: null,
      tries: 0,
      converter: undefined,
      deadline: undefined,
      attempt: undefined,
      overdue: false,
    }
    this.#utterances.push(utterance)
    if (this.#stream) this.#replay(this.#stream, utterance)
    else this.warm()
  }

  /** The caller's audio as it arrives, after the ring has it; ignored outside an utterance. */
  write(audio: Uint8Array, format: AudioFormat): void {
    const utterance = this.#spoken
    if (!utterance || !this.#stream) return
    const pcm = this.#convert(utterance, audio, format)
    if (pcm.length > 0) this.#stream.write(pcm)
  }

  preview(turn: string): void {
    if (turn === this.#spoken?.turn) this.#stream?.preview()
  }

  /** The utterance is over; `endMs` is the audio time up to which it was written. */
  finalize(turn: string, endMs: number): void {
    if (this.#givenUp?.turn === turn) return this.#report(turn, this.#givenUp.code, WENT_AWAY)
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    const { clock, candidate } = this.#options
    utterance.endMs = endMs
    utterance.attempt = this.#options.attempts(turn)?.start('stt', candidate, 'first')
    utterance.deadline = clock.setTimer(FINAL_DEADLINE_MS, () => this.#overdue(utterance))
    if (this.#stream) this.#finish(this.#stream, utterance)
    else this.warm()
  }

  discard(turn: string): void {
    const utterance = this.#spoken
    if (utterance?.turn !== turn) return
    this.#utterances.pop()
    utterance.converter?.close()
    this.#stream?.discard()
  }

  /** From where the ring must keep the caller's audio; null when nothing is being recognised. */
  get neededFromMs(): number | null {
    return this.#utterances[0]?.fromMs ?? null
  }

  /** Where the utterance being spoken begins. */
  get spokenFromMs(): number | null {
    return this.#spoken?.fromMs ?? null
  }

  async close(): Promise<void> {
    for (const { deadline, converter } of this.#utterances.splice(0)) {
      deadline?.cancel()
      converter?.close()
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
    return this.#options.candidate.adapter.caps.inputs[0] as AudioFormat
  }

  #convert(utterance: Utterance, audio: Uint8Array, from: AudioFormat): Uint8Array {
    utterance.converter ??= createConverter(from, this.#format)
    return utterance.converter.process(audio)
  }

  /** Writes what the ring holds of the utterance, from its beginning to its end or to this moment. */
  #replay(stream: SttStream, utterance: Utterance): void {
    utterance.tries++
    utterance.converter?.close()
    utterance.converter = undefined
    const { bytes, format } = this.#options.audio(utterance.fromMs, utterance.endMs)
    const pcm = this.#convert(utterance, bytes, format)
    if (pcm.length > 0) stream.write(pcm)
    if (utterance.endMs !== null) this.#finish(stream, utterance)
  }

  #finish(stream: SttStream, utterance: Utterance): void {
    const tail = utterance.converter?.flush()
    utterance.converter?.close()
    utterance.converter = undefined
    if (tail && tail.length > 0) stream.write(tail)
    stream.finalize()
  }

  async #open(): Promise<void> {
    const { candidate, clock, language, signal } = this.#options
    const scope = openScope(signal)
    this.#scope = scope
    try {
      const options = { format: this.#format, signal: scope.signal, clock }
      const stream = await candidate.adapter.open(language ? { ...options, language } : options)
      if (scope.signal.aborted) return void stream.close()
      this.#stream = stream
      for (const utterance of this.#utterances) this.#replay(stream, utterance)
      for await (const event of stream) this.#heard(event)
      this.#lost(undefined)
    } catch (error) {
      if (!this.#stream) for (const utterance of this.#utterances) utterance.tries++
      this.#lost(error)
    } finally {
      scope.release()
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
    if (first.endMs === null) return
    this.#utterances.shift()
    first.deadline?.cancel()
    if (first.overdue) return
    const { turn, fromMs, endMs, attempt } = first
    const log = this.#options.attempts(turn)
    log?.firstOutput(attempt)
    log?.end(attempt, 'ok')
    const language = event.language ?? null
    this.#options.report({ type: 'final', at, turn, text: event.text, language, audioMs: endMs - fromMs })
  }

  /** Too late for its turn; its final is still counted off when it comes. */
  #overdue(utterance: Utterance): void {
    utterance.overdue = true
    this.#fail(utterance, 'timeout', 'recognition did not answer in time')
  }

  /** The stream ended, or never opened. What it owed goes into a new one; with nothing owed, the next utterance opens it. */
  #lost(error: unknown): void {
    this.#stream = undefined
    this.#scope = undefined
    if (this.#options.signal.aborted) return
    const kind = error instanceof ProviderError ? error.kind : 'transient'
    const lost = this.#utterances.filter((utterance) => utterance.tries >= MAX_TRIES || utterance.overdue)
    this.#utterances = this.#utterances.filter((utterance) => !lost.includes(utterance))
    for (const utterance of lost) {
      utterance.deadline?.cancel()
      utterance.converter?.close()
      if (utterance.endMs === null) this.#givenUp = { turn: utterance.turn, code: kind }
      else if (!utterance.overdue) this.#fail(utterance, kind, WENT_AWAY)
    }
    if (this.#utterances.length > 0) this.warm()
  }

  #fail({ turn, attempt }: Utterance, code: string, message: string): void {
    this.#options.attempts(turn)?.end(attempt, 'failed', code)
    this.#report(turn, code, message)
  }

  #report(turn: string, code: string, message: string): void {
    this.#options.report({ type: 'sttFailed', at: this.#options.clock.now(), turn, code, message })
  }
}
