/** Whose request it is, and what it says about itself to the rules. Untrusted but for the key. */
import type { FastifyRequest } from 'fastify'
import type {} from '../access/plugin.ts'
import type { RequestOrigin } from './llm/facts.ts'
import type { Preferences } from './preferences/index.ts'

export function originOf(
  request: FastifyRequest,
  { metadata, user }: Pick<Preferences, 'metadata' | 'user'>,
  { wire, sessionId }: { readonly wire: string; readonly sessionId: string },
): RequestOrigin {
  const caller = request.caller ?? null
  return {
    key: caller && { id: caller.keyId, attributes: caller.attributes },
    metadata,
    user,
    sessionId,
    wire,
  }
}
