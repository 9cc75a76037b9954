import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { realClock, VirtualClock } from '../../../../src/clock.ts'
import type { TcpPort } from '../../../../src/wire/telephony/bridge.ts'
import {
  type Ears,
  FIRST_FRAME_MS,
  type Listening,
  listenAudioSocket,
} from '../../../../src/wire/telephony/bridges/audiosocket/listener.ts'
import type { MediaSocket } from '../../../../src/wire/telephony/call/link.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

/** A queue that a test waits at. */
function queue<T>() {
  const held: T[] = []
  const waiting: ((value: T) => void)[] = []
  return {
    put(value: T) {
      const next = waiting.shift()
      if (next) next(value)
      else held.push(value)
    },
    take: (): Promise<T> =>
      held.length > 0 ? Promise.resolve(held.shift()!) : new Promise((resolve) => waiting.push(resolve)),
  }
}

async function listening(port: Partial<TcpPort> = {}, clock = realClock) {
  const sockets = queue<MediaSocket>()
  const frames = queue<string>()
  const closes = queue<number>()
  const notes = queue<unknown>()
  let signs = 0
  const accept = (socket: MediaSocket): Ears => {
    sockets.put(socket)
    return {
      message: (frame) => frames.put(frame.toString('hex')),
      signOfLife: () => void signs++,
      closed: (code) => closes.put(code),
    }
  }
  const server: Listening = await listenAudioSocket(
    { host: '127.0.0.1', port: 0, allow: ['127.0.0.1'], maxConnections: 2, ...port },
    accept,
    clock,
    (_, { why }) => notes.put(why),
  )
  opened.push(server)
  const dial = async (): Promise<Socket> => {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    opened.push({ close: async () => void socket.destroy() })
    await once(socket, 'connect')
    return socket
  }
  return { server, dial, sockets, frames, closes, notes, signs: () => signs }
}

describe('a port for AudioSocket', () => {
  test('gives whole frames, and takes bytes back', async () => {
    const { dial, sockets, frames, signs } = await listening()
    const asterisk = await dial()
    asterisk.write(Buffer.from('01000401', 'hex'))
    asterisk.write(Buffer.from('020304030001', 'hex'))
    asterisk.write(Buffer.from('35', 'hex'))
    expect([await frames.take(), await frames.take()]).toEqual(['01000401020304', '03000135'])
    const socket = await sockets.take()
    const heard = once(asterisk, 'data')
    const flushed = new Promise<void>((resolve) => socket.send(Buffer.from('000000', 'hex'), resolve))
    expect((await heard)[0]).toEqual(Buffer.from('000000', 'hex'))
    await flushed
    socket.ping()
    expect(signs()).toBe(1)
  })

  test('tells an end in order from a line that breaks', async () => {
    const { dial, closes, sockets } = await listening()
    const first = await dial()
    await sockets.take()
    first.end()
    expect(await closes.take()).toBe(1000)
    const second = await dial()
    await sockets.take()
    second.resetAndDestroy()
    expect(await closes.take()).toBe(1006)
  })

  test('our own end closes the connection', async () => {
    const { dial, closes, sockets } = await listening()
    const asterisk = await dial()
    const ended = once(asterisk.resume(), 'end')
    ;(await sockets.take()).close(1000, 'call over')
    await ended
    expect(await closes.take()).toBe(1000)
  })

  test('cuts off an address that is not allowed, before anything is read', async () => {
    const { dial, notes, server } = await listening({ allow: ['10.0.0.0/8', '::1'] })
    const stranger = await dial()
    await once(stranger.resume(), 'close')
    expect(await notes.take()).toBe('address')
    expect(server.open).toBe(0)
  })

  test('a network is allowed whole, also where the address comes as IPv6', async () => {
    const { dial, sockets, server } = await listening({ host: '::', allow: ['127.0.0.0/8'] })
    await dial()
    await sockets.take()
    expect(server.open).toBe(1)
  })

  test('has room for so many connections and no more', async () => {
    const { dial, sockets, notes } = await listening()
    await dial()
    await dial()
    await sockets.take()
    await sockets.take()
    const third = await dial()
    await once(third.resume(), 'close')
    expect(await notes.take()).toBe('too many')
  })

  test('waits so long for the first frame and no longer', async () => {
    const clock = new VirtualClock()
    const { dial, sockets, closes, frames } = await listening({}, clock)
    const silent = await dial()
    await sockets.take()
    const talker = await dial()
    await sockets.take()
    talker.write(Buffer.from('000000', 'hex'))
    await frames.take()
    const gone = once(silent.resume(), 'close')
    await clock.advance(FIRST_FRAME_MS)
    await gone
    expect(await closes.take()).toBe(1006)
    expect(clock.pendingTimers).toBe(0)
    expect(talker.destroyed).toBe(false)
  })

  test('closing it cuts what is open', async () => {
    const { dial, sockets, closes, server } = await listening()
    const asterisk = await dial()
    await sockets.take()
    const gone = once(asterisk.resume(), 'close')
    await server.close()
    await gone
    expect(await closes.take()).toBe(1006)
  })

  test('a port that is taken is an error', async () => {
    const { server } = await listening()
    await expect(listening({ port: server.port })).rejects.toThrow('EADDRINUSE')
  })
})
