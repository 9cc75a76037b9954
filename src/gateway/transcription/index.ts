/** `POST /v1/audio/transcriptions`, in OpenAI's shape. */

import type { FastifyInstance } from 'fastify'
import type { FailFacts } from '../../dialect/codec.ts'
import { ERRORS } from '../../errors.ts'
import type { Admit } from '../admission.ts'
import { factsOfError } from '../http-errors.ts'
import { serveTranscription, type TranscriptionDeps } from './serve.ts'

export interface TranscriptionRoutes extends TranscriptionDeps {
  /** A fault of ours, for the log. */
  readonly onFault: (error: unknown) => void
  readonly admit: Admit
}

/** Of the form around the file: its fields and boundaries. */
const FORM_BYTES = 512 * 1024

export async function transcriptionRoutes(app: FastifyInstance, deps: TranscriptionRoutes): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.route({
      method: 'POST',
      url: '/v1/audio/transcriptions',
      onRequest: deps.admit,
      bodyLimit: deps.fileBytes + FORM_BYTES,
      handler: (request, reply) => serveTranscription(request, reply, deps),
      errorHandler: (error, _request, reply) => {
        const { status, message, type, param, code } = factsOf(error, deps.onFault)
        return reply.code(status).send({ error: { message, type, param, code } })
      },
    })
  })
}

function factsOf(error: unknown, onFault: (error: unknown) => void): FailFacts {
  const facts = factsOfError(error, onFault)
  if (facts.status !== ERRORS.unsupported_media_type.status) return facts
  return { ...facts, message: 'The body must be a form: send Content-Type: multipart/form-data.' }
}
