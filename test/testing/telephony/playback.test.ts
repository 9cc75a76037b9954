import { describe, expect, test } from 'vitest'
import { MULAW_8K } from '../../../src/audio/format.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { Playback } from '../../../src/testing/telephony/playback.ts'

/** µ-law at 8 kHz: 8 bytes a millisecond. */
const sound = (ms: number, level = 1) => new Uint8Array(ms * 8).fill(level)

function playback(options: Partial<ConstructorParameters<typeof Playback>[0]> = {}) {
  const clock = new VirtualClock()
  return { clock, line: new Playback({ clock, format: MULAW_8K, ...options }) }
}

describe('what a bridge was sent is heard at the pace of listening', () => {
  test('a second sent at once takes a second', async () => {
    const { clock, line } = playback()
    line.take(sound(1_000))
    await clock.advance(250)
    expect([line.heardMs, line.heldMs]).toEqual([250, 750])
    await clock.advance(2_000)
    expect([line.heardMs, line.heldMs]).toEqual([1_000, 0])
  })

  test('pieces stand one after the other, and a pause between them is heard as silence', async () => {
    const { clock, line } = playback()
    line.take(sound(20, 1))
    line.take(sound(20, 2))
    await clock.advance(60)
    line.take(sound(20, 3))
    await clock.advance(100)
    expect(line.timeline.map(({ startMs, bytes }) => [startMs, bytes[0]])).toEqual([
      [0, 1],
      [20, 2],
      [60, 3],
    ])
    const recording = line.recording(30, 70)
    expect([recording.length, recording[0], recording[81], recording[241]]).toEqual([320, 2, 0xff, 3])
  })

  test('running dry in the middle of an answer is an underrun; a pause between answers is none', async () => {
    const { clock, line } = playback()
    line.take(sound(20))
    await clock.advance(50)
    line.take(sound(20))
    await clock.advance(2_000)
    line.take(sound(20))
    expect(line.underruns).toBe(1)
    expect(line.gaps).toEqual([
      { startMs: 20, ms: 30 },
      { startMs: 70, ms: 1_980 },
    ])
  })

  test('sound that comes at the very end of the last leaves no gap', async () => {
    const { clock, line } = playback()
    line.take(sound(20))
    await clock.advance(20)
    line.take(sound(20))
    expect(line.gaps).toEqual([])
  })
})

describe('a clear', () => {
  test('cuts what plays at that moment, and what comes after is heard at once', async () => {
    const { clock, line } = playback()
    line.take(sound(1_000, 1))
    await clock.advance(110)
    line.clear()
    line.take(sound(100, 2))
    await clock.advance(1_000)
    expect(line.timeline.map(({ startMs, bytes }) => [startMs, bytes.length / 8, bytes[0]])).toEqual([
      [0, 110, 1],
      [110, 100, 2],
    ])
    expect([line.clearedMs, line.underruns]).toEqual([890, 0])
  })

  test('lets those act at once who wait to, in their order, and forgets the others', async () => {
    const { clock, line } = playback()
    const seen: string[] = []
    line.take(sound(100))
    line.whenPlayed(() => seen.push('a'), 'acts')
    line.whenPlayed(() => seen.push('never'), 'forgotten')
    line.take(sound(100))
    line.whenPlayed(() => seen.push('b'), 'acts')
    expect(line.waiting).toBe(3)
    line.clear()
    expect(seen).toEqual(['a', 'b'])
    await clock.advance(1_000)
    expect(seen).toEqual(['a', 'b'])
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('its place in the sound', () => {
  test('is reached when the sound before it was played', async () => {
    const { clock, line } = playback()
    const at: number[] = []
    line.take(sound(100))
    line.whenPlayed(() => at.push(clock.now()), 'acts')
    line.take(sound(50))
    line.whenPlayed(() => at.push(clock.now()), 'acts')
    await clock.advance(1_000)
    expect(at).toEqual([100, 150])
  })

  test('is there at once when nothing is held', () => {
    const { line } = playback()
    const seen: string[] = []
    line.whenPlayed(() => seen.push('now'), 'forgotten')
    expect(seen).toEqual(['now'])
  })

  test('is never reached in a stream that ended', async () => {
    const { clock, line } = playback()
    const seen: string[] = []
    line.take(sound(100))
    line.whenPlayed(() => seen.push('a'), 'acts')
    await clock.advance(40)
    line.abandon()
    await clock.advance(1_000)
    expect([seen, line.heardMs]).toEqual([[], 40])
  })
})

describe('a bridge that holds no more than it can', () => {
  test('loses what comes beyond', async () => {
    const { clock, line } = playback({ limitMs: 100 })
    line.take(sound(100, 1))
    line.take(sound(20, 2))
    expect([line.overflowMs, line.mostHeldMs]).toEqual([20, 100])
    await clock.advance(20)
    line.take(sound(20, 3))
    await clock.advance(500)
    expect(line.timeline.map(({ bytes }) => bytes[0])).toEqual([1, 3])
  })

  test('says when it wants no more, and when it wants it again', async () => {
    const seen: string[] = []
    const clock = new VirtualClock()
    const crossed = (state: string) => seen.push(`${state} ${clock.now()}`)
    const line = new Playback({
      clock,
      format: MULAW_8K,
      flow: { highMs: 900, lowMs: 800, crossed },
    })
    line.take(sound(900))
    expect(seen).toEqual([])
    line.take(sound(100))
    await clock.advance(50)
    line.take(sound(50))
    await clock.advance(1_000)
    expect(seen).toEqual(['hold 0', 'go 250'])
    line.take(sound(2_000))
    line.clear()
    expect(seen).toEqual(['hold 0', 'go 250', 'hold 1050', 'go 1050'])
    expect(clock.pendingTimers).toBe(0)
  })
})
