/**
 * What a second of a call over WebRTC costs: `npm run bench:webrtc`.
 *
 *     codec   encode and decode of one frame each, alone
 *     call    a pair of peers in one process, the server's `Peer` and a bare client, both sending 50 packets a second:
 *             SRTP, UDP and timers of both sides, without codec
 *
 * CPU by `process.cpuUsage`; a call's server side is at most half of the pair, since both do the same.
 */
import { MediaStreamTrack, RtpHeader, RtpPacket } from 'werift'
import { loadOpus, OpusCodec } from '../src/audio/opus.ts'
import { delay, realClock } from '../src/clock.ts'
import { Peer } from '../src/wire/realtime/webrtc/peer.ts'
import { loopbackPeer } from '../test/e2e/rtc-caller.ts'

const FRAMES = 1_500
const PAIRS = Number(process.env['PAIRS'] ?? 10)
const SECONDS = Number(process.env['SECONDS'] ?? 10)

await loadOpus()
const codec = new OpusCodec()
const frames = Array.from({ length: 50 }, (_, k) => {
  const pcm = new Int16Array(480)
  for (let i = 0; i < 480; i++) pcm[i] = 8_000 * Math.sin((k * 480 + i) / 20) + 2_000 * Math.random()
  return new Uint8Array(pcm.buffer)
})
const packets = frames.map((frame) => codec.encode(frame))
const each = (work: (i: number) => void) => {
  for (let i = 0; i < 300; i++) work(i % 50)
  const before = process.cpuUsage()
  for (let i = 0; i < FRAMES; i++) work(i % 50)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / FRAMES
}
const encodeUs = each((i) => void codec.encode(frames[i]!))
const decodeUs = each((i) => void codec.decode(packets[i]!))
process.stdout.write(`encode ${encodeUs.toFixed(0)} µs, decode ${decodeUs.toFixed(0)} µs a frame of 20 ms\n`)
process.stdout.write(`codec: ${((encodeUs + decodeUs) * 0.05).toFixed(1)} ms of CPU a call-second\n`)

const pairs = await Promise.all(Array.from({ length: PAIRS }, pair))
const before = process.cpuUsage()
let index = 0
const startedAt = realClock.now()
for (; index < SECONDS * 50; index++) {
  for (const one of pairs) one.send(index)
  await delay(realClock, startedAt + (index + 1) * 20 - realClock.now())
}
const { user, system } = process.cpuUsage(before)
const perPair = (user + system) / 1000 / PAIRS / SECONDS
const came = pairs.reduce((sum, one) => sum + one.came(), 0)
process.stdout.write(
  `call: ${perPair.toFixed(1)} ms of CPU a second for both sides of one (${PAIRS} calls, ${SECONDS} s)\n`,
)
process.stdout.write(`packets that came: ${came} of ${PAIRS * SECONDS * 50 * 2}\n`)
process.exit(0)

async function pair() {
  const network = { host: '127.0.0.1', udpPorts: null, publicAddress: null }
  const client = loopbackPeer()
  client.createDataChannel('oai-events')
  const track = new MediaStreamTrack({ kind: 'audio' })
  client.addTransceiver(track, { direction: 'sendrecv' })
  let count = 0
  client.onTrack.subscribe((remote) => remote.onReceiveRtp.subscribe(() => void count++))
  await client.setLocalDescription(await client.createOffer())
  const offer = client.localDescription?.sdp ?? ''
  let opened = () => {}
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  const { peer, sdp } = await Peer.answer(offer, network, realClock, {
    opened: () => opened(),
    message: () => {},
    tooLarge: () => {},
    packet: () => void count++,
    gone: () => {},
  })
  await client.setRemoteDescription({ type: 'answer', sdp })
  await open
  return {
    came: () => count,
    send(i: number) {
      const payload = packets[i % 50]!
      peer.send({ payload, timestamp: i * 960, sequence: i & 0xffff, marker: 0 })
      const header = new RtpHeader({
        sequenceNumber: i & 0xffff,
        timestamp: i * 960,
        payloadType: 111,
        ssrc: 7,
      })
      track.writeRtp(new RtpPacket(header, Buffer.from(payload)))
    },
  }
}
