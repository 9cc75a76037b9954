/** Language models over HTTP: a route for each dialect that clients speak, errors in the words of that dialect. */
import type { FastifyInstance } from 'fastify'
import type { Admit } from '../admission.ts'
import { takeBytes } from '../body.ts'
import { factsOfError } from '../http-errors.ts'
import { SHAPES } from './codecs.ts'
import { type ServeDeps, serve } from './serve.ts'

export interface ModelRoutes extends ServeDeps {
  readonly bodyBytes: number
  /** A fault of ours, for the log. */
  readonly onFault: (error: unknown) => void
  readonly admit: Admit
}

export async function modelRoutes(app: FastifyInstance, deps: ModelRoutes): Promise<void> {
  await app.register(async (scope) => {
    takeBytes(scope)
    for (const shape of SHAPES) {
      scope.route({
        method: 'POST',
        url: shape.path,
        onRequest: deps.admit,
        bodyLimit: deps.bodyBytes,
        handler: (request, reply) => serve(shape, request, reply, deps),
        errorHandler: (error, _request, reply) => {
          const facts = factsOfError(error, deps.onFault)
          return reply
            .code(facts.status)
            .type('application/json; charset=utf-8')
            .send(JSON.stringify(shape.codec.errorBody(facts)))
        },
      })
    }
  })
}
