import { describe, expect, test } from 'vitest'
import { settled } from '../../src/clock.ts'
import { fake, says, World } from './targets.ts'

const good = fake('good', ...says('it is noon', 100))
const place = (target: string) => ({ stage: 'llm', target: `${target}/m`, credential: '' }) as const

describe('targets in order until one answers', () => {
  test('the first answers: nobody else is asked', async () => {
    const world = new World()
    const reader = await world.read([good, fake('spare', ...says('no', 1))])
    expect(reader.text).toBe('it is noon')
    expect(reader.outcome).toBe('end')
    expect(reader.run.chosen).toBe(good)
    expect(world.asked).toBe('good')
    expect(world.log.rows).toMatchObject([
      { target: 'good', reason: 'first', first: 100, status: 'ok', costUsd: null },
    ])
  })

  for (const kind of [
    'auth',
    'quota',
    'rate',
    'bad_request',
    'transient',
    'cancelled',
    'malformed',
  ] as const) {
    test(`one that fails with ${kind} is replaced silently`, async () => {
      const world = new World()
      const reader = await world.read([fake('bad', { fail: kind, afterMs: 20 }), good])
      expect(reader.text).toBe('it is noon')
      expect(world.asked).toBe('bad good')
      expect(world.log.rows[0]?.status).toBe(`failed ${kind === 'malformed' ? 'transient' : kind}`)
      expect(world.log.rows[1]?.reason).toMatch(/^fallback: /)
    })
  }

  test('silence ends with its window, and the silent one is aborted then', async () => {
    const world = new World()
    const reader = await world.read([fake('silent', { hang: true }), good], {
      budget: { slackMs: () => 1500 - world.clock.now() },
    })
    expect(reader.text).toBe('it is noon')
    // 1,100 of 1,500 ms left, less the median of the next.
    expect(world.calls[0]).toMatchObject({ target: 'silent', abortedAt: 1100, closed: true })
    expect(world.log.rows[0]?.status).toBe('failed timeout')
  })

  test('keep-alives are no answer, and are not delivered', async () => {
    const world = new World()
    const keepAlives = Array.from({ length: 100 }, () => ({ say: '', afterMs: 50 }))
    const reader = await world.read([fake('alive', ...keepAlives), good])
    expect(reader.got).toEqual(['it', 'is', 'noon'])
  })

  test('what the chosen one sent before its first useful item is delivered, in order', async () => {
    const world = new World()
    const reader = await world.read([fake('a', { say: '' }, { say: '' }, ...says('well', 10))])
    expect(reader.got).toEqual(['', '', 'well'])
  })

  test('a stream that ends without anything useful has failed', async () => {
    const world = new World()
    const reader = await world.read([fake('empty', { say: '' }), good])
    expect(reader.text).toBe('it is noon')
    expect(world.log.rows[0]?.status).toBe('failed transient')
  })

  test('a tool call alone is an answer like any other', async () => {
    const world = new World()
    const reader = await world.read([fake('tools', { say: 'call:get_time', afterMs: 50 })])
    expect(reader.outcome).toBe('end')
    for (let i = 0; i < 20; i++) await world.read([fake('tools', { say: 'call:get_time', afterMs: 50 })])
    expect(world.health.circuit(place('tools'))).toBe('closed')
    expect(world.health.latency({ stage: 'llm', target: 'tools/m' }, null).errorRate).toBe(0)
  })

  test('the last one is waited for beyond the budget, up to the end that is set', async () => {
    const slow = fake('slow', ...says('late', 3000))
    const patient = new World()
    expect((await patient.read([slow], { budget: { slackMs: () => 500 } })).text).toBe('late')
    const strict = new World()
    const reader = await strict.read([slow, good], { budget: { slackMs: () => 500, endAt: 900 } })
    expect(reader.text).toBe('it is noon')
    const stricter = new World()
    const failed = await stricter.read([slow, fake('slow2', ...says('late', 3000))], {
      budget: { slackMs: () => 500, endAt: 900 },
    })
    expect(failed.failed.message).toBe('llm: no target answered: slow/m timeout, slow2/m timeout')
    expect(failed.endedAt).toBe(900)
  })
})

describe('when nobody answers', () => {
  test('one typed error names all attempts', async () => {
    const world = new World()
    const reader = await world.read([
      fake('a', { fail: 'transient' }),
      fake('b', { fail: 'quota' }),
      fake('c', { fail: 'auth' }),
    ])
    const { failed } = reader
    expect(failed.message).toBe('llm: no target answered: a/m transient, b/m quota, c/m auth')
    expect(failed.attempts.map(({ error }) => error?.kind)).toEqual(['transient', 'quota', 'auth'])
    expect(failed.brokenAfterUseful).toBeNull()
    expect(failed.kind).toBe('auth')
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('and those that were off are named too', async () => {
    const world = new World()
    const off = fake('off', { fail: 'auth' })
    await world.read([off])
    const reader = await world.read([off])
    expect(reader.failed.skipped).toEqual([{ candidate: off, cause: 'auth' }])
    expect(reader.failed.message).toBe('llm: no target answered: off/m not asked, circuit open (auth)')
    expect(reader.failed.kind).toBeNull()
  })

  test('a request that two targets call bad is bad: no third is asked', async () => {
    const world = new World()
    const bad = (name: string) => fake(name, { fail: 'bad_request' })
    const reader = await world.read([bad('a'), bad('b'), good])
    expect(world.asked).toBe('a b')
    expect(reader.failed.kind).toBe('bad_request')
    expect(world.health.circuit(place('a'))).toBe('closed')
  })

  test('without any candidate', async () => {
    const reader = await new World().read([])
    expect(reader.failed.message).toBe('llm: no target answered')
  })

  test("a fault of the caller's own function is thrown as it is", async () => {
    const world = new World()
    const reader = await world.read([good], {
      declinedBy: () => {
        throw new RangeError('mine')
      },
    })
    expect(reader.outcome).toBeInstanceOf(RangeError)
    expect(world.inFlight).toBe(0)
    expect(world.calls[0]?.closed).toBe(true)
  })
})

describe('after useful output', () => {
  test('an error is passed on, with those who may continue', async () => {
    const world = new World()
    const broken = fake('broken', ...says('it is', 50), { fail: 'transient', afterMs: 10 })
    const down = fake('down', { fail: 'transient' })
    const reader = await world.read([down, broken, good])
    expect(reader.text).toBe('it is')
    const { brokenAfterUseful, message } = reader.failed
    expect(brokenAfterUseful).toMatchObject({
      candidate: broken,
      error: { kind: 'transient' },
      remaining: [good],
    })
    expect(message).toBe('llm: broken/m broke after useful output: transient')
    expect(world.asked).toBe('down broken')
  })

  test('a stall is an error too', async () => {
    const world = new World()
    const reader = await world.read([fake('stall', ...says('it is', 50), { hang: true }), good])
    expect(reader.failed.brokenAfterUseful?.error.kind).toBe('timeout')
    expect(world.calls[0]).toMatchObject({ closed: true, abortedAt: 2100 })
  })

  test('keep-alives do not hide a stall', async () => {
    const world = new World()
    const alive = Array.from({ length: 100 }, () => ({ say: '', afterMs: 300 }))
    const reader = await world.read([fake('stall', ...says('it is', 50), ...alive), good])
    expect(reader.failed.brokenAfterUseful?.error.kind).toBe('timeout')
    expect(world.calls[0]?.abortedAt).toBe(2100)
  })

  test('a drip within the idle deadline goes on', async () => {
    const world = new World()
    const reader = await world.read([fake('drip', ...says('one two three four', 390))])
    expect(reader.text).toBe('one two three four')
  })
})

describe('retry-after', () => {
  const limited = (retryAfterMs: number) => fake('limited', { fail: 'rate', retryAfterMs, afterMs: 10 })

  test('is waited for when it fits the budget and nobody else is left', async () => {
    const world = new World()
    const calls: number[] = []
    const reader = await world.read([limited(300)], {
      budget: { slackMs: () => 1500 - world.clock.now() },
      open: async function* (_, { signal }) {
        calls.push(world.clock.now())
        yield* calls.length === 1
          ? (await import('./targets.ts')).opener(world.clock, world.calls)(limited(300), { signal })
          : ['fine']
      },
    })
    expect(reader.text).toBe('fine')
    expect(calls).toEqual([0, 310])
    expect(world.log.rows[1]?.reason).toBe('retry after 300 ms')
    expect(world.health.circuit(place('limited'))).toBe('closed')
  })

  test('is not waited for beyond the budget, nor called before', async () => {
    const world = new World()
    const reader = await world.read([limited(3000)], { budget: { slackMs: () => 1500 - world.clock.now() } })
    expect(reader.endedAt).toBe(10)
    expect(world.asked).toBe('limited')
  })

  test('is not called after the wait, when the provider refused the key to another call meanwhile', async () => {
    const world = new World()
    const refused = fake('limited', { fail: 'auth', afterMs: 60 })
    const reader = world.start([refused])
    const waits = world.start([limited(300)])
    await world.clock.advance(5_000)
    expect(reader.failed.attempts[0]?.error?.kind).toBe('auth')
    expect(waits.failed.skipped.map(({ cause }) => cause)).toEqual(['auth'])
    expect(waits.endedAt).toBe(310)
    expect(world.asked).toBe('limited limited')
  })

  test('another target is asked at once instead', async () => {
    const world = new World()
    const reader = await world.read([limited(100), good])
    expect(reader.gotAt[0]).toBe(110)
    expect(world.asked).toBe('limited good')
  })

  test('keeps others away from the target too, until it is over', async () => {
    const world = new World()
    await world.read([limited(60_000), good])
    await world.read([limited(60_000), good])
    expect(world.asked).toBe('limited good good')
    await world.clock.advance(60_000)
    await world.read([limited(60_000), good])
    expect(world.asked).toBe('limited good good limited good')
  })
})

describe('requests that a target declines', () => {
  const long = fake('short', { fail: 'bad_request', declined: 'context_overflow' })
  const prude = fake('prude', { say: 'REFUSED', afterMs: 20 })
  const large = fake('large', ...says('read it all', 20))
  const declinedBy = (word: string) => (word === 'REFUSED' ? ('content_refusal' as const) : null)

  test('too long: the list for it is asked, not the rest', async () => {
    const world = new World()
    const reader = await world.read([long, good], { insteadOf: { context_overflow: [large] } })
    expect(reader.text).toBe('read it all')
    expect(world.asked).toBe('short large')
    expect(world.log.rows[1]?.reason).toBe('instead: context_overflow')
  })

  test('refused by an item: nothing of the refusal is delivered', async () => {
    const world = new World()
    const reader = await world.read([prude, good], { declinedBy, insteadOf: { content_refusal: [large] } })
    expect(reader.text).toBe('read it all')
    expect(world.calls[0]?.closed).toBe(true)
  })

  test('without a list of its own the rest is asked, and nobody is held ill for it', async () => {
    const world = new World()
    const reader = await world.read([long, prude, good], { declinedBy })
    expect(reader.text).toBe('it is noon')
    for (let i = 0; i < 5; i++) await world.read([long, prude, good], { declinedBy })
    expect(world.health.circuit(place('short'))).toBe('closed')
    expect(world.health.circuit(place('prude'))).toBe('closed')
  })

  test('a list that declines as well is not gone through twice', async () => {
    const world = new World()
    const reader = await world.read([long], { insteadOf: { context_overflow: [long, long] } })
    expect(world.asked).toBe('short')
    expect(reader.failed.message).toBe('llm: no target answered: short/m context_overflow')
  })
})

describe('circuits', () => {
  test('an expired connection is replaced at the same target, once, and is no fault', async () => {
    const world = new World()
    const stale = fake('stale', { fail: 'expired' })
    const reader = await world.read([stale, good])
    expect(world.asked).toBe('stale stale good')
    expect(reader.text).toBe('it is noon')
    expect(world.log.rows[1]?.reason).toBe('rollover')
    for (let i = 0; i < 5; i++) await world.read([stale, good])
    expect(world.health.circuit(place('stale'))).toBe('closed')
  })

  test('a target that is down is not asked by the fourth call, and by one probe later', async () => {
    const world = new World()
    const down = fake('down', { fail: 'transient' })
    for (let i = 0; i < 4; i++) await world.read([down, good])
    expect(world.asked).toBe('down good down good down good good')
    await world.clock.advance(5000)
    world.calls.length = 0
    const probing = [0, 1, 2].map(() => world.start([fake('down', { hang: true }), good]))
    await world.clock.advance(100)
    expect(world.asked).toBe('down good good')
    await world.clock.advance(20_000)
    expect(probing.map(({ text }) => text)).toEqual(['it is noon', 'it is noon', 'it is noon'])
  })

  test('the probe that answers closes the circuit with its first word', async () => {
    const world = new World()
    for (let i = 0; i < 3; i++) await world.read([fake('sick', { fail: 'transient' }), good])
    await world.clock.advance(5000)
    expect(world.health.circuit(place('sick'))).toBe('halfOpen')
    const reader = world.start([fake('sick', ...says('well again', 300)), good])
    await world.clock.advance(310)
    expect(world.health.circuit(place('sick'))).toBe('closed')
    await world.clock.advance(300)
    expect(reader.text).toBe('well again')
  })

  test('a probe that is cut teaches nothing, and the next call probes', async () => {
    const world = new World()
    for (let i = 0; i < 3; i++) await world.read([fake('sick', { fail: 'transient' }), good])
    await world.clock.advance(5000)
    const reader = world.start([fake('sick', { hang: true }), good])
    await world.clock.advance(10)
    await reader.run.return()
    expect(world.health.circuit(place('sick'))).toBe('halfOpen')
    world.calls.length = 0
    await world.read([fake('sick', ...says('yes', 10)), good])
    expect(world.asked).toBe('sick')
  })

  test('when all are down, the one that is off is asked as a last resort', async () => {
    const world = new World()
    for (let i = 0; i < 3; i++) await world.read([fake('sick', { fail: 'timeout' })])
    const reader = await world.read([fake('sick', ...says('here I am', 5))])
    expect(reader.text).toBe('here I am')
    expect(world.log.rows.at(-1)?.reason).toBe('last resort')
    expect(world.health.circuit(place('sick'))).toBe('closed')
  })

  test('credentials that were refused are tried again when the configuration changes', async () => {
    const world = new World()
    await world.read([fake('keyless', { fail: 'auth' }), good])
    await world.clock.advance(86_400_000)
    world.calls.length = 0
    await world.read([fake('keyless', ...says('hello', 5)), good])
    expect(world.asked).toBe('good')
    world.health.configured('keyless')
    await world.read([fake('keyless', ...says('hello', 5)), good])
    expect(world.asked).toBe('good keyless')
  })
})

describe('cancelling', () => {
  test('a barge-in aborts upstream within the tick, and nothing of it is a failure', async () => {
    const world = new World()
    const reader = world.start([fake('slow', ...says('one two three', 200))])
    await world.clock.advance(450)
    world.session.cancel('barge-in')
    expect(world.calls[0]?.abortedAt).toBe(450)
    expect(world.log.rows[0]?.status).toBe('cancelled')
    expect(world.inFlight).toBe(0)
    await settled()
    expect(reader.outcome).toMatchObject({ reason: 'barge-in' })
    expect(reader.text).toBe('one two')
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('a target that does not notice is left, and what it says later goes nowhere', async () => {
    const world = new World()
    const reader = world.start([fake('deaf', ...says('one', 10), { deaf: 'two', afterMs: 500 }), good])
    await world.clock.advance(100)
    world.session.cancel('barge-in')
    await settled()
    expect(reader.outcome).toMatchObject({ reason: 'barge-in' })
    await world.clock.advance(1000)
    expect(reader.got).toEqual(['one'])
    expect(world.calls[0]?.closed).toBe(true)
  })

  test('a deaf target cannot hold up the next one', async () => {
    const world = new World()
    const reader = await world.read([fake('deaf', { deaf: 'too late', afterMs: 60_000 }), good])
    expect(reader.text).toBe('it is noon')
    expect(reader.endedAt).toBeLessThan(10_000)
  })

  test('a reader that leaves while it waits closes upstream at once', async () => {
    const world = new World()
    const reader = world.start([fake('slow', ...says('one two', 500))])
    await world.clock.advance(600)
    const left = reader.run.return()
    expect(world.calls[0]?.abortedAt).toBe(600)
    await left
    await settled()
    expect(reader.outcome).toBe('end')
    expect(world.clock.pendingTimers).toBe(0)
    expect(world.inFlight).toBe(0)
  })

  test('a turn that is over already calls nobody', async () => {
    const world = new World()
    world.session.cancel('superseded')
    const reader = await world.read([good])
    expect(reader.outcome).toMatchObject({ reason: 'superseded' })
    expect(world.calls).toEqual([])
  })

  test('while waiting for a retry-after', async () => {
    const world = new World()
    const reader = world.start([fake('limited', { fail: 'rate', retryAfterMs: 1000 })])
    await world.clock.advance(500)
    world.session.cancel('hangup')
    await settled()
    expect(reader.outcome).toMatchObject({ reason: 'hangup' })
    expect(world.clock.pendingTimers).toBe(0)
    expect(world.asked).toBe('limited')
  })
})
