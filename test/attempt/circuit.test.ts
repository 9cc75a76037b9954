import { describe, expect, test } from 'vitest'
import { Circuit, type Pass } from '../../src/attempt/circuit.ts'
import type { ProviderErrorKind } from '../../src/errors.ts'

const failure = (kind: ProviderErrorKind, retryAfterMs?: number) => ({ kind, retryAfterMs })

/** One call that fails at once. */
function fail(circuit: Circuit, kind: ProviderErrorKind, now: number, retryAfterMs?: number): void {
  circuit.failed(circuit.admit(now) as Pass, failure(kind, retryAfterMs), now)
}

function opened(kind: 'transient' | 'timeout' = 'transient', now = 0): Circuit {
  const circuit = new Circuit()
  for (let i = 0; i < 3; i++) fail(circuit, kind, now)
  return circuit
}

describe('opening', () => {
  for (const kind of ['transient', 'timeout'] as const) {
    test(`three ${kind} in a row open it for five seconds`, () => {
      const circuit = new Circuit()
      fail(circuit, kind, 0)
      fail(circuit, kind, 0)
      expect(circuit.state(0)).toBe('closed')
      fail(circuit, kind, 0)
      expect(circuit.state(4999)).toBe('open')
      expect(circuit.cause).toBe(kind)
      expect(circuit.admit(4999)).toBeNull()
      expect(circuit.state(5000)).toBe('halfOpen')
    })
  }

  test('every other call failing opens it too, once ten were seen', () => {
    const circuit = new Circuit()
    for (let i = 0; i < 9; i++) {
      if (i % 2) fail(circuit, 'transient', i)
      else circuit.succeeded(circuit.admit(i) as Pass, i)
    }
    expect(circuit.state(9)).toBe('closed')
    fail(circuit, 'transient', 9)
    expect(circuit.state(9)).toBe('open')
  })

  test('one in ten does not', () => {
    const circuit = new Circuit()
    for (let i = 0; i < 1000; i++) {
      if (i % 10 === 0) fail(circuit, 'timeout', i)
      else circuit.succeeded(circuit.admit(i) as Pass, i)
    }
    expect(circuit.opened).toBe(0)
  })

  for (const kind of ['bad_request', 'expired', 'cancelled'] as const) {
    test(`${kind} never does`, () => {
      const circuit = new Circuit()
      for (let i = 0; i < 100; i++) fail(circuit, kind, i)
      expect(circuit.state(100)).toBe('closed')
      fail(circuit, 'transient', 100)
      fail(circuit, kind, 100)
      fail(circuit, 'transient', 100)
      fail(circuit, 'transient', 100)
      expect(circuit.state(100)).toBe('open')
    })
  }

  test('rate: for as long as the provider says, or a second', () => {
    const said = new Circuit()
    fail(said, 'rate', 0, 700)
    expect([said.state(699), said.state(700)]).toEqual(['open', 'halfOpen'])
    const silent = new Circuit()
    fail(silent, 'rate', 0)
    expect([silent.state(999), silent.state(1000)]).toEqual(['open', 'halfOpen'])
    const absurd = new Circuit()
    fail(absurd, 'rate', 0, 1e15)
    expect(absurd.openUntil(0)).toBe(3_600_000)
  })

  test('rate: of two answers the later time counts', () => {
    const circuit = new Circuit()
    const [one, two] = [circuit.admit(0), circuit.admit(0)] as [Pass, Pass]
    circuit.failed(one, failure('rate', 5000), 0)
    circuit.failed(two, failure('rate', 200), 0)
    expect(circuit.openUntil(0)).toBe(5000)
  })

  test('quota: for minutes', () => {
    const circuit = new Circuit()
    fail(circuit, 'quota', 0)
    expect([circuit.state(299_999), circuit.state(300_000)]).toEqual(['open', 'halfOpen'])
  })

  test('auth: until the configuration changes, even if a call of before says more', () => {
    const circuit = new Circuit()
    const [one, two] = [circuit.admit(0), circuit.admit(0)] as [Pass, Pass]
    circuit.failed(one, failure('auth'), 0)
    expect(circuit.state(1e12)).toBe('open')
    circuit.reset(1e12)
    circuit.failed(two, failure('auth'), 1e12)
    expect(circuit.state(1e12)).toBe('closed')
  })
})

describe('half open', () => {
  test('one call probes, the others go elsewhere', () => {
    const circuit = opened()
    expect(circuit.admit(5000)?.as).toBe('probe')
    expect(circuit.admit(5000)).toBeNull()
    expect(circuit.resort(5000).as).toBe('resort')
  })

  test('the probe fails: off for twice as long, and so on to two minutes', () => {
    const circuit = opened()
    let now = 0
    const lengths = []
    for (let i = 0; i < 7; i++) {
      const until = circuit.openUntil(now) as number
      lengths.push(until - now)
      now = until
      fail(circuit, 'timeout', now)
    }
    expect(lengths).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000])
  })

  test('the probe answers: closed with its first output, and what it does later is judged like any call', () => {
    const circuit = opened()
    const probe = circuit.useful(circuit.admit(5000) as Pass, 5300)
    expect(circuit.state(5300)).toBe('closed')
    circuit.failed(probe, failure('transient'), 6000)
    expect(circuit.state(6000)).toBe('closed')
    fail(circuit, 'transient', 6000)
    fail(circuit, 'transient', 6000)
    // It relapsed: as after a failed probe.
    expect(circuit.openUntil(6000)).toBe(16_000)
  })

  test('a probe without a verdict makes room for the next', () => {
    const circuit = opened()
    circuit.released(circuit.admit(5000) as Pass, 5100)
    expect(circuit.admit(5100)?.as).toBe('probe')
    const other = opened()
    other.failed(other.admit(5000) as Pass, failure('expired'), 5100)
    expect(other.admit(5100)?.as).toBe('probe')
  })

  test('news of before it opened is no news', () => {
    const circuit = new Circuit()
    const old = [0, 1, 2, 3, 4].map(() => circuit.admit(0) as Pass)
    for (const pass of old.slice(0, 3)) circuit.failed(pass, failure('timeout'), 10)
    circuit.succeeded(old[3] as Pass, 20)
    circuit.failed(old[4] as Pass, failure('timeout'), 20)
    expect(circuit.openUntil(20)).toBe(5010)
    expect(circuit.opened).toBe(1)
  })

  test('a last resort that answers closes it; one that fails changes nothing', () => {
    const circuit = opened()
    circuit.failed(circuit.resort(100), failure('timeout'), 200)
    expect(circuit.openUntil(200)).toBe(5000)
    circuit.useful(circuit.resort(300), 400)
    expect(circuit.state(400)).toBe('closed')
  })
})
