/**
 * What the answers of socket-spoken voices have in common: sentences wait their turn, a line is leased while the
 * answer lasts and replaced between sentences when it went away, and everything ends once: said, failed or aborted.
 * How a sentence is asked for, and how its sound is known, is each provider's own.
 *
 *     say ─► waiting ─ start ─► outstanding (at the provider) ─► output ─► reader
 */
import type { AudioFormat } from '../audio/format.ts'
import { isCancelled } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { Sentence, TtsEvent, TtsStream } from '../stage/tts.ts'
import { SpeechOutput } from './speech-output.ts'

/** Sentences that may wait in one answer, and the longest taken: a splitter makes far shorter ones. */
const SENTENCE_LIMIT = 2_000
const SENTENCE_CHARACTERS = 2_000

/** An answer's hold on a shared socket. */
export interface Line {
  /** False once the socket is gone, or so long idle that it may be. */
  readonly usable: boolean
  /** Nothing came although something was owed since `since` (clock): no further answers on this socket. */
  suspect(since: number): void
  /** Idempotent. */
  release(): void
}

export interface AnswerOptions<L extends Line> {
  readonly provider: string
  readonly format: AudioFormat
  readonly signal: AbortSignal
  readonly clock: Clock
  /** `onRoom`: something may be possible that was not before. Throws `ProviderError` or the signal's reason. */
  readonly lease: (onRoom: () => void) => Promise<L>
}

export abstract class AnswerStream<L extends Line> implements TtsStream {
  protected readonly options: AnswerOptions<L>
  protected readonly output: SpeechOutput
  #line: L | undefined
  readonly #waiting: Sentence[] = []
  readonly #onAbort = () => this.#aborted()
  #leasing = false
  #ended = false
  #allStarted = false
  #over = false
  #startedAt = 0

  constructor(options: AnswerOptions<L>) {
    this.options = options
    const { provider, format, signal } = options
    this.output = new SpeechOutput({
      provider,
      format,
      signal,
      onTaken: () => this.pump(),
      onLeft: () => this.#leave(),
    })
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Resolves once there is a line to speak on. Throws what leasing throws. */
  async connect(): Promise<this> {
    try {
      const line = await this.options.lease(() => this.pump())
      if (this.#over) line.release()
      else this.#line = line
    } catch (error) {
      this.#leave()
      throw error
    }
    this.options.signal.throwIfAborted()
    return this
  }

  say(sentence: Sentence): void {
    if (this.#over || this.#ended) return
    if (sentence.text.length > SENTENCE_CHARACTERS || this.#waiting.length >= SENTENCE_LIMIT) {
      const most = `${SENTENCE_LIMIT} sentences waiting, ${SENTENCE_CHARACTERS} characters in one`
      return this.fail(this.error('bad_request', `more than ${most}`))
    }
    this.#waiting.push(sentence)
    this.pump()
  }

  end(): void {
    if (this.#over || this.#ended) return
    this.#ended = true
    this.pump()
  }

  [Symbol.asyncIterator](): AsyncIterator<TtsEvent> {
    return this.output[Symbol.asyncIterator]()
  }

  /** Asks the provider for this sentence. False when it cannot now; `onRoom` or an answer of the provider will come. */
  protected abstract start(sentence: Sentence, line: L): boolean
  /** Sentences asked for and not complete. */
  protected abstract get outstanding(): number
  /** All sentences there will be were asked for; called once. */
  protected abstract lastStarted(): void
  /** Stops what is outstanding; its late sound must find nobody. */
  protected abstract letGo(): void

  /** Does what can be done now. */
  protected pump(): void {
    while (!this.#over && this.#waiting.length > 0 && !this.output.full) {
      if (!this.#line?.usable) {
        if (this.outstanding === 0) this.#leaseAgain()
        return
      }
      if (!this.start(this.#waiting[0]!, this.#line)) return
      this.#waiting.shift()
      this.#startedAt = this.options.clock.now()
    }
    if (this.#over || !this.#ended || this.#waiting.length > 0) return
    if (!this.#allStarted) {
      this.#allStarted = true
      this.lastStarted()
    }
    if (this.outstanding > 0) return
    this.output.close()
    this.#leave()
  }

  protected fail(error: unknown): void {
    if (this.#over) return
    this.output.fail(error)
    this.#leave()
  }

  protected error(kind: ProviderErrorKind, message: string): ProviderError {
    return new ProviderError({ provider: this.options.provider, stage: 'tts', kind, message })
  }

  #leaseAgain(): void {
    if (this.#leasing) return
    this.#leasing = true
    this.#line?.release()
    this.#line = undefined
    const leased = this.options.lease(() => this.pump())
    leased.then(
      (line) => {
        this.#leasing = false
        if (this.#over) return line.release()
        this.#line = line
        // A server that takes connections and ends them is not called again and again.
        if (!line.usable) return this.fail(this.error('transient', 'the connection closed at once'))
        this.pump()
      },
      (error) => this.fail(error),
    )
  }

  #aborted(): void {
    const { reason } = this.options.signal
    // A socket may be dead without saying so; only a deadline can tell.
    const late = isCancelled(reason) && reason.reason === 'deadline' && this.outstanding > 0
    if (late) this.#line?.suspect(this.#startedAt)
    this.#leave()
  }

  #leave(): void {
    if (this.#over) return
    this.#over = true
    this.options.signal.removeEventListener('abort', this.#onAbort)
    this.#waiting.length = 0
    this.letGo()
    this.#line?.release()
    this.#line = undefined
  }
}
