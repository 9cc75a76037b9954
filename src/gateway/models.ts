/**
 * `GET /v1/models` and `GET /v1/models/{id}`, whose ids hold slashes. OpenAI's shape; Anthropic's for who sends `anthropic-version`, as its
 * SDKs do.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { anthropicError, ERRORS, type ErrorCode, openaiError } from '../errors.ts'
import type { ModelCard, ModelList } from './model-list.ts'
import { anthropicModel, openaiModel } from './model-shapes.ts'

/** Anthropic's own. */
const PAGE = { default: 20, most: 1000 }

export function modelsPlugin(app: FastifyInstance, list: ModelList): void {
  app.get('/v1/models', async (request, reply) => {
    if (wantsAnthropic(request)) return page(list.all(), request, reply)
    return { object: 'list', data: list.all().map(openaiModel) }
  })
  app.get<{ Params: { '*': string } }>('/v1/models/*', async (request, reply) => {
    const card = list.find(request.params['*'])
    if (!card) return refuse(request, reply, 'model_not_found', 'No pipeline or target has this name.')
    return wantsAnthropic(request) ? anthropicModel(card) : openaiModel(card)
  })
}

function wantsAnthropic({ headers }: FastifyRequest): boolean {
  return headers['anthropic-version'] !== undefined
}

/** `limit`, and `after_id` or `before_id`. */
function page(cards: readonly ModelCard[], request: FastifyRequest, reply: FastifyReply) {
  const query = request.query as Readonly<Record<string, unknown>>
  const limit = query['limit'] === undefined ? PAGE.default : Number(query['limit'])
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE.most) {
    return refuse(request, reply, 'invalid_value', `limit: wants a whole number from 1 to ${PAGE.most}.`)
  }
  const { after_id: after, before_id: before } = query
  const at = cards.findIndex(({ id }) => id === (after ?? before))
  if ((after !== undefined || before !== undefined) && at < 0) {
    return refuse(request, reply, 'invalid_value', 'after_id or before_id: no model has this id.')
  }
  const [from, to] =
    after === undefined && before !== undefined
      ? [Math.max(0, at - limit), at]
      : [after === undefined ? 0 : at + 1, (after === undefined ? 0 : at + 1) + limit]
  const shown = cards.slice(from, to)
  return {
    data: shown.map(anthropicModel),
    has_more: after === undefined && before !== undefined ? from > 0 : to < cards.length,
    first_id: shown[0]?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
  }
}

function refuse(request: FastifyRequest, reply: FastifyReply, code: ErrorCode, message: string) {
  const body = wantsAnthropic(request)
    ? anthropicError(code, message)
    : openaiError(code, message, code === 'model_not_found' ? 'model' : null)
  return reply.code(ERRORS[code].status).send(body)
}
