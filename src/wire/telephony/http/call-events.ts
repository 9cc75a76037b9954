/**
 * `GET /v1/calls/events`: what happens to the calls of a key while it happens, as server-sent events. There is no history: what was
 * before is in `GET /v1/calls` and `GET /v1/turns`.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type {} from '../../../access/plugin.ts'
import type { Clock, Timer } from '../../../clock.ts'
import { ERRORS, openaiError } from '../../../errors.ts'
import type { CallBoard, Watcher } from '../call/board.ts'

/** A connection on which nothing is sent is cut by what stands in between, often after 30 s. */
const SIGN_OF_LIFE_MS = 15_000
/** Some hundred events. Who reads slower than calls happen is not waited for. */
const MAX_BEHIND_BYTES = 64 * 1024

export interface CallEventsDeps {
  readonly board: CallBoard
  readonly clock: Clock
}

export function registerCallEvents(app: FastifyInstance, { board, clock }: CallEventsDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/calls/events',
    exposeHeadRoute: false,
    handler: (request, reply) => {
      const watcher = watcherOf(request.caller?.keyId ?? null, reply)
      if (board.join(watcher) === 'full') {
        const message = 'As many clients watch calls as may. Try again later.'
        return reply.code(ERRORS.server_full.status).send(openaiError('server_full', message))
      }
      begin(reply)
      const out = reply.raw
      let timer: Timer
      const live = () => {
        timer = clock.setTimer(SIGN_OF_LIFE_MS, () => {
          out.write(':\n\n')
          live()
        })
      }
      live()
      out.once('close', () => {
        timer.cancel()
        board.leave(watcher)
      })
      return reply
    },
  })
}

function watcherOf(keyId: string | null, { raw }: FastifyReply): Watcher {
  return {
    keyId,
    tell(type, json) {
      if (raw.writableLength > MAX_BEHIND_BYTES) return void raw.destroy()
      raw.write(`event: ${type}\ndata: ${json}\n\n`)
    },
    end: () => void raw.end(),
  }
}

function begin(reply: FastifyReply): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    // What access allowed to pages of other origins.
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // Proxies in front shall not wait for more.
    'x-accel-buffering': 'no',
  })
  reply.raw.on('error', () => {})
  // The headers at once: who watches knows that it began.
  reply.raw.write(':\n\n')
}
