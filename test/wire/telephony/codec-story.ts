/** What a codec's tests share: what it tells, as data; and messages of every kind of wrong, of which only mistakes may come. */
import fc from 'fast-check'
import { expect } from 'vitest'
import {
  type Bridge,
  type BridgeCodec,
  type BridgeEvents,
  BridgeMistake,
} from '../../../src/wire/telephony/bridge.ts'

export type Told = readonly [event: string, ...given: unknown[]]

/** What the codec makes of messages, in order. Sound is told as hex. */
export function toldBy(codec: BridgeCodec, ...messages: readonly (object | string | Uint8Array)[]): Told[] {
  const told: Told[] = []
  const tell = (event: string) => (given?: unknown) =>
    void told.push(given === undefined ? [event] : [event, given])
  const events: BridgeEvents = {
    start: tell('start'),
    audio: (bytes, placeMs) => {
      const hex = Buffer.from(bytes).toString('hex')
      told.push(placeMs === undefined ? ['audio', hex] : ['audio', hex, placeMs])
    },
    digit: tell('digit'),
    marked: tell('marked'),
    cleared: tell('cleared'),
    flow: tell('flow'),
    reply: tell('reply'),
    stop: tell('stop'),
    complaint: tell('complaint'),
  }
  for (const message of messages) {
    if (message instanceof Uint8Array) codec.read(Buffer.from(message), 'binary', events)
    else
      codec.read(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), 'text', events)
  }
  return told
}

/** The mistake that a message is; undefined: none. */
export function mistakeOf(codec: BridgeCodec, message: object | string | Uint8Array): string | undefined {
  try {
    toldBy(codec, message)
    return undefined
  } catch (error) {
    if (!(error instanceof BridgeMistake)) throw error
    return error.message
  }
}

const NASTY = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '\u0000',
  '\ud800',
  '💥',
  'a'.repeat(5_000),
  '-1',
  '1e999',
  'NaN',
]

/** Values where others are expected: objects for texts, texts for objects, numbers without end. */
const anything = fc.oneof(
  fc.constantFrom(...NASTY, null, true, -1, 0, 1e308, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]], {
    length: 1e9,
  }),
  fc.jsonValue(),
)

/** One member somewhere in it, replaced, taken out or doubled under a nasty name. */
function mutated(message: object): fc.Arbitrary<string> {
  const paths: string[][] = []
  const walk = (value: unknown, path: string[]) => {
    if (path.length > 0) paths.push(path)
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) walk(member, [...path, name])
  }
  walk(message, [])
  return fc
    .tuple(
      fc.constantFrom(...paths),
      anything,
      fc.constantFrom('set', 'delete', 'rename'),
      fc.constantFrom(...NASTY),
    )
    .map(([path, value, how, name]) => {
      const copy = structuredClone(message) as Record<string, unknown>
      let at = copy
      for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>
      const last = path.at(-1)!
      if (how === 'set') at[last] = value
      else {
        if (how === 'rename') Object.defineProperty(at, name, { value: at[last], enumerable: true })
        delete at[last]
      }
      return JSON.stringify(copy)
    })
}

/**
 * Whatever comes, in whatever order, a codec throws `BridgeMistake` or nothing, and goes on; and what it tells of a call stays
 * within bounds. `messages`: one of each kind that the bridge sends.
 */
export function readsAnything(bridge: Bridge, messages: readonly object[]): void {
  const text = fc.constantFrom(...messages).map((message) => JSON.stringify(message))
  const message = fc.oneof(
    text,
    fc.constantFrom(...messages).chain(mutated),
    fc.tuple(text, fc.nat(400)).map(([whole, cut]) => whole.slice(0, cut)),
    fc
      .tuple(text, fc.nat(400), fc.string({ maxLength: 3 }))
      .map(([whole, at, junk]) => whole.slice(0, at) + junk + whole.slice(at + 1)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string(),
    fc.uint8Array(),
  )
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (all) => {
      const codec = bridge.open()
      for (const each of all) {
        for (const [event, given] of attempt(codec, each)) {
          if (event !== 'start') continue
          const { callId, from, to, parameters } = given as { [name: string]: string | object | null }
          expect(String(callId).length).toBeLessThanOrEqual(256)
          expect(Math.max(String(from).length, String(to).length)).toBeLessThanOrEqual(1_024)
          expect(Object.keys(parameters as object).length).toBeLessThanOrEqual(64)
          expect(Object.getPrototypeOf(parameters)).toBeNull()
        }
      }
      codec.audio(new Uint8Array(320))
      codec.mark('m')
      codec.clear()
      codec.goodbye('error')
    }),
    { numRuns: 400 },
  )
}

function attempt(codec: BridgeCodec, message: string | Uint8Array): Told[] {
  try {
    return toldBy(codec, message)
  } catch (error) {
    if (!(error instanceof BridgeMistake)) throw error
    return []
  }
}
