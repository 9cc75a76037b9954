/** `GET /v1/turns` and `/v1/turns/{id}`: newest first, a key's own only. Needs the access plugin on the same app. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type {} from '../access/plugin.ts'
import { ERRORS, type ErrorCode, openaiError } from '../errors.ts'
import type { TurnFilter, TurnStore } from './turn-store.ts'

/** A page is read by a person or drawn by the console; records are a few kB each. */
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

const id = z.string().min(1).max(200)
const querySchema = z.object({
  session: id.optional(),
  pipeline: id.optional(),
  outcome: z.enum(['open', 'said', 'transcribed', 'superseded', 'failed', 'cancelled']).optional(),
  after: id.optional(),
  limit: z
    .string()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LIMIT))
    .default(DEFAULT_LIMIT),
})

export function turnsPlugin(app: FastifyInstance, { turns }: { readonly turns: TurnStore }): void {
  app.get('/v1/turns', async (request, reply) => {
    const query = querySchema.safeParse(request.query)
    if (!query.success) {
      const param = String(query.error.issues[0]?.path[0] ?? 'query')
      const wants =
        param === 'limit' ? `wants a whole number from 1 to ${MAX_LIMIT}` : 'has a value that is not allowed'
      return refuse(reply, 'invalid_value', `${param} ${wants}.`, param)
    }
    const page = await turns.list(keyOf(request), withoutUndefined(query.data))
    if (!page)
      return refuse(
        reply,
        'invalid_value',
        'after is no turn of this list, or is not kept any more.',
        'after',
      )
    const last = page.records.at(-1)
    return { object: 'list', data: page.records, has_more: page.hasMore, last_id: last?.id ?? null }
  })

  app.get<{ Params: { id: string } }>('/v1/turns/:id', async (request, reply) => {
    const record = await turns.get(request.params.id, keyOf(request))
    return record ?? refuse(reply, 'turn_not_found', 'No turn of this id is kept.')
  })
}

function keyOf(request: { readonly caller: { readonly keyId: string } | null }): string | null {
  return request.caller?.keyId ?? null
}

function withoutUndefined(query: z.output<typeof querySchema>): TurnFilter {
  const { limit, ...filters } = query
  return {
    limit,
    ...(Object.fromEntries(Object.entries(filters).filter(([, v]) => v !== undefined)) as object),
  }
}

function refuse(
  reply: FastifyReply,
  code: ErrorCode,
  message: string,
  param: string | null = null,
): FastifyReply {
  return reply.code(ERRORS[code].status).send(openaiError(code, message, param))
}
