/** `GET /v1/telephony/any`: a media socket of whichever bridge of the settings its first messages are. */
import type {} from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import { ERRORS, openaiError } from '../../../errors.ts'
import type { CallStart, Upgrade } from '../bridge.ts'
import { CLOSINGS, type Link } from '../call/link.ts'
import type { Line } from '../lines.ts'
import { admit } from './admission.ts'
import { Detector } from './detect.ts'
import {
  accountAtStart,
  listenTo,
  mediaSocket,
  openLink,
  TELEPHONY,
  type TelephonyDeps,
  upgradeOf,
} from './streams.ts'
import { limitUnproved } from './unproved.ts'

/** Sockets that have not shown whose they are. */
const MAX_UNKNOWN = 100

export function registerAnyBridge(app: FastifyInstance, deps: TelephonyDeps): void {
  let unknown = 0
  for (const url of [`${TELEPHONY}/any`, `${TELEPHONY}/any/:token`]) {
    app.route({
      method: 'GET',
      url,
      preHandler: (request, reply, done) => {
        const code = request.ws ? (unknown < MAX_UNKNOWN ? undefined : 'server_full') : 'upgrade_required'
        if (!code) return done()
        reply
          .code(ERRORS[code].status)
          .send(openaiError(code, 'This endpoint takes media sockets of telephone bridges.'))
      },
      handler: (_, reply) => reply.code(426).send(),
      wsHandler: (socket, request) => {
        unknown++
        detect(socket, request, deps, () => unknown--)
      },
    })
  }
}

function detect(socket: WebSocket, request: FastifyRequest, deps: TelephonyDeps, known: () => void): void {
  const upgrade = upgradeOf(request, deps)
  const { token } = request.params as { token?: string }
  const proved = limitUnproved(request.raw.socket, () => socket.terminate())
  const close = (closing: 'unproved' | 'unserved') => socket.close(...closeArguments(closing))
  const detector = new Detector({
    lines: deps.lines,
    clock: deps.clock,
    failed: () => {
      end()
      close('unserved')
    },
    found: (line, messages) => {
      end()
      const link = linkOf(socket, line, { upgrade, token, proved }, deps)
      if (!link) return close('unproved')
      listenTo(socket, link)
      for (const message of messages) link.message(message, 'text')
    },
  })
  const hear = (data: RawData, isBinary: boolean) =>
    detector.message(data as Buffer, isBinary ? 'binary' : 'text')
  const gone = () => {
    detector.close()
    end()
  }
  let waits = true
  function end(): void {
    socket.off('message', hear)
    socket.off('close', gone)
    if (waits) known()
    waits = false
  }
  socket.on('message', hear)
  socket.on('close', gone)
  socket.on('error', () => {})
}

interface Stranger {
  readonly upgrade: Upgrade
  readonly token: string | undefined
  /** It has shown whose it is. */
  readonly proved: () => void
}

function linkOf(
  socket: WebSocket,
  line: Line,
  { upgrade, token, proved }: Stranger,
  deps: TelephonyDeps,
): Link | undefined {
  const admission = admit(line, upgrade, token)
  if (admission === 'refused') return undefined
  return openLink(mediaSocket(socket), {
    ...deps,
    line,
    query: upgrade.query,
    begin: (link: Link, start: CallStart) => {
      const account = accountAtStart(line, admission, start, deps)
      if (account) proved()
      return account ? deps.calls.begin(link, line.bridge, start, account) : 'unproved'
    },
    onOver: () => {},
  })
}

function closeArguments(closing: keyof typeof CLOSINGS): [number, string] {
  const [code, reason] = CLOSINGS[closing]
  return [code, reason]
}
