/** A request's scope: aborted when the client leaves before its answer is whole, so that the request upstream is closed. */
import type { FastifyReply } from 'fastify'
import { openScope, type Scope } from '../cancel.ts'

export function leavingScope(reply: FastifyReply): Scope {
  const scope = openScope()
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) scope.cancel('hangup')
  })
  return scope
}
