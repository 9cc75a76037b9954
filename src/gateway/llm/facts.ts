/** What routing rules may know of one HTTP request. Lazily: a rule pays for what it reads. */
import type { ClientRequest } from '../../dialect/codec.ts'
import { RequestFault } from '../../dialect/faults.ts'
import type { ModelMessage } from '../../dialect/neutral.ts'
import type { RequestFacts, RoutingFacts } from '../../route/context.ts'

/** Of European languages; Chinese and Japanese have fewer. */
const CHARS_PER_TOKEN = 4

export interface RequestOrigin {
  readonly key: RoutingFacts['key']
  readonly metadata: Readonly<Record<string, unknown>>
  readonly user: string | null
  /** What weighted orders and experiments stick to where there is no user. */
  readonly sessionId: string
  readonly wire: string
}

export interface FactsOptions {
  readonly client: ClientRequest
  readonly origin: RequestOrigin
  readonly turnMs: number
  readonly health: RoutingFacts['health']
  readonly wallMs: number
}

export function factsOf({ client, origin, turnMs, health, wallMs }: FactsOptions): RoutingFacts {
  const { key, metadata, user, sessionId, wire } = origin
  return {
    key,
    metadata,
    minted: {},
    session: { id: sessionId, wire, language: null, turns: 1, durationMs: 0, user },
    turn: () => ({ text: lastWords(messagesOf(client)), language: null, confidence: null }),
    request: () => new Asked(client),
    inputTokens: () => tokensIn(client),
    budget: { turnMs, remainingMs: turnMs },
    health,
    wallMs,
  }
}

/**
 * A class, since an object literal with a getter is given a hidden class of its own each time it is made, which lives until a full
 * collection and keeps everything alive that the getter sees.
 */
class Asked implements RequestFacts {
  readonly model: string
  readonly tools: readonly string[]
  readonly stream: boolean
  readonly maxTokens: number | null
  readonly #client: ClientRequest

  constructor(client: ClientRequest) {
    this.model = client.model
    this.tools = client.toolNames
    this.stream = client.delivery === 'stream'
    this.maxTokens = client.maxTokens
    this.#client = client
  }

  get messages(): RequestFacts['messages'] {
    return messagesOf(this.#client)
  }
}

/** About how many tokens the prompt has; images are not counted. */
export function tokensIn(client: ClientRequest): number {
  const chars = messagesOf(client).reduce((sum, { text }) => sum + text.length, 0)
  return Math.ceil(chars / CHARS_PER_TOKEN)
}

/** None of a request that only its own dialect can say. */
function messagesOf(client: ClientRequest): readonly ModelMessage[] {
  try {
    return client.neutral().messages
  } catch (error) {
    if (error instanceof RequestFault) return []
    throw error
  }
}

function lastWords(messages: readonly ModelMessage[]): string {
  return messages.findLast(({ role }) => role === 'user')?.text ?? ''
}
