/**
 * A session's stream on a recogniser that hears a stretch of audio as a whole: utterances in order, the last of them still
 * growing, and the events they give. The engine asks it for jobs and tells it how they ended.
 */
import { samplesOf } from '../audio/samples.ts'
import { Channel } from '../channel.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { SttEvent, SttStream } from '../stage/stt.ts'
import { type Cutting, type Heard, type Job, type Purpose, WholeUtterance } from './whole-utterance.ts'

/** Events that may wait for the reader; from half of that on, partials are left out. */
const UNREAD_EVENTS = 64
/** Utterances that wait for their final. A session commits one at a time; a flood is refused. */
const WAITING_FINALS = 32

export interface WholeEngine {
  /** What the stream wants may have changed. */
  changed(stream: WholeStream): void
  gone(stream: WholeStream): void
  /** May a stream with this backlog of unheard samples take more? */
  hasRoom(stream: WholeStream, samples: number): boolean
}

export interface WholeFacts {
  readonly provider: string
  readonly cutting: Cutting
  /** Of every word, where the recogniser knows one language only. */
  readonly language?: string
}

export class WholeStream implements SttStream {
  readonly #events: Channel<SttEvent>
  #utterances: WholeUtterance[]
  /** Where the utterance being spoken begins. */
  #spokenFrom = 0
  #lastPartial = ''
  #ended = false
  readonly #onAbort: () => void

  constructor(
    private readonly engine: WholeEngine,
    private readonly signal: AbortSignal,
    private readonly facts: WholeFacts,
  ) {
    this.#utterances = [new WholeUtterance(facts.cutting)]
    this.#events = new Channel({ capacity: UNREAD_EVENTS, signal })
    // The channel fails by itself, and drops what nobody read.
    this.#onAbort = () => this.#end(() => {})
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get #current(): WholeUtterance {
    return this.#utterances.at(-1)!
  }

  /** Samples that were never recognised yet. */
  get backlog(): number {
    return this.#utterances.reduce((sum, utterance) => sum + utterance.backlog, 0)
  }

  write(audio: Uint8Array): void {
    if (this.#ended) return
    const samples = samplesOf(audio)
    if (!this.engine.hasRoom(this, samples.length)) {
      this.break('rate', 'too much audio waits for recognition')
      return
    }
    this.#current.write(samples)
    this.engine.changed(this)
  }

  preview(): void {
    if (this.#ended) return
    this.#current.askPreview()
    this.#progress()
  }

  finalize(): void {
    if (this.#ended) return
    if (this.#utterances.length > WAITING_FINALS) {
      this.break('rate', 'too many utterances wait for recognition')
      return
    }
    this.#current.askFinal()
    this.#utterances.push(this.#following())
    this.#lastPartial = ''
    this.#progress()
  }

  discard(): void {
    if (this.#ended) return
    this.#utterances[this.#utterances.length - 1] = this.#following()
    this.#lastPartial = ''
    this.engine.changed(this)
  }

  async close(): Promise<void> {
    this.#end(() => this.#events.close())
  }

  /** Ends with an error; the attempt layer decides what next. */
  break(kind: ProviderErrorKind, message: string, cause?: unknown): void {
    const { provider } = this.facts
    const error = new ProviderError({ provider, stage: 'stt', kind, message, cause })
    this.#end(() => this.#events.fail(error))
  }

  get wants(): Purpose | undefined {
    return this.#ended ? undefined : this.#utterances[0]!.wants
  }

  /** A preview or a final was asked for and not given yet. */
  get awaitsAnswer(): boolean {
    return !this.#ended && this.#utterances[0]!.isAsked
  }

  get runningIsStale(): boolean {
    return this.#ended || this.#utterances[0]!.runningIsStale
  }

  begin(): { readonly utterance: WholeUtterance; readonly job: Job } | undefined {
    const utterance = this.#utterances[0]!
    const job = this.#ended ? undefined : utterance.begin()
    return job && { utterance, job }
  }

  /** Ends with what somebody else threw. */
  fail(error: ProviderError): void {
    this.#end(() => this.#events.fail(error))
  }

  /** What a job gave. Nothing happens when its utterance was discarded meanwhile. */
  heard(utterance: WholeUtterance, job: Job, heard: Heard): void {
    utterance.done(job, heard)
    if (this.#ended || this.#utterances[0] !== utterance) return
    if (job.purpose === 'partial' && !utterance.isAsked) this.#partial(utterance)
    this.#progress()
  }

  gaveUp(utterance: WholeUtterance, job: Job): void {
    utterance.dropped(job)
    this.#progress()
  }

  isHearing(utterance: WholeUtterance): boolean {
    return !this.#ended && this.#utterances[0] === utterance
  }

  next(): Promise<IteratorResult<SttEvent>> {
    return this.#events.next()
  }

  return(): Promise<IteratorResult<SttEvent>> {
    this.#end(() => this.#events.close())
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterator<SttEvent> {
    return this
  }

  /** Gives every answer that is ready, in order, then says what is wanted next. */
  #progress(): void {
    for (;;) {
      if (this.#ended) return
      const answer = this.#utterances[0]!.takeAnswer()
      if (!answer) break
      const { kind, text, ...heard } = answer
      const language = this.#languageOf(heard.language)
      if (kind === 'preview') {
        this.#lastPartial = text
        this.#emit({ type: 'partial', text, stable: text, complete: true, ...language })
      } else {
        this.#utterances.shift()
        this.#emit({ type: 'final', text, ...heard, ...language })
      }
    }
    this.engine.changed(this)
  }

  #partial(utterance: WholeUtterance): void {
    const { text, stable } = utterance
    const asShown = `${stable}|${text}`
    if (text === '' || asShown === this.#lastPartial || this.#events.size >= UNREAD_EVENTS / 2) return
    this.#lastPartial = asShown
    const language = this.#languageOf(utterance.language)
    this.#emit({ type: 'partial', text, stable, complete: false, ...language })
  }

  #languageOf(heard: string | undefined): { readonly language?: string } {
    const language = heard ?? this.facts.language
    return language === undefined ? {} : { language }
  }

  /** The utterance after the one being spoken. */
  #following(): WholeUtterance {
    this.#spokenFrom += this.#current.samples
    return new WholeUtterance(this.facts.cutting, this.#spokenFrom)
  }

  #emit(event: SttEvent): void {
    if (!this.#events.push(event) && !this.#events.ended) {
      this.break('rate', 'nobody reads what was recognised')
    }
  }

  #end(settle: () => void): void {
    if (this.#ended) return
    this.#ended = true
    this.signal.removeEventListener('abort', this.#onAbort)
    this.#utterances = [this.#following()]
    settle()
    this.engine.gone(this)
  }
}
