/** Language models over HTTP: a route for each dialect that clients speak, errors in the words of that dialect. */
import type { FastifyError, FastifyInstance } from 'fastify'
import type { FailFacts } from '../../dialect/codec.ts'
import { ERRORS, type ErrorCode } from '../../errors.ts'
import { takeBytes } from './body.ts'
import { SHAPES } from './codecs.ts'
import { failFactsOf } from './failure.ts'
import { type ServeDeps, serve } from './serve.ts'

export interface ModelRoutes extends ServeDeps {
  readonly bodyBytes: number
  /** A fault of ours, for the log. */
  readonly onFault: (error: unknown) => void
}

export async function modelRoutes(app: FastifyInstance, deps: ModelRoutes): Promise<void> {
  await app.register(async (scope) => {
    takeBytes(scope)
    for (const shape of SHAPES) {
      scope.route({
        method: 'POST',
        url: shape.path,
        bodyLimit: deps.bodyBytes,
        handler: (request, reply) => serve(shape, request, reply, deps),
        errorHandler: (error, _request, reply) => {
          const facts = failFactsOf(error) ?? httpFacts(error) ?? ourFault(error, deps)
          return reply
            .code(facts.status)
            .type('application/json; charset=utf-8')
            .send(JSON.stringify(shape.codec.errorBody(facts)))
        },
      })
    }
  })
}

/** What Fastify refused before the handler. */
function httpFacts({ statusCode }: FastifyError): FailFacts | undefined {
  if (statusCode === 413) return of('payload_too_large', 'The body is larger than this server takes.')
  if (statusCode === 415)
    return of('unsupported_media_type', 'The body must be JSON: send Content-Type: application/json.')
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? of('invalid_json', 'The request is not well formed.')
    : undefined
}

function ourFault(error: unknown, { onFault }: ModelRoutes): FailFacts {
  onFault(error)
  return of('internal_error', 'The server failed.')
}

function of(code: ErrorCode, message: string): FailFacts {
  const { status, type } = ERRORS[code]
  return { status, type, code, message, param: null }
}
