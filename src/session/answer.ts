/**
 * One answer on its way: the model's stream cut into pieces, held back until released, then spoken or written.
 *
 *     model ─► splitter ─► pieces ─┃release┃─► voice (text to speech ─► speaker) ─► wire
 *                │                 ┃       ┃
 *                └─ tool calls, finish ─────► events to the reducer
 */
import { AttemptsFailed } from '../attempt/failure.ts'
import type { HealthView } from '../attempt/health.ts'
import { type Candidate, firstOf, type Lineup, NoCandidate } from '../attempt/lineup.ts'
import { modelMeter } from '../attempt/meters.ts'
import type { Phrase } from '../attempt/phrases.ts'
import { type AttemptRun, attempt } from '../attempt/run.ts'
import type { SentenceCache } from '../attempt/sentence-cache.ts'
import { type CancelReason, openScope, orAborted, type Scope } from '../cancel.ts'
import { Channel } from '../channel.ts'
import type { Clock } from '../clock.ts'
import { continuationOf } from '../dialect/continuation.ts'
import type { FinishReason, ModelEvent, ModelRequest, ModelUsage, ToolCall } from '../dialect/neutral.ts'
import { withTargetParams } from '../dialect/target-params.ts'
import { ProviderError, type StageName } from '../errors.ts'
import type { Costs } from '../price/pricing.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import { type Piece, SentenceSplitter } from '../stage/sentences.ts'
import type { AttemptLog } from './attempt-log.ts'
import { Drip } from './drip.ts'
import type { Voicing } from './effects.ts'
import type { AnswerEvent, Failure } from './events.ts'
import type { SessionSettings } from './settings.ts'
import type { Speaker } from './speaker.ts'
import { Utterance, write } from './voice.ts'

/**
 * The window of no model is shorter, and grows with the prompt: what short prompts taught would cut off long ones for
 * good. SmolLM2 begins after 80 ms at the first turn and after 1.1 s at the twentieth, of about 1,000 tokens.
 */
const MODEL_LEAST_MS = 500
const MODEL_LEAST_MS_PER_CHAR = 0.4
/** Longer than the executor's own: what was said already is being spoken meanwhile. */
const MODEL_IDLE_MS = 5_000
/** While another model could go on with it. */
const FIRST_MODEL_IDLE_MS = 2_500
/** Before that, a word that is not whole and then nothing is silence to the caller. Nobody is given less. */
const SILENT_IDLE_MS = 2_000
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
  /** What the caller speaks. */
  readonly language: () => string | undefined
  readonly attempts: AttemptLog | undefined
  readonly health: HealthView
  readonly report: (event: AnswerEvent) => void
  /** First token, first sentence: for the trace. */
  readonly mark: (name: 'llmFirstToken' | 'firstSentence' | 'ttsFirstAudio') => void
  /** Which target's voice the caller hears. */
  readonly spokeWith: (target: string) => void
  /** Which model answered, and how many tokens it was sent. */
  readonly thoughtWith: (model: Candidate<LlmAdapter>, tokens: number) => void
  /** What is left of the turn for a stage; infinite when it has no deadline. */
  readonly slackMs: (stage: StageName) => number
  /** How long the last target of a stage is waited for beyond that. */
  readonly patienceMs: number
  readonly pricing: Costs | undefined
  /** Those that need not be synthesised. */
  readonly sentences?: SentenceCache | undefined
  /** Nobody is left to ask: the phrase that is said then, if there is one. Asked once. */
  readonly apology: () => Phrase | null
}

export class Answer {
  #options: AnswerOptions
  readonly #scope: Scope
  /** Model and voice at work; what is said when they failed is no part of it. */
  readonly #work: Scope
  readonly #pieces: Channel<Piece>
  readonly #released: Promise<void>
  #release: () => void = () => {}
  #held = true
  #utterance: Utterance | undefined
  #usage: ModelUsage | null = null
  /** When something was last queued for the voice. */
  #saidAt = Number.NEGATIVE_INFINITY
  /** Said when the model broke off and nobody went on. */
  #closing: Phrase | null = null

  constructor(options: AnswerOptions) {
    this.#options = options
    this.#scope = openScope(options.signal)
    this.#work = openScope(this.#scope.signal)
    this.#pieces = new Channel({ capacity: MAX_PIECES, signal: this.#work.signal })
    this.#released = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  /** The model begins; nothing leaves before `release`. After `await` with the lineup for the words that are known now. */
  think(request: ModelRequest, lineup = this.#options.lineup): void {
    this.#options = { ...this.#options, lineup }
    void this.#run(this.#model(request))
  }

  /** Nothing to say yet but a phrase; `think`, `recite` or `recall` follows. */
  await(): void {
    this.release()
    this.#utterance = this.#open()
  }

  /** A fixed text, voiced now. With a `failure` the answer has failed all the same. */
  recite(text: string, failure?: Failure): void {
    this.release()
    const splitter = new SentenceSplitter()
    void this.#run(this.#queue([...splitter.push(text), ...splitter.flush()]))
    const facts = { finish: 'stop', usage: null, words: 'some', said: text, called: false } as const
    this.#thought(failure ? { ...facts, failure } : facts)
  }

  /** A phrase that is there already, as the whole answer. With a `failure` the answer has failed all the same. */
  recall(phrase: Phrase, failure?: Failure): void {
    this.release()
    void this.#conclude(phrase, failure)
  }

  /** A phrase while the answer is awaited; false when there is nothing to bridge. */
  fill(phrase: Phrase): boolean {
    return !this.#scope.signal.aborted && (this.#utterance?.fill(phrase) ?? false)
  }

  release(): void {
    this.#held = false
    this.#release()
  }

  stop(reason: CancelReason): void {
    this.#scope.cancel(reason)
  }

  async #run(source: Promise<void>): Promise<void> {
    try {
      await Promise.all([source.then(() => this.#pieces.close()), this.#speak()])
      this.#work.release()
      this.#scope.release()
    } catch (error) {
      this.#work.cancel('done')
      if (!this.#scope.signal.aborted) this.#failed(error)
    }
  }

  async #speak(): Promise<void> {
    const { signal } = this.#work
    await orAborted(this.#released, signal)
    if (this.#options.voicing.modality === 'text') return write(this.#pieces, { ...this.#options, signal })
    this.#utterance ??= this.#open()
    this.#utterance.reroute(this.#options.lineup)
    await this.#utterance.say(this.#pieces, () => this.#closing)
  }

  /**
   * Targets in order: before any words the next is asked the same; after some it goes on where the queued words end,
   * while those are being said. Calls are never asked for twice.
   */
  async #model(request: ModelRequest): Promise<void> {
    const { lineup, revision, thoughtWith } = this.#options
    const thought: Thought = { finish: 'stop', usage: null, words: 'none', said: '', called: false }
    firstOf('llm', lineup.llm)
    let candidates = lineup.llm
    let reason = this.#held ? `revision ${revision}` : 'first'
    while (candidates.length > 0) {
      try {
        const run = this.#ask(request, thought.said, candidates, reason)
        await this.#read(run, thought)
        if (run.chosen) thoughtWith(run.chosen, thought.usage?.inputTokens ?? lengthOf(request) / 4)
        break
      } catch (error) {
        if (this.#work.signal.aborted) throw error
        candidates = thought.called ? [] : whoGoesOn(error)
        reason = thought.words === 'none' ? `fallback: ${failureOf(error).code}` : 'continuation'
        if (candidates.length > 0) continue
        if (thought.words === 'none' && isRefused(error)) {
          thought.finish = 'content_filter'
          this.#closing = this.#held ? null : this.#apology()
          if (this.#closing) thought.words = 'some'
        }
        // What it said before is said still, unless it was a guess: that is made again.
        else if (this.#held || thought.words === 'none') throw error
        else {
          thought.failure = failureOf(error)
          this.#closing = this.#apology()
        }
      }
    }
    this.#thought(thought)
  }

  #ask(
    request: ModelRequest,
    said: string,
    candidates: readonly Candidate<LlmAdapter>[],
    reason: string,
  ): AttemptRun<Candidate<LlmAdapter>, ModelEvent> {
    const { attempts, clock, health, language, lineup, slackMs, patienceMs, pricing } = this.#options
    const whole = candidates.length > 1 ? FIRST_MODEL_IDLE_MS : MODEL_IDLE_MS
    return attempt({
      stage: 'llm',
      candidates,
      insteadOf: lineup.llmInsteadOf ?? {},
      open: (candidate, { signal }) => {
        const asked = withTargetParams(continued(request, said, candidate), candidate.params)
        return candidate.adapter.stream(asked, { signal, clock })
      },
      isUseful,
      declinedBy: (event) =>
        event.type === 'finish' && event.reason === 'content_filter' ? 'content_refusal' : null,
      clock,
      signal: this.#work.signal,
      health,
      language: language() ?? null,
      budget:
        said === ''
          ? { slackMs: () => slackMs('llm'), patienceMs }
          : { slackMs: () => this.#restOfIdleMs(), patienceMs: 0 },
      leastMs: MODEL_LEAST_MS + MODEL_LEAST_MS_PER_CHAR * lengthOf(request),
      idleMs: () => (said === '' && this.#saidAt >= 0 ? whole : this.#restOfIdleMs()),
      hedge: lineup.llmHedge ?? null,
      log: attempts,
      reason,
      ...(pricing && {
        meter: (candidate: Candidate<LlmAdapter>) =>
          modelMeter(pricing, candidate, continued(request, said, candidate), clock),
      }),
    })
  }

  /** Who goes on has what is left of the time since the last whole piece: two that fall silent are one silence. */
  #restOfIdleMs(): number {
    return Math.max(SILENT_IDLE_MS, MODEL_IDLE_MS - (this.#options.clock.now() - this.#saidAt))
  }

  async #read(events: AsyncIterable<ModelEvent>, thought: Thought): Promise<void> {
    const { clock, mark } = this.#options
    const splitter = new SentenceSplitter()
    const drip = new Drip(clock, () => void this.#queue(splitter.flushClause(), thought))
    try {
      for await (const event of events) {
        if (isUseful(event)) mark('llmFirstToken')
        if (event.type === 'text') {
          await this.#queue(splitter.push(event.text), thought)
          drip.again()
        } else if (event.type === 'toolCall') {
          thought.called = true
          this.#afterRelease({ type: 'toolCalled', call: event.call })
        } else if (event.type === 'usage') this.#usage = thought.usage = event.usage
        else if (event.type === 'finish') thought.finish = event.reason
      }
      await this.#queue(splitter.flush(), thought)
    } finally {
      drip.stop()
    }
  }

  #open(): Utterance {
    return new Utterance({ ...this.#options, signal: this.#work.signal })
  }

  #thought({ said: _said, called: _called, ...told }: Thought): void {
    this.#afterRelease({ type: 'thought', ...told })
  }

  /** A stopped answer has nothing to tell: another may run under its name. */
  #afterRelease(
    event:
      | ({ readonly type: 'thought' } & Omit<Thought, 'said' | 'called'>)
      | { readonly type: 'toolCalled'; readonly call: ToolCall },
  ): void {
    const { clock, response, report } = this.#options
    void this.#released.then(() => {
      if (this.#scope.signal.aborted) return
      const began = event.type === 'thought' && (this.#utterance?.began ?? false)
      report({ at: clock.now(), response, ...event, ...(began ? { words: 'some' } : {}) } as AnswerEvent)
    })
  }

  /** Blank text before the first words is nothing to say. */
  async #queue(pieces: readonly Piece[], thought?: Thought): Promise<void> {
    for (const piece of pieces) {
      if (thought?.words === 'none' && piece.text.trim() === '') continue
      if (thought) {
        thought.words = 'some'
        thought.said += piece.text
        this.#saidAt = this.#options.clock.now()
      }
      this.#options.mark('firstSentence')
      await this.#pieces.send(piece)
    }
  }

  #failed(error: unknown): void {
    const { clock, response, speaker, report } = this.#options
    const failure = failureOf(error)
    const phrase = this.#held ? null : this.#apology()
    if (phrase) return void this.#conclude(phrase, failure)
    const ended = speaker.giveUp(response)
    report({ type: 'answerFailed', at: clock.now(), response, ...failure, ...ended })
    this.#scope.cancel('done')
  }

  #apology(): Phrase | null {
    return this.#options.voicing.modality === 'text' ? null : this.#options.apology()
  }

  /** This is what is left to say. */
  async #conclude(phrase: Phrase, failure?: Failure): Promise<void> {
    const { signal } = this.#scope
    const facts = { finish: 'stop', usage: this.#usage, words: 'some', said: '', called: false } as const
    this.#thought(failure ? { ...facts, failure } : facts)
    const utterance = this.#utterance ?? new Utterance({ ...this.#options, signal })
    try {
      await utterance.conclude(phrase)
    } catch (error) {
      // Nobody is left to say it to.
      if (!signal.aborted) throw error
    }
    this.#scope.release()
  }
}

function lengthOf({ messages }: ModelRequest): number {
  return messages.reduce((sum, { text }) => sum + text.length, 0)
}

interface Thought {
  finish: FinishReason
  usage: ModelUsage | null
  words: 'some' | 'none'
  /** What was queued for the voice. */
  said: string
  called: boolean
  failure?: Failure
}

/** The same question to the next target, and what was said of the answer so far. */
function continued(request: ModelRequest, said: string, { adapter }: Candidate<LlmAdapter>): ModelRequest {
  return continuationOf(request, said, adapter.caps.prefill ? 'prefill' : 'instruct')
}

/** After words that broke off: those that did not fail themselves. */
function whoGoesOn(error: unknown): readonly Candidate<LlmAdapter>[] {
  if (!(error instanceof AttemptsFailed)) return []
  return (error as AttemptsFailed<Candidate<LlmAdapter>>).brokenAfterUseful?.remaining ?? []
}

/** The last who was asked would not answer this. */
function isRefused(error: unknown): boolean {
  return error instanceof AttemptsFailed && lastOf(error)?.declined === 'content_refusal'
}

function lastOf({ brokenAfterUseful, attempts }: AttemptsFailed): ProviderError | null {
  return brokenAfterUseful?.error ?? attempts.findLast(({ error }) => error !== null)?.error ?? null
}

function failureOf(error: unknown): Failure {
  if (error instanceof AttemptsFailed) {
    const last = lastOf(error)
    if (last) return { code: last.kind, message: last.message }
    return { code: error.skipped[0]?.cause ?? 'no_target', message: error.message }
  }
  if (error instanceof ProviderError) return { code: error.kind, message: error.message }
  if (error instanceof NoCandidate) return { code: 'no_target', message: error.message }
  return { code: 'internal_error', message: 'The answer failed.' }
}

function isUseful(event: ModelEvent): boolean {
  return (
    (event.type === 'text' && event.text.trim() !== '') ||
    event.type === 'toolCall' ||
    event.type === 'finish'
  )
}
