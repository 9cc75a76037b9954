/** `GET /v1/experiments`, `GET /v1/experiments/{name}`, `POST /v1/feedback`. Needs the access plugin on the same app. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type {} from '../access/plugin.ts'
import { ERRORS, openaiError } from '../errors.ts'
import type { ExperimentBook } from '../experiment/book.ts'
import type { TurnStore } from './turn-store.ts'

export interface ExperimentsDeps {
  readonly experiments: ExperimentBook
  /** Whose conversation it was: a key speaks of its own only. */
  readonly turns: TurnStore
}

const id = z.string().min(1).max(200)
const feedbackSchema = z
  .strictObject({
    turn_id: id.optional(),
    session_id: id.optional(),
    score: z.number().min(-1).max(1),
    /** What the score is of, where there are several: the same again replaces. */
    name: z.string().min(1).max(64).default('score'),
  })
  .refine(({ turn_id, session_id }) => (turn_id === undefined) !== (session_id === undefined), {
    error: 'wants either turn_id or session_id',
    path: ['turn_id'],
  })

export function experimentsPlugin(app: FastifyInstance, { experiments, turns }: ExperimentsDeps): void {
  app.get('/v1/experiments', async () => ({ object: 'list', data: experiments.read() }))

  app.get<{ Params: { name: string } }>('/v1/experiments/:name', async (request, reply) => {
    const found = experiments.get(request.params.name)
    if (found) return found
    const message = 'There is no experiment of that name.'
    return reply.code(ERRORS.not_found.status).send(openaiError('not_found', message))
  })

  app.post('/v1/feedback', async (request, reply) => {
    const parsed = feedbackSchema.safeParse(request.body ?? {})
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const param = issue?.path.join('.') ?? ''
      return reply.code(400).send(openaiError('invalid_value', issue?.message ?? 'Invalid body.', param))
    }
    const { turn_id, session_id, score, name } = parsed.data
    const keyId = request.caller?.keyId ?? null
    const session = turn_id
      ? (await turns.get(turn_id, keyId))?.sessionId
      : (await turns.list(keyId, { session: session_id ?? '', limit: 1 }))?.records[0]?.sessionId
    if (session === undefined) {
      const message = 'No turn of that conversation is kept.'
      return reply.code(ERRORS.turn_not_found.status).send(openaiError('turn_not_found', message))
    }
    // Of conversations that were in no experiment nothing is kept: that is no fault of who tells.
    const counted = experiments.feedback(session, `${turn_id ?? ''} ${name}`, score)
    return { object: 'feedback', session_id: session, counted }
  })
}
