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
import { attempt } from '../attempt/run.ts'
import { type CancelReason, openScope, orAborted, type Scope } from '../cancel.ts'
import { Channel } from '../channel.ts'
import type { Clock, Timer } from '../clock.ts'
import type { FinishReason, ModelEvent, ModelRequest, ModelUsage, ToolCall } from '../dialect/neutral.ts'
import { ProviderError } from '../errors.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import { type Piece, SentenceSplitter } from '../stage/sentences.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { Voicing } from './effects.ts'
import type { AnswerEvent, Failure } from './events.ts'
import type { SessionSettings } from './settings.ts'
import type { Speaker } from './speaker.ts'
import { voice } from './voice.ts'

/**
 * The window of no model is shorter: its time grows with the conversation, and what short prompts taught would cut off long
 * ones for good. SmolLM2 begins after 80 ms at the first turn and after 1.1 s at the twentieth.
 */
const MODEL_LEAST_MS = 2_000
/** Longer than the executor's own: what was said already is being spoken meanwhile. */
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
  readonly health: HealthView
  readonly report: (event: AnswerEvent) => void
  /** First token, first sentence: for the trace. */
  readonly mark: (name: 'llmFirstToken' | 'firstSentence' | 'ttsFirstAudio') => void
  /** Which target's voice the caller hears. */
  readonly spokeWith: (target: string) => void
}

export class Answer {
  readonly #options: AnswerOptions
  readonly #scope: Scope
  readonly #pieces: Channel<Piece>
  readonly #released: Promise<void>
  #release: () => void = () => {}
  #held = true

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
    void this.#run(this.#model(request))
  }

  recite(text: string): void {
    this.release()
    const splitter = new SentenceSplitter()
    void this.#run(this.#queue([...splitter.push(text), ...splitter.flush()]))
    this.#thought({ finish: 'stop', usage: null, words: 'some', said: text, called: false })
  }

  release(): void {
    this.#held = false
    this.#release()
  }

  stop(reason: CancelReason): void {
    this.#scope.cancel(reason)
  }

  async #run(source: Promise<void>): Promise<void> {
    const { signal } = this.#scope
    try {
      await Promise.all([source.then(() => this.#pieces.close()), this.#speak()])
      this.#scope.release()
    } catch (error) {
      if (!signal.aborted) this.#failed(error)
      this.#scope.cancel('done')
    }
  }

  async #speak(): Promise<void> {
    const { signal } = this.#scope
    await orAborted(this.#released, signal)
    await voice(this.#pieces, { ...this.#options, signal })
  }

  /**
   * Targets in order: before any words the next is asked the same; after some it goes on where the queued words end,
   * while those are being said. Calls are never asked for twice.
   */
  async #model(request: ModelRequest): Promise<void> {
    const { lineup, revision } = this.#options
    const thought: Thought = { finish: 'stop', usage: null, words: 'none', said: '', called: false }
    firstOf('llm', lineup.llm)
    let candidates = lineup.llm
    let reason = this.#held ? `revision ${revision}` : 'first'
    while (candidates.length > 0) {
      try {
        await this.#read(this.#ask(request, thought.said, candidates, reason), thought)
        break
      } catch (error) {
        if (this.#scope.signal.aborted) throw error
        candidates = thought.called ? [] : whoGoesOn(error)
        reason = thought.words === 'none' ? `fallback: ${failureOf(error).code}` : 'continuation'
        if (candidates.length > 0) continue
        if (thought.words === 'none' && isRefused(error)) thought.finish = 'content_filter'
        // What it said before is said still, unless it was a guess: that is made again.
        else if (this.#held || thought.words === 'none') throw error
        else thought.failure = failureOf(error)
      }
    }
    this.#thought(thought)
  }

  #ask(
    request: ModelRequest,
    said: string,
    candidates: readonly Candidate<LlmAdapter>[],
    reason: string,
  ): AsyncIterable<ModelEvent> {
    const { attempts, clock, health, settings, lineup } = this.#options
    return attempt({
      stage: 'llm',
      candidates,
      open: (candidate, { signal }) => {
        const asked = withParams(continued(request, said, candidate), candidate.params)
        return candidate.adapter.stream(asked, { signal, clock })
      },
      isUseful,
      declinedBy: (event) =>
        event.type === 'finish' && event.reason === 'content_filter' ? 'content_refusal' : null,
      clock,
      signal: this.#scope.signal,
      health,
      language: settings().language ?? null,
      leastMs: MODEL_LEAST_MS,
      idleMs: MODEL_IDLE_MS,
      hedge: lineup.llmHedge ?? null,
      log: attempts,
      reason,
    })
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
        } else if (event.type === 'usage') thought.usage = event.usage
        else if (event.type === 'finish') thought.finish = event.reason
      }
      await this.#queue(splitter.flush(), thought)
    } finally {
      drip.stop()
    }
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
      if (!this.#scope.signal.aborted) report({ at: clock.now(), response, ...event })
    })
  }

  /** Blank text before the first words is nothing to say. */
  async #queue(pieces: readonly Piece[], thought?: Thought): Promise<void> {
    for (const piece of pieces) {
      if (thought?.words === 'none' && piece.text.trim() === '') continue
      if (thought) {
        thought.words = 'some'
        thought.said += piece.text
      }
      this.#options.mark('firstSentence')
      await this.#pieces.send(piece)
    }
  }

  #failed(error: unknown): void {
    const { clock, response, speaker, report } = this.#options
    const ended = speaker.giveUp(response)
    report({ type: 'answerFailed', at: clock.now(), response, ...failureOf(error), ...ended })
  }
}

/** A target's own parameters stand above the conversation's; those with a neutral name are neutral for every provider. */
function withParams(request: ModelRequest, params: Candidate<LlmAdapter>['params'] = {}): ModelRequest {
  const { temperature, maxTokens, ...rest } = params
  return {
    ...request,
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof maxTokens === 'number' ? { maxTokens } : {}),
    ...(Object.keys(rest).length > 0 ? { params: rest } : {}),
  }
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

const GO_ON =
  'You were interrupted by a fault of the line. Continue your last answer exactly where it ends. Repeat nothing of it, and do not mention this.'

/** The same question to the next target, and what was said of the answer so far. */
function continued(request: ModelRequest, said: string, { adapter }: Candidate<LlmAdapter>): ModelRequest {
  if (said === '') return request
  const begun = { role: 'assistant', text: said.trimEnd() } as const
  const asked = adapter.caps.prefill ? [begun] : [begun, { role: 'user', text: GO_ON } as const]
  return { ...request, messages: [...request.messages, ...asked] }
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
