/**
 * `POST /v1/embeddings`, in OpenAI's shape. `model` is `provider/model`, or a bare name that the catalogue knows. Another provider of
 * the same model takes over when one fails; another model never does by itself, since vectors of two models cannot be compared.
 */

import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import { withEachKey } from '../../attempt/credentials.ts'
import type { AttemptTarget } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import { usageMeter } from '../../attempt/meters.ts'
import { attempt } from '../../attempt/run.ts'
import { parseTarget } from '../../config/target.ts'
import { asText, required } from '../../dialect/json-path.ts'
import { withMember } from '../../dialect/json-text.ts'
import type { Costs } from '../../price/pricing.ts'
import type { EmbeddingAdapter } from '../../stage/embedding.ts'
import type { WholeAnswer } from '../../stage/llm.ts'
import type { Provider } from '../../stage/provider.ts'
import type { Admit } from '../admission.ts'
import { type Body, bodyOf, takeBytes } from '../body.ts'
import { Refusal } from '../failure.ts'
import { factsOfError } from '../http-errors.ts'
import { leavingScope } from '../leaving.ts'
import { type RecordDeps, RequestRecord } from '../record.ts'

export interface EmbeddingRoutes extends RecordDeps {
  readonly providers: ReadonlyMap<string, Provider>
  readonly byName: (model: string) => readonly string[]
  readonly health: HealthView
  readonly pricing: Costs
  readonly bodyBytes: number
  readonly windows: { readonly answerMs: number }
  readonly onFault: (error: unknown) => void
  readonly admit: Admit
}

interface Target extends AttemptTarget {
  readonly adapter: EmbeddingAdapter
  readonly route: string
}

export async function embeddingRoutes(app: FastifyInstance, deps: EmbeddingRoutes): Promise<void> {
  await app.register(async (scope) => {
    takeBytes(scope)
    scope.route({
      method: 'POST',
      url: '/v1/embeddings',
      onRequest: deps.admit,
      bodyLimit: deps.bodyBytes,
      handler: (request, reply) => serve(request, reply, deps),
      errorHandler: (error, _request, reply) => {
        const { status, message, type, param, code } = factsOfError(error, deps.onFault)
        return reply.code(status).send({ error: { message, type, param, code } })
      },
    })
  })
}

async function serve(request: FastifyRequest, reply: FastifyReply, deps: EmbeddingRoutes): Promise<unknown> {
  const { body, bytes } = bodyOf(request.body as Body)
  const name = required(body, '', 'model', asText)
  required(body, '', 'input', (value) => value)
  const id = randomUUID().replaceAll('-', '')
  const candidates = targetsOf(name, deps, id)
  const record = new RequestRecord(
    {
      id: `turn_${id}`,
      keyId: request.caller?.keyId ?? null,
      wire: 'embeddings',
      sessionId: `req_${id}`,
      plan: { pipeline: null, turnMs: null, exposures: [] },
    },
    deps,
  )
  const { clock, health, pricing, windows } = deps
  const scope = leavingScope(reply)
  const run = attempt<Target, WholeAnswer>({
    stage: 'llm',
    candidates,
    open: async function* ({ adapter, model }, { signal }) {
      yield await adapter.embed({ body: { ...without(body), model }, signal, clock })
    },
    isUseful: () => true,
    windowMs: () => windows.answerMs,
    teaches: 'outcome',
    clock,
    signal: scope.signal,
    health,
    log: record.trace,
    meter: (target) => {
      const meter = usageMeter(pricing, target, () => Math.ceil(bytes / 4), clock)
      return { item: ({ events }) => void events.map((event) => meter.item(event)), end: () => meter.end() }
    },
  })
  try {
    const { value, done } = await run.next()
    if (done) throw new TypeError('a run ended without an answer and without an error')
    // Its end settles the attempt.
    await run.next()
    record.first()
    const trailer = record.trailer(record.settle('said'))
    reply.headers(record.headers()).type('application/json; charset=utf-8')
    return reply.send(withMember(value.text, trailer))
  } catch (error) {
    reply.headers(record.headers())
    throw error
  } finally {
    record.settle(scope.signal.aborted ? 'cancelled' : 'failed')
    scope.release()
  }
}

/** `sticky`: vectors fill no cache, so each request draws its order of keys anew. */
function targetsOf(name: string, { providers, byName }: EmbeddingRoutes, sticky: string): Target[] {
  const present = (id: string): Target[] => {
    const target = parseTarget(id)
    if (!target) return []
    const { provider, model } = target
    return withEachKey(
      providers.get(provider),
      () => sticky,
      (offers, credential) => offers.embedding?.(model, credential),
    ).map(({ adapter, credential }) => ({ adapter, provider, model, credential, route: '' }))
  }
  const own = present(name)
  const targets = own.length > 0 ? own : byName(name).flatMap(present)
  if (targets.length > 0) return targets
  throw new Refusal('model_not_found', `The model '${name.slice(0, 200)}' does not exist here.`, 'model')
}

/** Our own members are not the provider's. */
function without({ parley: _parley, ...body }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return body
}
