/**
 * A stretch of network on loopback between a caller and one call's UDP port, which loses packets of sound: seeded, so
 * that the nth packet of a direction is lost in every run or in none, and counted.
 *
 *     caller ─► relay ─► server        relay ◄─► every kind of packet, but RTP with a share of loss, both ways
 *
 * Only RTP is lost. Events travel over SCTP, which sends again what is lost; a handshake that has to do so is slow and
 * shows nothing about sound.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface RtpCount {
  /** That came to the relay. */
  readonly packets: number
  readonly lost: number
}

export interface LossyRelay {
  readonly port: number
  readonly up: RtpCount
  readonly down: RtpCount
  close(): void
}

/** The answer with its port exchanged for a relay's, and the relay. */
export async function throughRelay(
  answer: string,
  share: number,
  seed: number,
): Promise<{ readonly relay: LossyRelay; readonly answer: string }> {
  const server = Number(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/im.exec(answer)?.[1])
  if (!server) throw new Error('the answer names no port on loopback')
  const relay = await openRelay(server, share, seed)
  // No way around the relay, where a call has a second port.
  const only = answer.replace(/^a=candidate:.*\r?\n/gm, (line) =>
    line.includes(` 127.0.0.1 ${server} `) ? line.replace(` ${server} `, ` ${relay.port} `) : '',
  )
  return { relay, answer: only }
}

async function openRelay(server: number, share: number, seed: number): Promise<LossyRelay> {
  const up = lossy(share, seed)
  const down = lossy(share, seed + 1)
  const front = await bound()
  /** A caller that is seen at several addresses is so at the other side. */
  const backs = new Map<string, Promise<Socket>>()
  front.on('message', (packet, from) => {
    if (!up.passes(packet)) return
    const key = `${from.address}:${from.port}`
    const back = backs.get(key) ?? openBack(from)
    backs.set(key, back)
    void back.then((socket) => socket.send(packet, server, '127.0.0.1'))
  })
  const openBack = async (caller: RemoteInfo) => {
    const back = await bound()
    back.on('message', (packet) => {
      if (down.passes(packet)) front.send(packet, caller.port, caller.address)
    })
    return back
  }
  return {
    port: front.address().port,
    up: up.count,
    down: down.count,
    close() {
      front.close()
      for (const back of backs.values()) void back.then((socket) => socket.close())
    },
  }
}

function lossy(share: number, seed: number) {
  const count = { packets: 0, lost: 0 }
  let state = seed
  return {
    count: count as RtpCount,
    passes(packet: Buffer): boolean {
      if (!isRtp(packet)) return true
      count.packets++
      state = (state * 48_271) % 2_147_483_647
      if (state / 2_147_483_647 >= share) return true
      count.lost++
      return false
    },
  }
}

/** RFC 7983 tells RTP and RTCP from STUN and DTLS by the first byte, RFC 5761 RTP from RTCP by the second. */
function isRtp(packet: Buffer): boolean {
  const [first = 0, second = 0] = packet
  return first >= 128 && first < 192 && (second < 192 || second > 223)
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
