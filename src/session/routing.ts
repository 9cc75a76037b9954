/** What a session knows that rules may ask: who calls, since when, and what was just said. */
import type { Lineup, Router, StageFacts } from '../attempt/lineup.ts'
import type { Clock } from '../clock.ts'
import type { ModelRequest } from '../dialect/neutral.ts'
import type { SessionOrigin } from './session.ts'

export interface RoutingOptions {
  readonly router: Router
  readonly origin: Pick<SessionOrigin, 'wire' | 'key' | 'metadata' | 'user' | 'minted'>
  readonly sessionId: string
  readonly clock: Clock
  readonly turnMs: number
  /** The language of settings, or the one heard last. */
  readonly language: () => string | undefined
}

/** Roughly, for rules: four characters a token holds for European languages. */
const CHARS_PER_TOKEN = 4

export class Routing {
  readonly #options: RoutingOptions
  readonly #startedAt: number
  #turns = 0
  #zeroAt: number | null = null
  /** The target whose voice the caller has heard. */
  #voice: string | null = null

  constructor(options: RoutingOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  turnOpened(zeroAt: number): void {
    this.#turns++
    this.#zeroAt = zeroAt
  }

  /** From now on the session keeps this voice: its first, or the one that had to take over. */
  spokeWith(target: string): void {
    this.#voice = target
  }

  /** Null where there is no prompt: recognition, and fixed texts. */
  lineup(request: ModelRequest | null): Lineup {
    return this.#options.router.lineup(this.#facts(request), this.#voice)
  }

  #facts(request: ModelRequest | null): StageFacts {
    const { origin, clock, sessionId, turnMs, language, router } = this.#options
    const now = clock.now()
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
      },
      inputTokens: () => (request ? tokensOf(request) : 0),
      budget: { turnMs, remainingMs: Math.round(turnMs - (now - (this.#zeroAt ?? now))) },
      wallMs: clock.wallMs(),
    }
    return (stage) => {
      const known = { ...common, health: router.health.health(stage, common.session.language) }
      if (stage === 'stt' || !request) return { ...known, turn: null, request: null }
      return {
        ...known,
        turn: () => ({ text: lastWords(request), language: language() ?? null, confidence: null }),
        request: () => ({
          model: '',
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
