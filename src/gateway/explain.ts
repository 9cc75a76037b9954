/** `POST /v1/router/explain`: the dry run over HTTP. Conditions see the asker's own key and no other. */
import type { FastifyInstance } from 'fastify'
import type {} from '../access/plugin.ts'
import { dryRunFacts, dryRunSchema } from '../attempt/dry-run.ts'
import type { Snapshots } from '../attempt/snapshots.ts'
import type { Clock } from '../clock.ts'
import { openaiError } from '../errors.ts'

export interface ExplainDeps {
  readonly snapshots: Snapshots
  readonly clock: Clock
}

export function explainPlugin(app: FastifyInstance, { snapshots, clock }: ExplainDeps): void {
  app.post('/v1/router/explain', async (request, reply) => {
    const parsed = dryRunSchema.safeParse(request.body ?? {})
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      const param = issue?.path.join('.') ?? ''
      return reply.code(400).send(openaiError('invalid_value', issue?.message ?? 'Invalid body.', param))
    }
    const snapshot = snapshots.get(parsed.data.pipeline?.replace(/^(router|inworld)\//, '') ?? null)
    if (!snapshot) {
      return reply
        .code(404)
        .send(openaiError('no_pipeline', 'There is no pipeline of that name.', 'pipeline'))
    }
    const { caller } = request
    const facts = dryRunFacts(parsed.data, {
      key: caller && { id: caller.keyId, attributes: caller.attributes },
      turnMs: snapshot.pipeline.budget.turnMs,
      wallMs: clock.wallMs(),
      health: snapshot.router.health,
    })
    const { stage } = parsed.data
    return { pipeline: snapshot.pipeline.name, ...snapshot.router.explain(stage, facts) }
  })
}
