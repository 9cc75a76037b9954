/**
 * Real traffic, mutated: bytes flipped, cut, doubled and spliced from other messages, values replaced. A seed makes each
 * run the same; `PARLEY_FUZZ_MESSAGES` makes it longer, `PARLEY_FUZZ_SEED` another.
 */
import { expect, test } from 'vitest'
import { CLIENT_EVENTS, parseFrame } from '../../../src/wire/realtime/parse.ts'
import { resolvePatch } from '../../../src/wire/realtime/session-update.ts'
import { PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import { talkToRealSession } from './real-host.ts'
import { TRAFFIC } from './traffic.ts'

const MESSAGES = Number(process.env['PARLEY_FUZZ_MESSAGES'] ?? 50_000)
const SEED = Number(process.env['PARLEY_FUZZ_SEED'] ?? 20_261_125)

/** Mulberry32: small, good enough, and the same everywhere. Whole numbers below `below`. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

const FRAMES = TRAFFIC.map((event) => Buffer.from(JSON.stringify(event)))
const ODD = [
  'null',
  '-1',
  '1e999',
  '""',
  '[]',
  '{}',
  'true',
  '"auto"',
  '"\\ud800"',
  '[[[[]]]]',
  '{"__proto__":{}}',
  '9007199254740993',
]

function mutated(next: (below: number) => number): Buffer {
  const frame = Buffer.from(FRAMES[next(FRAMES.length)] as Buffer)
  const at = next(frame.length)
  switch (next(7)) {
    case 0: // bits
      for (let n = next(4); n >= 0; n--) frame[next(frame.length)] = next(256)
      return frame
    case 1: // cut short
      return frame.subarray(0, at)
    case 2: // a piece doubled
      return Buffer.concat([frame.subarray(0, at), frame.subarray(next(at + 1))])
    case 3: {
      // the tail of another message
      const other = FRAMES[next(FRAMES.length)] as Buffer
      return Buffer.concat([frame.subarray(0, at), other.subarray(next(other.length))])
    }
    case 4: {
      // a value replaced
      const values = [...frame.toString().matchAll(/(?<=":)("(?:[^"\\]|\\.)*"|[\d.]+|null|true|false)/g)]
      const value = values[next(values.length)]
      if (!value) return frame
      const text = frame.toString()
      const odd = ODD[next(ODD.length)] as string
      return Buffer.from(text.slice(0, value.index) + odd + text.slice(value.index + value[0].length))
    }
    case 5: {
      // a name replaced by another's
      const names = [...frame.toString().matchAll(/"(\w+)":/g)]
      const [from, to] = [names[next(names.length)]?.[1] ?? '', names[next(names.length)]?.[1] ?? '']
      return Buffer.from(frame.toString().replace(`"${from}":`, `"${to}":`))
    }
    default: // as it is
      return frame
  }
}

test(`${MESSAGES} mutated messages are each understood or refused, in both shapes`, () => {
  const next = random(SEED)
  const kinds = new Map<string, number>()
  for (let n = 0; n < MESSAGES; n++) {
    const frame = mutated(next)
    const parsed = parseFrame(frame, PIPELINE_SETTINGS, n % 2 === 0 ? 'ga' : 'beta')
    kinds.set(parsed.kind, (kinds.get(parsed.kind) ?? 0) + 1)
    if (parsed.kind === 'refused') {
      if (!/^[a-z_0-9]+$/.test(parsed.code) || parsed.message.length > 1_000)
        expect.fail(`seed ${SEED}, message ${n}: ${parsed.code} ${parsed.message.slice(0, 100)}`)
    } else if (parsed.kind === 'update') {
      const patch = Object.values(resolvePatch(parsed.update, PIPELINE_SETTINGS))
      if (patch.some((value) => value === undefined || Number.isNaN(value)))
        expect.fail(`seed ${SEED}, message ${n}: an update with nothing in it`)
    }
  }
  for (const kind of ['audio', 'event', 'update', 'refused'])
    expect(kinds.get(kind), kind).toBeGreaterThan(MESSAGES / 50)
  expect(Object.prototype, 'nothing was polluted').not.toHaveProperty('tier')
})

test('a real session takes two thousand of them, answers each refusal, and still works', async () => {
  const next = random(SEED + 1)
  for (const shape of ['ga', 'beta'] as const) {
    const talk = await talkToRealSession({}, { shape })
    for (let n = 0; n < 1_000; n++) {
      talk.connection.message(mutated(next), false)
      if (n % 20 === 0) await talk.clock.advance(20)
    }
    await talk.clock.advance(60_000)
    expect(talk.socket.closedWith).toBeUndefined()
    expect(talk.notes).toEqual([])
    await talk.tell({ type: 'session.update', event_id: 'last', session: {} })
    expect(talk.socket.last.type).toMatch(/session\.updated$/)
    talk.connection.closed()
    await talk.clock.advance(5_000)
    expect(talk.host.size).toBe(0)
    expect(talk.clock.pendingTimers).toBe(0)
  }
})

test('the traffic it begins with has every client event in it', () => {
  const types = TRAFFIC.map((event) => (event as { readonly type: string }).type)
  expect(CLIENT_EVENTS.filter((type) => !types.includes(type))).toEqual([])
})
