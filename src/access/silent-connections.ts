/**
 * Connections that were opened and never asked anything. Clients keep some ready (undici opens one after each abort), and Node does not
 * count them among the idle ones, so that a server that closes would wait a minute for each. Over TLS the
 * handshake counts as asking: those are waited for.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Closes them when the server closes; those with a request at work are waited for as ever. */
export function closeSilentAtEnd(http: FastifyInstance): void {
  const open = new Set<Socket>()
  http.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  http.addHook('preClose', async () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  })
}
