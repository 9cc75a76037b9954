/** A Realtime WebSocket as two lanes: events to send, events to read. */
import { WebSocket } from 'ws'
import { Channel } from '../../channel.ts'
import { systemCode, UserError } from '../user-error.ts'
import type { ServerAddress } from './address.ts'

/** An event of the Realtime API; `type` is sure, the rest is whatever the server sent. */
export interface RealtimeEvent {
  readonly type: string
  readonly [member: string]: unknown
}

export interface RealtimeConnection {
  /** Ends when the server closed; throws `UserError` when it closed for a reason. */
  readonly events: AsyncIterable<RealtimeEvent>
  send(event: RealtimeEvent): void
  close(): void
}

/** Answers come faster than real time: minutes of 20 ms deltas fit. */
const MAX_EVENTS_WAITING = 50_000
const HANDSHAKE_MS = 10_000

/** Throws `UserError` with what helps when the server cannot be reached or refuses. */
export function connectRealtime(
  address: ServerAddress,
  key: string | undefined,
): Promise<RealtimeConnection> {
  const socket = new WebSocket(address.realtime, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
  })
  const events = new Channel<RealtimeEvent>({ capacity: MAX_EVENTS_WAITING })
  socket.on('message', (data, isBinary) => {
    const event = isBinary ? undefined : parseEvent(data.toString())
    if (event && !events.push(event) && !events.ended) socket.terminate()
  })
  socket.on('close', (code, reason) => {
    if (code === 1000 || code === 1005) events.close()
    else
      events.fail(
        new UserError(`The server closed the connection (${code}${reason.length ? `: ${reason}` : ''}).`),
      )
  })
  return new Promise((resolve, reject) => {
    socket.once('open', () =>
      resolve({
        events,
        send: (event) => socket.send(JSON.stringify(event)),
        close: () => socket.close(1000),
      }),
    )
    socket.once('unexpected-response', (request, response) => {
      request.destroy()
      reject(refusal(response.statusCode ?? 0, address, key))
    })
    // After the opening an error is always followed by a close, which the events tell.
    socket.on('error', (error) => reject(unreachable(error, address)))
  })
}

function parseEvent(text: string): RealtimeEvent | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isEvent =
      typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    return isEvent ? (value as RealtimeEvent) : undefined
  } catch {
    return undefined
  }
}

function refusal(status: number, address: ServerAddress, key: string | undefined): UserError {
  if (status === 401 && key === undefined) {
    return new UserError(`${address.shown} wants a key.`, 'Give it with --key, or in the variable PARLEY_KEY')
  }
  if (status === 401) return new UserError(`${address.shown} does not know this key.`)
  if (status === 503) return new UserError(`${address.shown} takes no more conversations now (503).`)
  return new UserError(`${address.shown} answered ${status} instead of opening a conversation.`)
}

function unreachable(error: Error, address: ServerAddress): UserError {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return new UserError(
        `No server listens at ${address.shown}.`,
        'Start one in another terminal: npm start   (or name another with --url)',
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new UserError(`There is no host named ${address.realtime.hostname}.`)
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return new UserError(
        `${address.shown} has a certificate that this machine does not trust.`,
        'Name its authority in the variable NODE_EXTRA_CA_CERTS',
      )
    default:
      return new UserError(`${address.shown} cannot be reached: ${error.message}`)
  }
}
