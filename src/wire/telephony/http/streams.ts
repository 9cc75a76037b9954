/**
 * Telephone bridges over WebSocket: `GET /v1/telephony/NAME`, the token behind it where it goes into the path. The caller
 * registers `@fastify/websocket` with `websocketOptions` of the Realtime wire; these paths need no key, they have their own proof.
 *
 *     upgrade ─► admit ─► 401 | socket ─► Link ─ start ─► (token) ─► Calls ─► Call
 */
import type { IncomingMessage } from 'node:http'
import type {} from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import type { InputRates } from '../../../access/input-rates.ts'
import type { Clock } from '../../../clock.ts'
import { ERRORS, openaiError } from '../../../errors.ts'
import type { CallStart, Upgrade } from '../bridge.ts'
import type { CallAccount, Calls } from '../call/calls.ts'
import { type Closing, Link, type LinkOwner, type MediaSocket } from '../call/link.ts'
import type { Line, Lines } from '../lines.ts'
import { type Admission, admit, admitAtStart } from './admission.ts'
import type { CallTokens } from './tokens.ts'
import { limitUnproved } from './unproved.ts'

export interface TelephonyDeps {
  readonly lines: Lines
  readonly calls: Calls
  readonly tokens: CallTokens
  readonly clock: Clock
  readonly publicUrl: string | null
  readonly inputRates?: InputRates
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

/** Below it, the bridges. */
export const TELEPHONY = '/v1/telephony'

/** Sockets whose start has not come, of all bridges: a flood of them is no denial of service to the calls. */
const MAX_PENDING = 500

interface Pending {
  readonly line: string
  readonly admission: Exclude<Admission, 'refused'>
}

export function registerTelephony(app: FastifyInstance, deps: TelephonyDeps): void {
  const upgrades = new WeakMap<IncomingMessage, Pending>()
  let pending = 0

  for (const url of [`${TELEPHONY}/:bridge`, `${TELEPHONY}/:bridge/:token`]) {
    app.route({
      method: 'GET',
      url,
      preHandler: (request, reply, done) => {
        const refuse = (code: keyof typeof MESSAGES) => {
          reply.code(ERRORS[code].status).send(openaiError(code, MESSAGES[code]))
        }
        const { bridge: name, token } = request.params as { bridge: string; token?: string }
        const line = deps.lines.get(name)
        if (!line || line.bridge.tcp) return refuse('not_found')
        if (!request.ws) return refuse('upgrade_required')
        if (pending >= MAX_PENDING) return refuse('server_full')
        const admission = admit(line, upgradeOf(request, deps), token)
        if (admission === 'refused') {
          deps.note('a telephone stream was refused', { bridge: name })
          return refuse('bridge_not_proved')
        }
        upgrades.set(request.raw, { line: name, admission })
        done()
      },
      handler: (_, reply) => reply.code(426).send(),
      wsHandler: (socket, request) => {
        const upgrade = upgrades.get(request.raw)
        const line = upgrade && deps.lines.get(upgrade.line)
        if (!upgrade || !line) return socket.terminate()
        pending++
        const proved = limitUnproved(request.raw.socket, () => socket.terminate())
        let waits = true
        const began = () => {
          proved()
          if (waits) pending--
          waits = false
        }
        const begin = (link: Link, start: CallStart): LinkOwner | Closing => {
          const account = accountAtStart(line, upgrade.admission, start, deps)
          began()
          return account ? deps.calls.begin(link, line.bridge, start, account) : 'unproved'
        }
        const { query } = upgradeOf(request, deps)
        listenTo(socket, openLink(mediaSocket(socket), { ...deps, line, begin, query, onOver: began }))
      },
    })
  }
}

const MESSAGES = {
  not_found: 'There is no such telephone bridge in the settings.',
  bridge_not_proved: 'The telephone bridge did not prove itself.',
  upgrade_required: 'This endpoint speaks WebSocket.',
  server_full: 'Too many streams have not started yet. Try again shortly.',
} as const

/** Whom a call acts for; undefined: it did not prove itself. */
export function accountAtStart(
  line: Line,
  admission: Pending['admission'],
  start: CallStart,
  { tokens }: TelephonyDeps,
): CallAccount | undefined {
  const own = { key: line.key, pipeline: line.setting.pipeline }
  const facts = admitAtStart(line, start, tokens)
  if (facts === undefined) return admission === 'admitted' ? own : undefined
  if (facts === 'admitted') return own
  const { pipeline, callId } = facts
  const named = callId === undefined ? {} : { callId }
  return { key: own.key, pipeline: pipeline ?? own.pipeline, ...named }
}

export interface Attached extends Omit<TelephonyDeps, 'lines' | 'calls' | 'tokens' | 'publicUrl'> {
  readonly line: Line
  readonly begin: (link: Link, start: CallStart) => LinkOwner | Closing
  readonly query?: Readonly<Record<string, string>>
  readonly onOver: () => void
}

/** A link on a socket of whatever kind. */
export function openLink(socket: MediaSocket, attached: Attached): Link {
  const { line, begin, onOver, clock, inputRates, note, query } = attached
  return new Link(socket, {
    bridge: line.bridge,
    clock,
    begin,
    note,
    onOver,
    ...(query ? { query } : {}),
    ...(inputRates ? { meter: (exceeded) => inputRates.open(line.key?.id ?? null, exceeded) } : {}),
  })
}

/** What comes on a socket goes to its link. */
export function listenTo(socket: WebSocket, link: Link): void {
  socket.on('message', (data: RawData, isBinary: boolean) =>
    link.message(data as Buffer, isBinary ? 'binary' : 'text'),
  )
  socket.on('ping', () => link.signOfLife())
  socket.on('pong', () => link.signOfLife())
  socket.on('close', (code: number) => link.closed(code))
  socket.on('error', () => {})
}

export function mediaSocket(socket: WebSocket): MediaSocket {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    send: (message, flushed) => socket.send(message, flushed),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

export function upgradeOf(
  request: FastifyRequest,
  { publicUrl, clock }: Pick<TelephonyDeps, 'publicUrl' | 'clock'>,
): Upgrade {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    const last = Array.isArray(value) ? value.at(-1) : value
    if (last !== undefined) query[name] = last
  }
  const receivedAtMs = clock.wallMs()
  return { path: request.raw.url ?? '', query, headers: request.headers, publicUrl, receivedAtMs }
}
