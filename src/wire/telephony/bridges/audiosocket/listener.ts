/**
 * The TCP side of AudioSocket: a port of its own, whom it lets in, and each connection as what a `Link` needs: whole frames in,
 * bytes out with back-pressure. The protocol has no password, so the address is all the proof there is.
 *
 *     TCP ─► allowed address? room? ─► Framer ─► ears.message(frame)          Link ─► MediaSocket.send ─► TCP
 *                                └ no frame in time ─► cut
 */
import { type AddressInfo, BlockList, createServer, isIP, type Server, type Socket } from 'node:net'
import type { Clock } from '../../../../clock.ts'
import type { TcpPort } from '../../bridge.ts'
import type { MediaSocket } from '../../call/link.ts'
import { Framer } from './framer.ts'

/** Who listens to a connection; a `Link` is one. */
export interface Ears {
  message(frame: Buffer, kind: 'binary'): void
  /** The far side took what it was sent. */
  signOfLife(): void
  /** Once. 1000: it ended in order; 1006: it broke, or was cut. */
  closed(code: number): void
}

export interface Listening {
  readonly port: number
  /** Connections that are open now. */
  readonly open: number
  /** Takes no more connections, and cuts those that are there. */
  close(): Promise<void>
}

export type ListenNote = (message: string, facts: Readonly<Record<string, unknown>>) => void

/** Asterisk sends the UUID as soon as it is connected. */
export const FIRST_FRAME_MS = 5_000

/** Rejects with the system's error where the address cannot be listened at. */
export async function listenAudioSocket(
  options: TcpPort,
  accept: (socket: MediaSocket) => Ears,
  clock: Clock,
  note: ListenNote,
): Promise<Listening> {
  const allowed = networksOf(options.allow)
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => {})
    const { remoteAddress } = socket
    if (remoteAddress === undefined || !allows(allowed, remoteAddress)) {
      note('an AudioSocket connection was refused', { remoteAddress, why: 'address' })
      return socket.destroy()
    }
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    attach(socket, accept, clock)
  })
  server.maxConnections = options.maxConnections
  server.on('drop', (data) =>
    note('an AudioSocket connection was refused', { remoteAddress: data?.remoteAddress, why: 'too many' }),
  )
  await listening(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return open.size
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** An address, or a network with the length of its prefix. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

function networksOf(allow: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of allow) {
    const [address = '', prefix] = text.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** An IPv4 address comes in IPv6's clothes where the server listens at `::`. */
function allows(allowed: BlockList, remoteAddress: string): boolean {
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '')
  return allowed.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

function attach(socket: Socket, accept: (socket: MediaSocket) => Ears, clock: Clock): void {
  let ears: Ears | undefined
  const first = clock.setTimer(FIRST_FRAME_MS, () => socket.destroy())
  const framer = new Framer((frame) => {
    first.cancel()
    ears?.message(frame, 'binary')
  })
  ears = accept(mediaSocket(socket, () => ears?.signOfLife()))
  let ended: 'in-order' | 'cut' = 'cut'
  socket.on('data', (chunk) => framer.push(chunk as Buffer))
  socket.on('end', () => {
    ended = 'in-order'
  })
  socket.on('close', () => {
    first.cancel()
    ears?.closed(ended === 'in-order' ? 1000 : 1006)
  })
}

/** TCP has no ping. Silence is sent all the time, so a far side that has taken all of it is alive. */
function mediaSocket(socket: Socket, alive: () => void): MediaSocket {
  return {
    get bufferedAmount() {
      return socket.writableLength
    },
    send: (message, flushed) => socket.write(message, () => flushed()),
    ping() {
      if (socket.writableLength === 0) alive()
    },
    close: () => socket.end(),
    terminate: () => socket.destroy(),
  }
}

function listening(server: Server, { host, port }: TcpPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
}
