/**
 * One answer on its way: the model's stream cut into pieces, held back until released, then spoken or written.
 *
 *     model ─► splitter ─► pieces ─┃release┃─► voice (text to speech ─► speaker) ─► wire
 *                │                 ┃       ┃
 *                └─ tool calls, finish ─────► events to the reducer
 */
import { withDeadline } from '../attempt/deadline.ts'
import { type Candidate, firstOf, type Lineup, NoCandidate } from '../attempt/lineup.ts'
import { Cancelled, type CancelReason, openScope, type Scope } from '../cancel.ts'
import { Channel } from '../channel.ts'
import type { Clock, Timer } from '../clock.ts'
import type { FinishReason, ModelEvent, ModelRequest, ModelUsage } from '../dialect/neutral.ts'
import { ProviderError } from '../errors.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import { type Piece, SentenceSplitter } from '../stage/sentences.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { Voicing } from './effects.ts'
import type { AnswerEvent } from './events.ts'
import type { SessionSettings } from './settings.ts'
import type { Speaker } from './speaker.ts'
import { voice } from './voice.ts'

/** PROVIDERS.md section 5: hard limit on the model's first useful output, and on any later gap. */
const MODEL_FIRST_MS = 15_000
const MODEL_IDLE_MS = 5_000
/** A model that drips without ending a clause: what there is goes to the voice after this long. */
const DRIP_MS = 700
/** Far above any spoken answer; more than this unspoken means the voice has stopped taking. */
const MAX_PIECES = 4_096

export interface AnswerOptions {
  readonly response: string
  readonly turn: string
  readonly revision: number
  readonly voicing: Voicing
  readonly lineup: Lineup
  readonly speaker: Speaker
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly settings: () => SessionSettings
  readonly attempts: AttemptLog | undefined
  readonly report: (event: AnswerEvent) => void
  /** First token, first sentence: for the trace. */
  readonly mark: (name: 'llmFirstToken' | 'firstSentence' | 'ttsFirstAudio') => void
}

export class Answer {
  readonly #options: AnswerOptions
  readonly #scope: Scope
  readonly #pieces: Channel<Piece>
  readonly #released: Promise<void>
  #release: () => void = () => {}

  constructor(options: AnswerOptions) {
    this.#options = options
    this.#scope = openScope(options.signal)
    this.#pieces = new Channel({ capacity: MAX_PIECES, signal: this.#scope.signal })
    this.#released = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  /** The model begins; nothing leaves before `release`. */
  think(request: ModelRequest): void {
    void this.#run(() => this.#model(request))
  }

  recite(text: string): void {
    this.release()
    void this.#run(async () => {
      const splitter = new SentenceSplitter()
      await this.#queue([...splitter.push(text), ...splitter.flush()])
      this.#thought('stop', null, 'some')
    })
  }

  release(): void {
    this.#release()
  }

  stop(reason: CancelReason): void {
    this.#scope.cancel(reason)
    this.#release()
  }

  async #run(source: () => Promise<void>): Promise<void> {
    const { signal } = this.#scope
    const speaking = this.#released.then(() => this.#speak())
    speaking.catch(() => {})
    try {
      await source()
      this.#pieces.close()
      await speaking
    } catch (error) {
      this.#pieces.fail(error)
      await speaking.catch(() => {})
      if (!signal.aborted) this.#failed(error)
      this.#scope.cancel('done')
    } finally {
      this.#scope.release()
    }
  }

  async #model(request: ModelRequest): Promise<void> {
    const { lineup, attempts, revision } = this.#options
    const candidate = firstOf('llm', lineup.llm)
    const attempt = attempts?.start('llm', candidate, revision > 0 ? `revision ${revision}` : 'first')
    try {
      await this.#read(candidate, request, attempt)
      attempts?.end(attempt, 'ok')
    } catch (error) {
      if (this.#scope.signal.reason instanceof Cancelled && !(error instanceof ProviderError)) {
        attempts?.end(attempt, 'cancelled')
      } else attempts?.end(attempt, 'failed', error instanceof ProviderError ? error.kind : 'transient')
      throw error
    }
  }

  async #read(
    candidate: Candidate<LlmAdapter>,
    request: ModelRequest,
    attempt: number | undefined,
  ): Promise<void> {
    const { clock, response, report, attempts, mark } = this.#options
    const scope = openScope(this.#scope.signal)
    const splitter = new SentenceSplitter()
    const drip = new Drip(clock, () => void this.#queue(splitter.flushClause()))
    let usage: ModelUsage | null = null
    let finish: FinishReason = 'stop'
    let words: 'some' | 'none' = 'none'
    let first = true
    const events = withDeadline(candidate.adapter.stream(request, { signal: scope.signal, clock }), {
      clock,
      firstUsefulMs: MODEL_FIRST_MS,
      idleMs: MODEL_IDLE_MS,
      isUseful,
      scope,
      provider: candidate.provider,
      stage: 'llm',
    })
    try {
      for await (const event of events) {
        if (first && isUseful(event)) {
          first = false
          attempts?.firstOutput(attempt)
          mark('llmFirstToken')
        }
        if (event.type === 'text') {
          if (event.text.trim() !== '') words = 'some'
          await this.#queue(splitter.push(event.text))
          drip.again()
        } else if (event.type === 'toolCall') {
          const { call } = event
          void this.#released.then(() => report({ type: 'toolCalled', at: clock.now(), response, call }))
        } else if (event.type === 'usage') usage = event.usage
        else if (event.type === 'finish') finish = event.reason
      }
      await this.#queue(splitter.flush())
    } finally {
      drip.stop()
      scope.release()
    }
    this.#thought(finish, usage, words)
  }

  #thought(finish: FinishReason, usage: ModelUsage | null, words: 'some' | 'none'): void {
    const { clock, response, report } = this.#options
    void this.#released.then(() =>
      report({ type: 'thought', at: clock.now(), response, finish, usage, words }),
    )
  }

  async #queue(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) {
      this.#options.mark('firstSentence')
      await this.#pieces.send(piece)
    }
  }

  async #speak(): Promise<void> {
    const { signal } = this.#scope
    if (signal.aborted) return
    await voice(this.#pieces, { ...this.#options, signal })
  }

  #failed(error: unknown): void {
    const { clock, response, speaker, report } = this.#options
    const { said, audioMs } = speaker.giveUp(response)
    const code =
      error instanceof ProviderError
        ? error.kind
        : error instanceof NoCandidate
          ? 'no_target'
          : 'internal_error'
    const message =
      error instanceof ProviderError || error instanceof NoCandidate ? error.message : 'The answer failed.'
    report({ type: 'answerFailed', at: clock.now(), response, code, message, said, audioMs })
  }
}

function isUseful(event: ModelEvent): boolean {
  return (
    (event.type === 'text' && event.text.trim() !== '') ||
    event.type === 'toolCall' ||
    event.type === 'finish'
  )
}

/** Fires when nothing came for `DRIP_MS`; re-armed lazily, so that a fast stream costs no timers. */
class Drip {
  readonly #clock: Clock
  readonly #fire: () => void
  #lastAt = 0
  #timer: Timer | undefined

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock
    this.#fire = fire
  }

  again(): void {
    this.#lastAt = this.#clock.now()
    this.#timer ??= this.#clock.setTimer(DRIP_MS, () => this.#check())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #check(): void {
    const left = this.#lastAt + DRIP_MS - this.#clock.now()
    this.#timer = left > 0.5 ? this.#clock.setTimer(left, () => this.#check()) : undefined
    if (!this.#timer) this.#fire()
  }
}
