/** Who may begin a request over HTTP: a key's share of `limits.responsesPerMinute` counts those of its Realtime sessions and these together. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../access/plugin.ts'
import type { ResponseRates } from '../access/response-rates.ts'
import { Refusal } from './failure.ts'

/** Before the body is read. */
export type Admit = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

export function admission(rates: ResponseRates): Admit {
  return (request, reply, done) => {
    const keyId = request.caller?.keyId ?? null
    if (rates.take(keyId)) return done()
    const { limit = 0, resetMs = 0 } = rates.allowance(keyId) ?? {}
    // Until there is one again, not all of them.
    reply.header('retry-after', String(Math.max(1, Math.ceil(resetMs / 1000 / Math.max(1, limit)))))
    done(new Refusal('rate_limit_exceeded', 'The key has begun as many requests as it may in a minute.'))
  }
}
