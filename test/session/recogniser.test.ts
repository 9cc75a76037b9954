import { beforeAll, describe, expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { loadAudio } from '../../src/audio/convert.ts'
import { type AudioFormat, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { listenersOf, openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import type { RecognitionEvent } from '../../src/session/events.ts'
import { Recogniser } from '../../src/session/recogniser.ts'
import { FINAL_DEADLINE_MS } from '../../src/session/stt-choice.ts'
import { FakeStt, type FakeSttOptions, sound } from '../support/stages.ts'

beforeAll(loadAudio)

/** A recogniser with a ring that holds everything, and an ear as far as told. */
class Bench {
  readonly clock = new VirtualClock()
  readonly scope = openScope()
  readonly stt: FakeStt
  readonly events: RecognitionEvent[] = []
  readonly log: string[] = []
  readonly recogniser: Recogniser
  readonly health = new Health({ clock: this.clock })
  format: AudioFormat = PCM16_24K
  audibleMs = 0

  constructor(options: FakeSttOptions = {}) {
    this.stt = new FakeStt(options)
    this.recogniser = new Recogniser({
      candidates: () => [{ adapter: this.stt, provider: 'fake', model: 'stt', route: 'any' }],
      clock: this.clock,
      health: this.health,
      signal: this.scope.signal,
      language: () => undefined,
      report: (event) => this.events.push(event),
      attempts: () => ({
        start: (_stage, _target, reason) => this.log.push(reason),
        firstOutput: () => {},
        end: (_attempt, status, kind) => this.log.push(kind ? `${status} ${kind}` : status),
      }),
      audibleMs: () => this.audibleMs,
      audio: (fromMs, toMs) => ({ bytes: sound(this.format, toMs - fromMs, 'speech'), format: this.format }),
    })
  }

  async hear(toMs: number): Promise<void> {
    this.audibleMs = toMs
    this.recogniser.hear()
    await settled()
  }

  get words(): string[] {
    return this.events.map((e) => (e.type === 'sttFailed' ? e.code : `${e.turn}: ${e.text}`))
  }
}

describe('the recogniser', () => {
  test('hears each utterance from its beginning to its end, on one stream', async () => {
    const bench = new Bench({ words: ['one', 'two'] })
    for (const [turn, from, to] of [
      ['a', 500, 1500],
      ['b', 2000, 2600],
    ] as const) {
      bench.audibleMs = from + 300
      bench.recogniser.listen(turn, from)
      await settled()
      for (let at = from + 300; at < to; at += 20) await bench.hear(at)
      bench.recogniser.finalize(turn, to)
      await settled()
    }
    expect(bench.words).toEqual(['a: one', 'b: two'])
    expect(bench.stt.streams).toHaveLength(1)
    expect(bench.stt.streams[0]!.heardMs).toEqual([1000, 600])
    expect(bench.events[0]).toMatchObject({ audioMs: 1000 })
    expect(bench.log).toEqual(['first', 'ok', 'first', 'ok'])
    expect(bench.clock.pendingTimers).toBe(0)
  })

  test('hears nothing outside an utterance, and a discarded one not at all', async () => {
    const bench = new Bench()
    await bench.hear(1000)
    expect(bench.stt.streams).toHaveLength(0)
    bench.recogniser.listen('a', 1000)
    await bench.hear(1500)
    bench.recogniser.discard('a')
    await bench.hear(2000)
    bench.recogniser.preview('a')
    bench.recogniser.finalize('a', 2000)
    expect(bench.stt.streams[0]!.audioMs).toBe(0)
    expect(bench.stt.streams[0]!.discarded).toBe(1)
    expect(bench.recogniser.neededFromMs).toBeNull()
    expect(bench.events).toEqual([])
  })

  test('begins a second utterance before the first has its final', async () => {
    const bench = new Bench({ words: ['one', 'two'], finalMs: 500 })
    bench.recogniser.listen('a', 0)
    await bench.hear(1000)
    bench.recogniser.finalize('a', 1000)
    bench.recogniser.listen('b', 1100)
    expect(bench.recogniser.neededFromMs).toBe(0)
    await bench.hear(2000)
    bench.stt.streams[0]!.says('of a still')
    await bench.clock.advance(500)
    expect(bench.words).toEqual(['a: one'])
    bench.stt.streams[0]!.says('tw')
    await settled()
    bench.recogniser.finalize('b', 2000)
    await bench.clock.advance(500)
    expect(bench.words).toEqual(['a: one', 'b: tw', 'b: two'])
    expect(bench.stt.streams[0]!.heardMs).toEqual([1000, 900])
  })

  test('a break owing two utterances loses neither', async () => {
    const bench = new Bench({ words: ['one', 'two'], finalMs: 500 })
    bench.recogniser.listen('a', 0)
    await bench.hear(1000)
    bench.recogniser.finalize('a', 1000)
    bench.recogniser.listen('b', 1100)
    await bench.hear(1600)
    bench.stt.utterances = 0
    bench.stt.streams[0]!.breaks()
    await settled()
    await bench.hear(2000)
    bench.recogniser.finalize('b', 2000)
    await bench.clock.advance(600)
    expect(bench.words).toEqual(['a: one', 'b: two'])
    expect(bench.stt.streams[1]!.heardMs).toEqual([1000, 900])
    expect(bench.log).toEqual(['first', 'failed transient', 'retry', 'first', 'ok', 'ok'])
  })

  test('a change of format in the middle changes the converter, not the length', async () => {
    const bench = new Bench()
    bench.recogniser.listen('a', 0)
    await settled()
    await bench.hear(1000)
    bench.format = MULAW_8K
    await bench.hear(2000)
    bench.format = PCM16_16K
    await bench.hear(3000)
    bench.recogniser.finalize('a', 3000)
    await settled()
    expect(Math.abs(bench.stt.streams[0]!.heardMs[0]! - 3000)).toBeLessThan(2)
  })

  test('an overdue one gives its stream up; its neighbour is heard on the next', async () => {
    const bench = new Bench({ words: ['one', 'two'], finalMs: 1e6 })
    bench.recogniser.listen('a', 0)
    await bench.hear(1000)
    bench.recogniser.finalize('a', 1000)
    bench.recogniser.listen('b', 1100)
    await bench.hear(1500)
    await bench.clock.advance(FINAL_DEADLINE_MS)
    expect(bench.words).toEqual(['timeout'])
    Object.assign(bench.stt.options, { finalMs: 10 })
    bench.recogniser.finalize('b', 1700)
    await bench.clock.advance(100)
    expect(bench.words).toEqual(['timeout', 'b: two'])
    expect(bench.stt.streams).toHaveLength(2)
    expect(bench.stt.streams[1]!.heardMs).toEqual([600])
    expect(bench.clock.pendingTimers).toBe(0)
  })

  test('closed in the middle leaves no timer, no listener, no event', async () => {
    const bench = new Bench({ finalMs: 100 })
    bench.recogniser.listen('a', 0)
    await bench.hear(1000)
    bench.recogniser.finalize('a', 1000)
    await bench.recogniser.close()
    await bench.clock.advance(20_000)
    expect(bench.events).toEqual([])
    expect(bench.clock.pendingTimers).toBe(0)
    expect(listenersOf(bench.scope.signal)).toBe(0)
  })

  test('a stream that opens after the close is closed', async () => {
    const bench = new Bench()
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const real = bench.stt.open.bind(bench.stt)
    let closed = 0
    bench.stt.open = async (options) => {
      await gate
      const stream = await real(options)
      stream.close = async () => void closed++
      return stream
    }
    bench.recogniser.listen('a', 0)
    await settled()
    await bench.recogniser.close()
    open()
    await settled()
    expect(closed).toBe(1)
    expect(bench.events).toEqual([])
  })
})

describe('what is learned of a recogniser', () => {
  const place = { stage: 'stt', target: 'fake/stt', credential: '' } as const
  const counts = (bench: Bench) => {
    const [{ started, ok, failed, cut, inFlight }] = [...bench.health.read()] as [
      ReturnType<Health['read']> extends Generator<infer P> ? P : never,
    ]
    return { started, ok, failed, cut, inFlight }
  }

  test('is how long each final took, and whether it came', async () => {
    const bench = new Bench({ finalMs: 400 })
    for (let turn = 0; turn < 60; turn++) {
      bench.recogniser.listen(`t${turn}`, turn * 1000)
      await bench.hear(turn * 1000 + 500)
      bench.recogniser.finalize(`t${turn}`, turn * 1000 + 500)
      await bench.clock.advance(500)
    }
    expect(counts(bench)).toEqual({ started: 60, ok: 60, failed: {}, cut: 0, inFlight: 0 })
    const { p50Ms, from } = bench.health.latency(place, null)
    expect(from).toBe('target')
    expect(p50Ms).toBeGreaterThan(320)
    expect(p50Ms).toBeLessThan(480)
  })

  test('is a break, also one while the caller speaks; a hang-up is nobody’s fault', async () => {
    const bench = new Bench({ finalMs: 400 })
    bench.recogniser.listen('a', 0)
    await bench.hear(500)
    bench.stt.streams[0]!.breaks()
    await settled()
    await bench.hear(1000)
    bench.recogniser.finalize('a', 1000)
    await bench.clock.advance(100)
    await bench.recogniser.close()
    expect(counts(bench)).toEqual({ started: 2, ok: 0, failed: { transient: 1 }, cut: 1, inFlight: 0 })
  })
})
