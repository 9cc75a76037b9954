/** Whose request it is, and what it says about itself to the rules. Untrusted but for the key. */
import type { FastifyRequest } from 'fastify'
import type {} from '../access/plugin.ts'
import { isRecord } from '../dialect/openai-error.ts'
import { Refusal } from './failure.ts'
import type { RequestOrigin } from './llm/facts.ts'

const HEADER = 'x-parley-metadata'
const MAX_HEADER_CHARS = 16_384
const MAX_USER_CHARS = 256

export interface OriginFacts {
  readonly body: Readonly<Record<string, unknown>>
  readonly user: string | null
  readonly wire: string
  readonly sessionId: string
}

/** Throws `Refusal`. The body's `metadata` stands above the header's. */
export function originOf(
  request: FastifyRequest,
  { body, user, wire, sessionId }: OriginFacts,
): RequestOrigin {
  const caller = request.caller ?? null
  const own = isRecord(body['metadata']) ? body['metadata'] : {}
  return {
    key: caller && { id: caller.keyId, attributes: caller.attributes },
    metadata: { ...headerMetadata(request.headers[HEADER]), ...own },
    user: user?.slice(0, MAX_USER_CHARS) ?? null,
    sessionId,
    wire,
  }
}

function headerMetadata(value: string | string[] | undefined): Readonly<Record<string, unknown>> {
  const text = Array.isArray(value) ? value.at(-1) : value
  if (text === undefined) return {}
  try {
    const parsed: unknown = text.length <= MAX_HEADER_CHARS ? JSON.parse(text) : null
    if (isRecord(parsed)) return parsed
  } catch {}
  throw new Refusal('invalid_value', `Invalid '${HEADER}': expected a small JSON object.`, HEADER)
}
