/** Audio at the pace of listening, on the virtual clock. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { PacedFrame, PacerOptions } from '../../src/playout/pacer.ts'
import { PacerGroup } from '../../src/playout/pacer-group.ts'

/** `ms` of µ-law, counting up from `from`, never the byte of silence. */
function speech(ms: number, from = 0): Uint8Array {
  return Uint8Array.from({ length: ms * 8 }, (_, i) => (from * 8 + i) % 251)
}

interface Sent extends PacedFrame<string> {
  readonly at: number
}

function pacing(options: Partial<PacerOptions<string>> = {}, clock: VirtualClock = new VirtualClock()) {
  const sent: Sent[] = []
  const underruns: number[] = []
  const group = new PacerGroup(clock)
  const pacer = group.open<string>({
    format: MULAW_8K,
    leadMs: 200,
    send: (frame) => sent.push({ ...frame, at: clock.now() }),
    onUnderrun: (dryMs) => underruns.push(dryMs),
    ...options,
  })
  const bytes = () => new Uint8Array(Buffer.concat(sent.map((frame) => frame.audio)))
  return { clock, group, pacer, sent, underruns, bytes }
}

/** What the listener holds after each frame, ms, if playing starts at the first frame. */
function ahead(sent: readonly Sent[]): number[] {
  return sent.map((frame, n) => sent[0]!.at + (n + 1) * 20 - frame.at)
}

describe('the schedule', () => {
  test('the lead goes out at once, then one frame each 20 ms', async () => {
    const { clock, pacer, sent } = pacing()
    void pacer.push(speech(2000), 'a')
    expect(sent.length).toBe(11)
    await clock.advance(1000)
    expect(sent.length).toBe(61)
    expect(sent.every((frame) => frame.audio.length === 160)).toBe(true)
  })

  test('60 seconds do not drift: every frame leaves within a tick of its time', async () => {
    const { clock, pacer, sent, underruns } = pacing()
    void pacer.push(speech(60_000), 'a')
    await clock.advance(61_000)
    expect(sent.length).toBe(3000)
    for (const [n, frame] of sent.entries()) {
      const due = Math.max(0, n * 20 - 200)
      expect(frame.at - due).toBeGreaterThanOrEqual(0)
      expect(frame.at - due).toBeLessThanOrEqual(5)
    }
    expect(underruns).toEqual([])
  })

  test('the audio comes out as it went in, over the edges of chunks, filled up at the end', async () => {
    const { clock, pacer, sent, bytes } = pacing()
    for (const [at, ms] of [
      [0, 7],
      [7, 50],
      [57, 3],
      [60, 71],
    ] as const) {
      void pacer.push(speech(ms, at), at < 57 ? 'a' : 'b')
    }
    const ended = pacer.end()
    await clock.advance(500)
    await ended
    expect(bytes().subarray(0, 131 * 8)).toEqual(speech(131))
    expect(bytes().subarray(131 * 8)).toEqual(new Uint8Array(9 * 8).fill(0xff))
    expect(sent[2]!.parts).toEqual([
      { tag: 'a', ms: 17 },
      { tag: 'b', ms: 3 },
    ])
    const total = sent.flatMap((frame) => frame.parts).reduce((sum, part) => sum + part.ms, 0)
    expect(total).toBeCloseTo(131)
  })

  test('a part of a frame waits for the rest, however slowly it comes', async () => {
    const { clock, pacer, sent } = pacing()
    void pacer.push(speech(15), 'a')
    await clock.advance(1000)
    expect(sent).toEqual([])
    void pacer.push(speech(5, 15), 'a')
    expect(sent.length).toBe(1)
  })

  test('a second answer starts where the first ends for the listener', async () => {
    const first = pacing()
    void first.pacer.push(speech(100), 'a')
    await first.clock.advance(20)
    expect(first.pacer.playsUntil).toBe(100)
    const second = pacing({ leadMs: 40, startsAt: 100 }, first.clock)
    void second.pacer.push(speech(100), 'b')
    expect(second.sent).toEqual([])
    await first.clock.advance(60)
    expect(second.sent.length).toBe(2)
  })
})

describe('trouble', () => {
  test('late by less than the lead: caught up at once, nobody noticed', async () => {
    const clock = new StallingClock()
    const { pacer, sent, underruns } = pacing({}, clock)
    void pacer.push(speech(3000), 'a')
    await clock.advance(500)
    clock.stall(180)
    await clock.advance(320)
    expect(underruns).toEqual([])
    expect(Math.min(...ahead(sent))).toBeGreaterThanOrEqual(0)
    // The tick's phase moved with the stall: the frame due at this very moment may leave a tick later.
    expect(sent.length).toBeGreaterThanOrEqual(60)
  })

  test('a loop stalled beyond the lead: an underrun, and no burst longer than the lead', async () => {
    const clock = new StallingClock()
    const { pacer, sent, underruns } = pacing({}, clock)
    void pacer.push(speech(5000), 'a')
    await clock.advance(500)
    const before = sent.length
    clock.stall(900)
    await clock.advance(5)
    expect(underruns.length).toBe(1)
    expect(sent.length - before).toBe(11)
    await clock.advance(1000)
    expect(sent.length - before).toBeGreaterThanOrEqual(60)
  })

  test('the voice is slow: the schedule starts anew when it speaks again', async () => {
    const { clock, pacer, sent, underruns } = pacing()
    void pacer.push(speech(100), 'a')
    await clock.advance(400)
    void pacer.push(speech(400, 100), 'a')
    expect(underruns).toEqual([300])
    expect(sent.length).toBe(5 + 11)
    expect(pacer.playsUntil).toBe(400 + 220)
  })

  test('audio that comes just in time is no underrun', async () => {
    const { clock, pacer, underruns } = pacing()
    for (let ms = 0; ms < 2000; ms += 100) {
      void pacer.push(speech(100, ms), 'a')
      await clock.advance(100)
    }
    expect(underruns).toEqual([])
    expect(pacer.underruns).toBe(0)
  })

  test('whatever the jitter of the voice, never more than the lead ahead, and every byte in order', async () => {
    const gap = fc.integer({ min: 0, max: 150 })
    const length = fc.integer({ min: 1, max: 180 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(gap, length), { minLength: 1, maxLength: 25 }), async (chunks) => {
        const { clock, pacer, sent, bytes } = pacing()
        let pushed = 0
        for (const [wait, ms] of chunks) {
          await clock.advance(wait)
          void pacer.push(speech(ms, pushed), 'a')
          pushed += ms
          const held = (pacer.playsUntil ?? clock.now()) - clock.now()
          expect(held).toBeLessThanOrEqual(220 + 1e-6)
        }
        const ended = pacer.end()
        await clock.advance(pushed + 200)
        await ended
        expect(Buffer.compare(bytes().subarray(0, pushed * 8), speech(pushed))).toBe(0)
        expect(sent.length).toBe(Math.ceil(pushed / 20))
        expect(clock.pendingTimers).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})

describe('back-pressure', () => {
  test('push waits while two seconds are unsent', async () => {
    const { clock, pacer } = pacing()
    await pacer.push(speech(2000), 'a')
    let room = false
    void pacer.push(speech(500), 'a').then(() => {
      room = true
    })
    await clock.advance(200)
    expect(room).toBe(false)
    await clock.advance(200)
    expect(room).toBe(true)
  })

  test('half a minute of audio leaves no more behind than its history', async () => {
    const { clock, pacer } = pacing({ leadMs: 200 })
    for (let ms = 0; ms < 30_000; ms += 500) {
      await pacer.push(speech(500, ms), 'a')
      await clock.advance(500)
    }
    pacer.pause()
    pacer.resume(0)
    expect(pacer.sentMs).toBeGreaterThan(28_000)
  })
})

describe('interruption', () => {
  test('paused, nothing goes out; resumed, it goes on at once, and this is no underrun', async () => {
    const { clock, pacer, sent, underruns, bytes } = pacing()
    void pacer.push(speech(1000), 'a')
    pacer.pause()
    await clock.advance(5000)
    expect(sent.length).toBe(11)
    expect(clock.pendingTimers).toBe(0)
    pacer.resume()
    await clock.advance(1000)
    expect(underruns).toEqual([])
    expect(bytes()).toEqual(speech(1000))
  })

  test('resumed from what was heard, because the far side threw the rest away', async () => {
    const { clock, pacer, bytes, sent } = pacing()
    void pacer.push(speech(1000), 'a')
    await clock.advance(100)
    pacer.pause()
    const before = sent.length
    pacer.resume(90)
    expect(bytes().subarray(before * 160)).toEqual(speech(220, 90))
    void pacer.end()
    await clock.advance(1000)
    expect(bytes().subarray(before * 160, before * 160 + 910 * 8)).toEqual(speech(910, 90))
  })

  test('audio that comes while paused is kept, and waits for room like any', async () => {
    const { clock, pacer, bytes } = pacing()
    pacer.pause()
    void pacer.push(speech(300), 'a')
    await clock.advance(1000)
    expect(bytes().length).toBe(0)
    pacer.resume()
    await clock.advance(300)
    expect(bytes()).toEqual(speech(300))
  })

  test('dropped: nothing more is sent, who waited is let go, no timer is left', async () => {
    const { clock, pacer, sent, group } = pacing()
    void pacer.push(speech(1000), 'a')
    const waiting = pacer.push(speech(3000), 'a')
    const ended = pacer.end()
    pacer.drop()
    await waiting
    await ended
    await clock.advance(1000)
    void pacer.push(speech(100), 'a')
    pacer.resume()
    expect(sent.length).toBe(11)
    expect([clock.pendingTimers, group.size]).toEqual([0, 0])
  })

  test('dropped by what it sends to', async () => {
    const clock = new VirtualClock()
    let sent = 0
    const pacer = new PacerGroup(clock).open<string>({
      format: PCM16_24K,
      leadMs: 200,
      send: () => {
        if (++sent === 3) pacer.drop()
      },
    })
    void pacer.push(new Uint8Array(48_000), 'a')
    await clock.advance(1000)
    expect(sent).toBe(3)
  })
})

test('300 pacers share one timer, and leave none', async () => {
  const clock = new VirtualClock()
  const group = new PacerGroup(clock)
  let frames = 0
  const pacers = Array.from({ length: 300 }, () =>
    group.open<null>({ format: MULAW_8K, leadMs: 160, send: () => frames++ }),
  )
  const audio = speech(1000)
  const ends = pacers.map((pacer) => {
    void pacer.push(audio, null)
    return pacer.end()
  })
  expect(clock.pendingTimers).toBe(1)
  await clock.advance(1000)
  await Promise.all(ends)
  expect(frames).toBe(300 * 50)
  expect([clock.pendingTimers, group.size]).toEqual([0, 0])
})

/** A clock whose loop can be held up: time jumps, and what fell due in between fires only after it. */
class StallingClock extends VirtualClock {
  #ahead = 0

  override now(): number {
    return super.now() + this.#ahead
  }

  stall(ms: number): void {
    this.#ahead += ms
  }
}
