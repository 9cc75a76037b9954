import { describe, expect, test } from 'vitest'
import { InputRates } from '../../src/access/input-rates.ts'
import { VirtualClock } from '../../src/clock.ts'

/** A second's worth is 1,000 bytes; 64,000 fit at once. */
function rates(perKey: number | null = null) {
  const clock = new VirtualClock()
  const limits = { inputBytesPerSecond: 1_000, inputBytesPerSecondPerKey: perKey }
  const meters = new InputRates(clock, { limits, keys: [{ id: 'small', inputBytesPerSecond: 100 }] })
  const stopped: string[] = []
  const open = (name: string, keyId: string | null = 'web') => meters.open(keyId, () => stopped.push(name))
  return { clock, open, stopped }
}

describe('one connection', () => {
  test('may send a minute at once, is told at half, and stopped when nothing is left', () => {
    const { open, stopped } = rates()
    const meter = open('a')
    expect(meter.take(31_000)).toBe('ok')
    expect(meter.take(2_000)).toBe('warn')
    expect(meter.take(30_000), 'told once').toBe('ok')
    expect(stopped).toEqual([])
    meter.take(2_000)
    meter.take(2_000)
    expect(stopped).toEqual(['a'])
  })

  test('may send for ever at the rate it has', async () => {
    const { clock, open, stopped } = rates()
    const meter = open('a')
    for (let second = 0; second < 1_000; second++) {
      expect(meter.take(1_000)).toBe('ok')
      await clock.advance(1_000)
    }
    expect(stopped).toEqual([])
  })

  test('is told again when it had calmed down in between', async () => {
    const { clock, open } = rates()
    const meter = open('a')
    expect(meter.take(40_000)).toBe('warn')
    await clock.advance(10_000)
    expect(meter.take(10_000)).toBe('ok')
    await clock.advance(60_000)
    expect(meter.take(1)).toBe('ok')
    expect(meter.take(40_000)).toBe('warn')
  })
})

describe('a key', () => {
  test('loses the connection that floods, after it was told; the others go on', () => {
    const { open, stopped } = rates(1_200)
    const [calm, loud, other] = [open('calm'), open('loud'), open('other', 'another')]
    expect(calm.take(10_000)).toBe('ok')
    const said: string[] = []
    for (let n = 0; n < 60; n++) said.push(loud.take(1_000))
    expect(said.filter((word) => word === 'warn')).toHaveLength(1)
    for (let n = 0; n < 6; n++) expect(calm.take(1_000)).toBe('ok')
    loud.take(1_000)
    expect(stopped).toEqual(['loud'])
    // What the loud one took is given back.
    for (let n = 0; n < 25; n++) calm.take(1_000)
    other.take(60_000)
    expect(stopped).toEqual(['loud'])
  })

  test('may have a limit of its own', () => {
    const { open, stopped } = rates()
    open('a', 'small').take(3_000)
    open('b', 'small').take(3_500)
    expect(stopped).toEqual(['b'])
  })

  test('begins anew when its last connection has gone', () => {
    const { open, stopped } = rates(1_000)
    const first = open('first')
    first.take(60_000)
    first.close()
    open('second').take(60_000)
    expect(stopped).toEqual([])
  })

  test('nobody’s connections share nothing', () => {
    const { open, stopped } = rates(1_000)
    for (const name of ['a', 'b', 'c']) open(name, null).take(60_000)
    expect(stopped).toEqual([])
  })
})
