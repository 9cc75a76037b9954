/**
 * One answer on its way: the model's stream cut into pieces, held back until released, then spoken or written.
 *
 *     model ─► splitter ─► pieces ─┃release┃─► voice (text to speech ─► speaker) ─► wire
 *                │                 ┃       ┃
 *                └─ tool calls, finish ─────► events to the reducer
 */
import { withDeadline } from '../attempt/deadline.ts'
import { type Candidate, firstOf, type Lineup, NoCandidate } from '../attempt/lineup.ts'
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

/** PROVIDERS.md section 5: hard limit on the model's first useful output, and on any later gap. */
const MODEL_FIRST_MS = 5_000
/** Of the last target there is: a late answer is better than none. */
const MODEL_LAST_MS = 15_000
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
    const { lineup, attempts, revision } = this.#options
    const thought: Thought = { finish: 'stop', usage: null, words: 'none', said: '', called: false }
    let why = revision > 0 ? `revision ${revision}` : 'first'
    for (let next: Candidate<LlmAdapter> | undefined = firstOf('llm', lineup.llm); next; ) {
      const candidate: Candidate<LlmAdapter> = next
      next = lineup.llm[lineup.llm.indexOf(candidate) + 1]
      const attempt = attempts?.start('llm', candidate, why)
      try {
        await this.#read(candidate, continued(request, thought.said, candidate), thought, {
          attempt,
          firstUsefulMs: next ? MODEL_FIRST_MS : MODEL_LAST_MS,
        })
        attempts?.end(attempt, 'ok')
        break
      } catch (error) {
        const { aborted } = this.#scope.signal
        if (aborted && !(error instanceof ProviderError)) attempts?.end(attempt, 'cancelled')
        else attempts?.end(attempt, 'failed', error instanceof ProviderError ? error.kind : 'transient')
        if (aborted) throw error
        why = thought.words === 'none' ? 'fallback' : 'continuation'
        if (next && !thought.called) continue
        // What it said before is said still, unless it was a guess: that is made again.
        if (this.#held || thought.words === 'none') throw error
        thought.failure = failureOf(error)
        break
      }
    }
    this.#thought(thought)
  }

  async #read(
    candidate: Candidate<LlmAdapter>,
    request: ModelRequest,
    thought: Thought,
    { attempt, firstUsefulMs }: { readonly attempt: number | undefined; readonly firstUsefulMs: number },
  ): Promise<void> {
    const { clock, attempts, mark } = this.#options
    const scope = openScope(this.#scope.signal)
    const splitter = new SentenceSplitter()
    const drip = new Drip(clock, () => void this.#queue(splitter.flushClause(), thought))
    let first = true
    const asked = withParams(request, candidate.params)
    const events = withDeadline(candidate.adapter.stream(asked, { signal: scope.signal, clock }), {
      clock,
      firstUsefulMs,
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
      scope.release()
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

function failureOf(error: unknown): Failure {
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
