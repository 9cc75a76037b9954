/** Answers to the web pages of configured origins: preflights, and the headers their scripts may read. */
import type { FastifyReply, FastifyRequest } from 'fastify'

const METHODS = 'GET, POST, PUT, DELETE, OPTIONS'
/** `location` names a WebRTC call. */
const EXPOSED = 'location, x-parley-turn-id, x-parley-attempts, retry-after'
/** Browsers cap it at two hours; a change of `origins` is felt within ten minutes. */
const MAX_AGE_S = 600

/** Adds the headers when the page's origin is configured; `Vary` always, since the answer depends on it. */
export function addCorsHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: readonly string[],
): void {
  if (origins.length === 0) return
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', EXPOSED)
}

/** A browser asks, without a key, whether a page may make a request. */
export function isPreflight(request: FastifyRequest): boolean {
  const { origin } = request.headers
  return (
    request.method === 'OPTIONS' &&
    origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined
  )
}

/** The page may send whatever headers it asked for: a key decides afterwards, not a list of names. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('access-control-allow-methods', METHODS)
  reply.header('access-control-max-age', MAX_AGE_S)
  const asked = String(request.headers['access-control-request-headers'] ?? '')
  if (asked.length <= 2000 && /^[\w!#$%&'*+.^`|~, -]+$/.test(asked)) {
    reply.header('access-control-allow-headers', asked)
  }
  return reply.code(204).send()
}
