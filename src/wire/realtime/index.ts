/**
 * The OpenAI Realtime API over WebSocket: `GET /v1/realtime`. The caller registers `@fastify/websocket` with
 * `websocketOptions` below and the access plugin; this adds the route.
 */
import type { IncomingMessage } from 'node:http'
import type {} from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RawData, ServerOptions, WebSocket } from 'ws'
import { ERRORS, type ErrorCode, openaiError } from '../../errors.ts'
import { SessionRefused } from '../../session/session.ts'
import type { WireSocket } from '../writer.ts'
import { Refusal } from './check.ts'
import { Connection, type ConnectionDeps, type ConnectionStart } from './connection.ts'
import { readUpgrade } from './origin.ts'

export interface RealtimeDeps extends ConnectionDeps {
  /** The name shown as the model when the client names none. */
  readonly defaultPipeline: () => string
}

/** 15 MiB of audio are 20 MiB of base64; the rest is the event around it. */
const MAX_FRAME_BYTES = 21 * 1024 * 1024

/** Browsers put their key into a subprotocol: the answer is `realtime` and never that one. */
export function handleProtocols(protocols: Set<string>, _request?: IncomingMessage): string | false {
  return protocols.has('realtime') ? 'realtime' : false
}

/** For `@fastify/websocket`. A frame too large or broken is closed by `ws` with 1009, 1007 or 1002. */
export const websocketOptions = {
  options: {
    handleProtocols,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  } satisfies ServerOptions,
  /** `ws` closes a broken stream by itself, with the code that says why; anything else is cut. */
  errorHandler(error: Error & { readonly code?: unknown }, socket: WebSocket): void {
    if (!String(error.code).startsWith('WS_ERR_')) socket.terminate()
  },
}

/** Sessions opened for an upgrade that has not happened yet. */
const opened = new WeakMap<IncomingMessage, ConnectionStart>()

export function registerRealtime(app: FastifyInstance, deps: RealtimeDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/realtime',
    preHandler: (request, reply, done) => {
      const refused = openSession(request, deps)
      if (!refused) return done()
      const { code, message, param, headers = {} } = refused
      reply
        .code(ERRORS[code].status)
        .headers(headers)
        .send(openaiError(code, message, param))
    },
    handler: (_, reply) => reply.code(426).send(),
    wsHandler: (socket, request) => {
      const start = opened.get(request.raw)
      if (!start) return socket.terminate()
      opened.delete(request.raw)
      attach(socket, start, deps)
    },
  })
}

interface HttpRefusal {
  readonly code: ErrorCode
  readonly message: string
  readonly param: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** Before the upgrade, so that a full server can answer in HTTP. Undefined: the upgrade may go on. */
function openSession(request: FastifyRequest, deps: RealtimeDeps): HttpRefusal | undefined {
  if (!request.ws) {
    const message = 'This endpoint speaks WebSocket.'
    const headers = { upgrade: 'websocket', connection: 'upgrade' }
    return { code: 'upgrade_required', message, param: null, headers }
  }
  try {
    const { model, origin, start } = readUpgrade(request, deps.hasPipeline)
    const session = deps.host.open(model === null ? origin : { ...origin, model })
    const shape = wantsBeta(request) ? 'beta' : 'ga'
    opened.set(request.raw, { session, origin, start, shape, model: model ?? deps.defaultPipeline() })
    request.raw.socket.once('close', () => abandon(request.raw))
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    if (error instanceof SessionRefused)
      return { code: error.code, message: error.message, param: null, headers: { 'retry-after': '5' } }
    throw error
  }
}

/** The handshake failed after the session was opened. */
function abandon(request: IncomingMessage): void {
  const start = opened.get(request)
  if (!opened.delete(request)) return
  start?.session.close('client').catch(() => {})
}

/** OpenAI itself retired that shape; clients that still speak it have nowhere else to go. */
function wantsBeta(request: FastifyRequest): boolean {
  const { headers } = request
  const lists = (list: unknown, word: string) =>
    String(list ?? '')
      .split(',')
      .some((one) => one.trim() === word)
  return (
    lists(headers['openai-beta'], 'realtime=v1') ||
    lists(headers['sec-websocket-protocol'], 'openai-beta.realtime-v1')
  )
}

function attach(socket: WebSocket, start: ConnectionStart, deps: RealtimeDeps): void {
  const connection = new Connection(wireSocket(socket), start, deps)
  socket.on('message', (data: RawData, isBinary: boolean) => connection.message(data as Buffer, isBinary))
  socket.on('ping', () => connection.signOfLife())
  socket.on('pong', () => connection.signOfLife())
  socket.on('close', () => connection.closed())
  void connection.run()
}

function wireSocket(socket: WebSocket): WireSocket {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    send: (text, flushed) => socket.send(text, flushed),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}
