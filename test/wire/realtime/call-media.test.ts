/** The sound of a call on the virtual clock: what comes is put in order, what goes is paced and can be taken back. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadOpus, OpusCodec } from '../../../src/audio/opus.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { Ticker } from '../../../src/playout/ticker.ts'
import { Inbound } from '../../../src/wire/realtime/webrtc/inbound.ts'
import { Outbound, type OutPacket } from '../../../src/wire/realtime/webrtc/outbound.ts'
import {
  atPublicAddress,
  offerProblem,
  onlyAt,
  withoutCandidates,
} from '../../../src/wire/realtime/webrtc/sdp.ts'

beforeAll(loadOpus)

const FRAME_BYTES = 960
let clock: VirtualClock
beforeEach(() => {
  clock = new VirtualClock()
})

describe('outbound', () => {
  const sent: (OutPacket & { readonly at: number })[] = []
  const news: string[] = []
  let outbound: Outbound
  beforeEach(() => {
    sent.length = 0
    news.length = 0
    outbound = new Outbound({
      clock,
      ticker: new Ticker(clock),
      codec: new OpusCodec(),
      send: (packet) => sent.push({ ...packet, at: clock.now() }),
      news: (what, responseId) => news.push(`${what} ${responseId}`),
    })
  })
  const play = (responseId: string, frames: number) =>
    outbound.play({ responseId, itemId: `item of ${responseId}` }, new Uint8Array(frames * FRAME_BYTES))

  test('a burst goes out a packet every 20 ms, and stops once the last was played', async () => {
    play('a', 10)
    outbound.end('a')
    expect(sent.length).toBe(1)
    await clock.advance(180)
    expect(sent.map(({ at }) => at)).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180])
    expect(sent.map(({ timestamp }) => timestamp)).toEqual(sent.map((_, i) => i * 960))
    expect(news).toEqual(['started a'])
    await clock.advance(20)
    expect(news).toEqual(['started a', 'stopped a'])
    await clock.advance(100)
    expect(clock.pendingTimers).toBe(0)
  })

  test('what waits is taken back, and what went out is what was played', async () => {
    play('a', 50)
    await clock.advance(205)
    expect(outbound.clear()).toEqual({ responseId: 'a', itemId: 'item of a', playedMs: 220 })
    await clock.advance(500)
    expect(sent.length).toBe(11)
    expect(news).toEqual(['started a', 'cleared a'])
    expect(outbound.clear()).toBeUndefined()
  })

  test('after a silence the timestamp has gone on, and the packet is marked', async () => {
    play('a', 1)
    outbound.end('a')
    await clock.advance(1_000)
    play('b', 1)
    outbound.end('b')
    await clock.advance(100)
    expect(sent.map(({ timestamp, sequence, marker }) => ({ timestamp, sequence, marker }))).toEqual([
      { timestamp: 0, sequence: 0, marker: 1 },
      { timestamp: 48_000, sequence: 1, marker: 1 },
    ])
    expect(news).toEqual(['started a', 'stopped a', 'started b', 'stopped b'])
  })

  test('two answers in a row follow without a gap, each with its own news', async () => {
    play('a', 2)
    outbound.end('a')
    play('b', 2)
    outbound.end('b')
    await clock.advance(100)
    expect(sent.map(({ at }) => at)).toEqual([0, 20, 40, 60])
    expect(news).toEqual(['started a', 'stopped a', 'started b', 'stopped b'])
  })

  test('an answer that waits for its voice has not stopped', async () => {
    play('a', 1)
    await clock.advance(500)
    play('a', 1)
    await clock.advance(500)
    outbound.end('a')
    await clock.advance(20)
    expect(news).toEqual(['started a', 'stopped a'])
  })
})

describe('inbound', () => {
  let heardMs = 0
  let inbound: Inbound
  const sender = () => new OpusCodec()
  const payload = () => sender().encode(new Uint8Array(FRAME_BYTES))
  beforeEach(() => {
    heardMs = 0
    inbound = new Inbound({
      clock,
      codec: new OpusCodec(),
      heard: (pcm) => {
        heardMs += pcm.length / 48
      },
    })
  })
  const arrive = (...sequences: number[]) => {
    for (const sequence of sequences) inbound.packet({ sequence: sequence & 0xffff, payload: payload() })
  }

  test('packets out of order are heard in order, over the wrap of their numbers', () => {
    arrive(65_534, 0, 65_535, 1)
    expect(heardMs).toBe(80)
    expect(inbound.counts).toMatchObject({ lost: 0, late: 0 })
  })

  test('a lost one is concealed once three more came, and is too late then', () => {
    arrive(1, 3, 4, 5)
    expect(heardMs).toBe(20)
    arrive(6)
    expect(heardMs).toBe(120)
    arrive(2)
    expect(inbound.counts).toMatchObject({ lost: 1, late: 1 })
    expect(heardMs).toBe(120)
  })

  test('a packet that is no Opus is concealed', () => {
    arrive(1)
    inbound.packet({ sequence: 2, payload: new Uint8Array([0xff]) })
    inbound.packet({ sequence: 3, payload: new Uint8Array(0) })
    arrive(4)
    expect(heardMs).toBe(80)
    expect(inbound.counts.broken).toBe(2)
  })

  test('a jump is a new stream', () => {
    arrive(1, 40_000, 40_001)
    expect(heardMs).toBe(60)
    expect(inbound.counts.lost).toBe(0)
  })

  test('when nothing comes any more, silence is heard, until the call ends', async () => {
    arrive(1, 3)
    await clock.advance(1_000)
    expect(heardMs).toBeGreaterThan(800)
    inbound.close()
    await clock.advance(1_000)
    expect(clock.pendingTimers).toBe(0)
  })
})

test('what an offer names is not contacted, and what an answer names can be reached', () => {
  const candidate = (at: string) => `a=candidate:1 1 udp 2116026367 ${at} 40000 typ host generation 0\r\n`
  const sdp = `v=0\r\n${candidate('10.0.0.1')}${candidate('a.local')}a=mid:0\r\n`
  expect(withoutCandidates(sdp)).toBe('v=0\r\na=mid:0\r\n')
  expect(onlyAt(sdp, '10.0.0.1')).toBe(`v=0\r\n${candidate('10.0.0.1')}a=mid:0\r\n`)
  expect(atPublicAddress(candidate('10.0.0.1'), '203.0.113.7')).toBe(candidate('203.0.113.7'))
  expect(offerProblem('hello')).toMatch('session description')
})
