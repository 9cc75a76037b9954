/** `POST /v1/audio/speech`, in OpenAI's shape. */
import type { FastifyInstance } from 'fastify'
import type { Admit } from '../admission.ts'
import { takeBytes } from '../body.ts'
import { factsOfError } from '../http-errors.ts'
import { type SpeechDeps, serveSpeech } from './serve.ts'

export interface SpeechRoutes extends SpeechDeps {
  readonly bodyBytes: number
  /** A fault of ours, for the log. */
  readonly onFault: (error: unknown) => void
  readonly admit: Admit
}

export async function speechRoutes(app: FastifyInstance, deps: SpeechRoutes): Promise<void> {
  await app.register(async (scope) => {
    takeBytes(scope)
    scope.route({
      method: 'POST',
      url: '/v1/audio/speech',
      onRequest: deps.admit,
      bodyLimit: deps.bodyBytes,
      handler: (request, reply) => serveSpeech(request, reply, deps),
      errorHandler: (error, _request, reply) => {
        const { status, message, type, param, code } = factsOfError(error, deps.onFault)
        return reply.code(status).send({ error: { message, type, param, code } })
      },
    })
  })
}
