import { describe, expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import type { Meter } from '../../src/attempt/log.ts'
import { Channel } from '../../src/channel.ts'
import { settled } from '../../src/clock.ts'
import { type Fake, fake, says, World } from './targets.ts'

function generous(): HedgeShare {
  return new HedgeShare(1)
}

async function* layered(source: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const item of source) {
    for (let hop = 0; hop < 8; hop++) await undefined
    yield item
  }
}

const after = { ms: 300 }
const place = (target: string) => ({ stage: 'llm', target: `${target}/m`, credential: '' }) as const

describe('a hedge', () => {
  test('is not started when the first is in time', async () => {
    const world = new World()
    const share = generous()
    const reader = await world.read([fake('a', ...says('quick enough', 299)), fake('b')], {
      hedge: { after, share },
    })
    expect(reader.text).toBe('quick enough')
    expect(world.asked).toBe('a')
    expect(share.read()).toMatchObject({ calls: 1, hedges: 0, denied: 0 })
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('answers for a stalled target, which is aborted in the same tick', async () => {
    const world = new World()
    const share = generous()
    const reader = await world.read([fake('a', ...says('slow', 800)), fake('b', ...says('fast one', 100))], {
      hedge: { after, share },
    })
    expect(reader.text).toBe('fast one')
    expect(reader.gotAt[0]).toBe(400)
    expect(world.calls.map(({ at, abortedAt }) => [at, abortedAt])).toEqual([
      [0, 400],
      [300, null],
    ])
    expect(world.log.rows.map(({ reason, status }) => `${reason}: ${status}`)).toEqual([
      'first: cancelled',
      'hedge: ok',
    ])
    expect(reader.run.chosen?.provider).toBe('b')
    expect(share.read()).toMatchObject({ calls: 1, hedges: 1, won: 1 })
    expect(world.health.circuit(place('a'))).toBe('closed')
  })

  test('loses to a first target that comes in time after all', async () => {
    const world = new World()
    const share = generous()
    const reader = await world.read(
      [fake('a', ...says('here at last', 500)), fake('b', ...says('no', 300))],
      {
        hedge: { after, share },
      },
    )
    expect(reader.text).toBe('here at last')
    expect(world.calls[1]).toMatchObject({ abortedAt: 500, closed: true })
    expect(share.read()).toMatchObject({ hedges: 1, won: 0 })
  })

  test('keep-alives of the first do not stop it, nor do its own make it the winner', async () => {
    const world = new World()
    const alive = Array.from({ length: 20 }, () => ({ say: '', afterMs: 40 }))
    const reader = await world.read(
      [fake('a', ...alive, ...says('a', 0)), fake('b', ...alive.slice(0, 5), ...says('b', 0))],
      {
        hedge: { after, share: generous() },
      },
    )
    expect(reader.text).toBe('b')
    expect(reader.gotAt.at(-1)).toBe(500)
  })

  test('both useful in the same tick: the first target is read, whoever was pushed first', async () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const world = new World()
      const sources = new Map<string, Channel<string>>()
      const aborts: string[] = []
      const reader = world.start([fake('a'), fake('b')], {
        hedge: { after, share: generous() },
        open: ({ provider }, { signal }) => {
          const source = new Channel<string>({ signal })
          signal.addEventListener('abort', () => aborts.push(provider))
          sources.set(provider, source)
          // The first target's items have a few more promises to pass, as through an adapter with more layers.
          return provider === 'a' ? layered(source) : source
        },
      })
      await world.clock.advance(350)
      for (const name of order) sources.get(name)?.push(`from ${name}`)
      await settled()
      expect(aborts).toEqual(['b'])
      for (const name of order) sources.get(name)?.push('more')
      sources.get('a')?.close()
      await settled()
      expect(reader.got).toEqual(['from a', 'more'])
      expect(world.inFlight).toBe(0)
    }
  })

  test('goes on alone when the first fails while it runs, and the other way round', async () => {
    const first = new World()
    const one = await first.read(
      [fake('a', { fail: 'transient', afterMs: 350 }), fake('b', ...says('b', 200))],
      {
        hedge: { after, share: generous() },
      },
    )
    expect(one.text).toBe('b')
    const second = new World()
    const other = await second.read(
      [fake('a', ...says('a', 700)), fake('b', { fail: 'rate', afterMs: 50 })],
      {
        hedge: { after, share: generous() },
      },
    )
    expect(other.text).toBe('a')
    expect(second.clock.pendingTimers).toBe(0)
  })

  test('a first that fails before the threshold is a fallback, not a hedge', async () => {
    const world = new World()
    const share = generous()
    await world.read([fake('a', { fail: 'transient' }), fake('b', ...says('b', 200))], {
      hedge: { after, share },
    })
    expect(world.log.rows.map(({ reason }) => reason)).toEqual(['first', 'fallback: transient'])
    expect(share.read().hedges).toBe(0)
  })

  test('when both fail the third is asked, and the error names all', async () => {
    const world = new World()
    const bad = (name: string) => fake(name, { fail: 'transient', afterMs: 400 })
    const reader = await world.read([bad('a'), bad('b'), bad('c')], { hedge: { after, share: generous() } })
    expect(reader.failed.attempts.map(({ candidate, reason }) => `${candidate.provider} ${reason}`)).toEqual([
      'a first',
      'b hedge',
      'c fallback: transient',
    ])
  })

  test('has nobody to ask: the share is not used up', async () => {
    const world = new World()
    const share = generous()
    const off = fake('off', { fail: 'auth' })
    await world.read([off])
    await world.read([fake('a', ...says('a', 500)), off], { hedge: { after, share } })
    await world.read([fake('a', ...says('a', 500))], { hedge: { after, share } })
    expect(share.read()).toMatchObject({ calls: 2, hedges: 0, denied: 0 })
  })

  test('who lost is among those who may continue a broken answer', async () => {
    const world = new World()
    const lost = fake('b', ...says('no', 900))
    const reader = await world.read([fake('a', ...says('it', 400), { fail: 'transient' }), lost], {
      hedge: { after, share: generous() },
    })
    expect(reader.failed.brokenAfterUseful?.remaining).toEqual([lost])
  })

  test('a cancel while both run ends both', async () => {
    const world = new World()
    const reader = world.start([fake('a', { hang: true }), fake('b', { hang: true })], {
      hedge: { after, share: generous() },
    })
    await world.clock.advance(400)
    expect(world.inFlight).toBe(2)
    world.session.cancel('hangup')
    expect(world.calls.map(({ abortedAt }) => abortedAt)).toEqual([400, 400])
    expect(world.inFlight).toBe(0)
    await settled()
    expect(reader.outcome).toMatchObject({ reason: 'hangup' })
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('what the loser cost is counted', async () => {
    const world = new World()
    const share = generous()
    const meter = ({ provider }: Fake): Meter<string> => {
      let usd = provider === 'a' ? 0.5 : 0.25
      return { item: () => (usd += 1), end: () => ({ costUsd: usd, unitsPerSecond: null }) }
    }
    const reader = await world.read([fake('a', { say: '' }, { hang: true }), fake('b', ...says('b b', 10))], {
      hedge: { after, share },
      meter,
    })
    expect(reader.outcome).toBe('end')
    expect(world.log.rows.map(({ costUsd }) => costUsd)).toEqual([1.5, 2.25])
    expect(reader.run.attempts.map(({ costUsd }) => costUsd)).toEqual([1.5, 2.25])
    expect(share.read().lostUsd).toBe(1.5)
  })
})

describe('the threshold', () => {
  test('is what healthy attempts take: stalls do not teach it to wait', async () => {
    const world = new World()
    for (let i = 0; i < 300; i++) {
      const stalled = i % 20 === 7
      await world.read([fake('a', ...says('word', stalled ? 900 : 100 + (i % 10) * 10))])
      await world.clock.advance(1000)
    }
    const p95 = world.health.healthyMs({ stage: 'llm', target: 'a/m' }, null, 0.95)
    expect(p95).toBeGreaterThan(150)
    expect(p95).toBeLessThan(240)
    world.calls.length = 0
    await world.read([fake('a', { hang: true }), fake('b', ...says('b', 10))], {
      hedge: { after: 'p95', share: generous() },
    })
    const started = world.calls[1]!.at - world.calls[0]!.at
    expect(Math.abs(started - p95)).toBeLessThanOrEqual(1)
  })
})

describe('the share', () => {
  test('is kept from the first call on, and denials are counted', async () => {
    const world = new World()
    const share = new HedgeShare(0.1)
    let worst = 0
    for (let i = 0; i < 200; i++) {
      await world.read([fake('a', ...says('late', 500)), fake('b', ...says('early', 10))], {
        hedge: { after, share },
      })
      const { calls, hedges } = share.read()
      worst = Math.max(worst, hedges / calls)
    }
    expect(share.read()).toMatchObject({ calls: 200, hedges: 20, denied: 180, won: 20 })
    expect(worst).toBeLessThanOrEqual(0.1)
  })

  test('what is saved in good hours is bounded', () => {
    const share = new HedgeShare(0.1)
    for (let i = 0; i < 100_000; i++) share.call()
    let hedges = 0
    while (share.take()) hedges++
    expect(hedges).toBe(50)
  })

  test('of nothing, or of more than all, is refused', () => {
    for (const wrong of [0, -1, 1.1, Number.NaN]) expect(() => new HedgeShare(wrong)).toThrow(RangeError)
  })
})
