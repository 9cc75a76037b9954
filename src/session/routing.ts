/** What a session knows that rules may ask: who calls, since when, and what was just said. */
import { idOf } from '../attempt/failure.ts'
import type { Candidate, Habits, Lineup, PhraseSpeaker, Router, StageFacts } from '../attempt/lineup.ts'
import type { Phrase } from '../attempt/phrases.ts'
import type { SentenceCache } from '../attempt/sentence-cache.ts'
import type { Clock } from '../clock.ts'
import type { ModelRequest } from '../dialect/neutral.ts'
import type { StageName } from '../errors.ts'
import type { Exposure } from '../experiment/book.ts'
import type { Costs } from '../price/pricing.ts'
import type { TurnFacts } from '../route/context.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { SessionOrigin } from './session.ts'
import type { Recognised } from './state.ts'
import type { Medians } from './turn-budget.ts'

export interface RoutingOptions {
  readonly router: Router
  readonly origin: Pick<SessionOrigin, 'wire' | 'key' | 'metadata' | 'user' | 'model' | 'minted'>
  readonly sessionId: string
  readonly clock: Clock
  readonly turnMs: number
  /** The language of settings, or the one heard last. */
  readonly language: () => string | undefined
  readonly voice: () => string
  /** What the recogniser told of the words that are answered; left out: nothing. */
  readonly recognised?: () => Recognised | null
  /** Keys of the telephone since the session began; left out: none. */
  readonly pressed?: () => string
}

export interface LineupHints {
  readonly zeroAt?: number
  readonly slackMs?: number
}

/** What is expected of any. */
const UNKNOWN_TARGET = 'any/any'
/** A pipeline has a few, a session seldom more than two voices. */
const MAX_PHRASES = 256
const STAGES = ['stt', 'llm', 'tts'] as const
/** Roughly, for rules: four characters a token holds for European languages. */
const CHARS_PER_TOKEN = 4

export class Routing {
  readonly #options: RoutingOptions
  readonly #startedAt: number
  #turns = 0
  #zeroAt: number | null = null
  /** The target whose voice the caller has heard. */
  #voice: string | null = null
  /** Those that were found, since they are asked for at every look at the budget. */
  readonly #phrases = new Map<string, Phrase>()
  readonly #served: Partial<Record<StageName, string>> = {}
  #model: LlmAdapter | undefined
  /** Whose prompt cache holds this conversation. */
  #cache: { readonly target: string; readonly tokens: number; readonly at: number } | undefined

  constructor(options: RoutingOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  get pricing(): Costs | undefined {
    return this.#options.router.pricing
  }

  get sentences(): SentenceCache | undefined {
    return this.#options.router.sentences
  }

  turnOpened(zeroAt: number): void {
    this.#turns++
    this.#zeroAt = zeroAt
  }

  /** From now on the session keeps this voice: its first, or the one that had to take over. */
  spokeWith(target: string): void {
    if (this.#voice === target) return
    this.#voice = target
    this.#served.tts = target
    this.#options.router.prepare?.(this.#speaker())
  }

  /** Variants this conversation was exposed to, by experiment. */
  readonly exposed = new Map<string, string>()

  /** An answer made by this lineup is let go to the caller. */
  committed(lineup: Lineup): Exposure[] {
    const dealt = STAGES.flatMap((stage) => lineup.exposure?.(stage) ?? [])
    for (const { experiment, variant } of dealt) {
      if (!this.exposed.has(experiment)) this.exposed.set(experiment, variant)
    }
    return dealt
  }

  /** This model has answered, and holds so many tokens of the conversation. */
  thoughtWith(model: Candidate<LlmAdapter>, tokens: number): void {
    this.#model = model.adapter
    this.#cache = { target: idOf(model), tokens, at: this.#options.clock.now() }
  }

  /** The model that is likely to be asked connects: the one that answered last. */
  warmModel(): void {
    if (this.#model) this.#model.warm?.()
    else this.#options.router.warm?.(this.#facts(null))
  }

  /**
   * Null where there is no prompt: recognition, and fixed texts. `zeroAt`: of a turn that is not open yet. `slackMs`: left for the
   * model, when the quickest that fits is to be first.
   */
  lineup(request: ModelRequest | null, hints: LineupHints = {}): Lineup {
    const { router } = this.#options
    return router.lineup(this.#facts(request, hints.zeroAt), this.#habits(hints.slackMs))
  }

  /** Who may recognise the caller, now that an utterance begins. */
  recognisers(): readonly Candidate<SttAdapter>[] {
    const { stt } = this.lineup(null)
    if (stt[0]) this.#served.stt = idOf(stt[0])
    return stt
  }

  /** Of the target that served a stage last; of one that nobody knows while none did. */
  medianMs(stage: StageName): number {
    const { router, language } = this.#options
    const target = this.#served[stage] ?? UNKNOWN_TARGET
    return router.health.latency({ stage, target }, language() ?? null).p50Ms
  }

  /** Of the model in line, and of the quickest behind it whose circuit is not open. */
  medians(lineup: Lineup): Medians {
    const { health } = this.#options.router
    const [first, ...others] = lineup.llm
    if (first) this.#served.llm = idOf(first)
    const open = (one: Candidate<unknown>) =>
      health.circuit({ stage: 'llm', target: idOf(one), credential: one.credential ?? '' }) === 'open'
    const faster = others.filter((one) => !open(one)).map((one) => this.#p50Ms('llm', one))
    return {
      p50Ms: first ? this.#p50Ms('llm', first) : 0,
      fasterP50Ms: faster.length > 0 ? Math.min(...faster) : null,
    }
  }

  /** Ready to be said in this session's voice, or in one that its routes have. */
  phrase(text: string): Phrase | null {
    const speaker = this.#speaker()
    const key = JSON.stringify([text, speaker])
    const known = this.#phrases.get(key)
    if (known) return known
    const phrase = this.#options.router.phrase?.(text, speaker) ?? null
    if (phrase && this.#phrases.size < MAX_PHRASES) this.#phrases.set(key, phrase)
    return phrase
  }

  #p50Ms(stage: StageName, candidate: Candidate<unknown>): number {
    const { router, language } = this.#options
    return router.health.latency({ stage, target: idOf(candidate) }, language() ?? null).p50Ms
  }

  #speaker(): PhraseSpeaker {
    const { language, voice } = this.#options
    return { target: this.#voice, voice: voice(), language: language() ?? null }
  }

  /** A word or two may be of another language than the session. */
  #said(request: ModelRequest): TurnFacts {
    const told = this.#options.recognised?.()
    const language = told?.language ?? this.#options.language() ?? null
    return { text: lastWords(request), language, confidence: told?.confidence ?? null }
  }

  #habits(slackMs: number | undefined): Habits {
    const { clock } = this.#options
    const cache = this.#cache && {
      target: this.#cache.target,
      tokens: this.#cache.tokens,
      ageMs: clock.now() - this.#cache.at,
    }
    const { exposed } = this
    return {
      voice: this.#voice,
      cache: cache ?? null,
      exposed,
      ...(slackMs === undefined ? {} : { slackMs }),
    }
  }

  #facts(request: ModelRequest | null, since?: number): StageFacts {
    const { origin, clock, sessionId, turnMs, language, router } = this.#options
    const now = clock.now()
    const zeroAt = since ?? this.#zeroAt ?? now
    const { key, metadata, user, wire, minted = {} } = origin
    const common = {
      key,
      metadata,
      minted,
      session: {
        id: sessionId,
        wire,
        language: language() ?? null,
        turns: this.#turns,
        durationMs: Math.round(now - this.#startedAt),
        user,
        digits: this.#options.pressed?.() || null,
      },
      inputTokens: () => (request ? tokensOf(request) : 0),
      budget: { turnMs, remainingMs: Math.round(turnMs - (now - zeroAt)) },
      wallMs: clock.wallMs(),
    }
    return (stage) => {
      const known = { ...common, health: router.health.health(stage, common.session.language) }
      if (stage === 'stt' || !request) return { ...known, turn: null, request: null }
      return {
        ...known,
        turn: () => this.#said(request),
        request: () => ({
          model: origin.model ?? '',
          messages: request.messages,
          tools: (request.tools ?? []).map(({ name }) => name),
          stream: true,
          maxTokens: request.maxTokens ?? null,
        }),
      }
    }
  }
}

function lastWords({ messages }: ModelRequest): string {
  return messages.findLast(({ role }) => role === 'user')?.text ?? ''
}

function tokensOf({ messages }: ModelRequest): number {
  return Math.ceil(messages.reduce((sum, { text }) => sum + text.length, 0) / CHARS_PER_TOKEN)
}
