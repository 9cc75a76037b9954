/** What the tests of bridges with binary sound share: what a codec finds in messages, and messages of every kind of wrong. */
import fc from 'fast-check'
import {
  type Bridge,
  type BridgeCodec,
  type BridgeEvents,
  BridgeMistake,
  type CallStart,
  type Frame,
  type WebhookRequest,
} from '../../../src/wire/telephony/bridge.ts'

export class Found {
  readonly starts: CallStart[] = []
  /** All but starts and sound, in order. */
  readonly events: string[] = []
  readonly replies: Frame[] = []
  soundBytes = 0
}

/** What it finds in them, in order; an object is a text message. */
export function read(codec: BridgeCodec, ...messages: readonly (object | Buffer)[]): Found {
  const found = new Found()
  const note = (name: string) => (what?: string) => void found.events.push(what ? `${name} ${what}` : name)
  const events: BridgeEvents = {
    start: (start) => void found.starts.push(start),
    audio: (bytes) => void (found.soundBytes += bytes.length),
    digit: note('digit'),
    marked: note('marked'),
    cleared: note('cleared'),
    flow: note('flow'),
    reply: (frame) => void found.replies.push(frame),
    stop: note('stop'),
    complaint: note('complaint'),
  }
  for (const message of messages) {
    if (Buffer.isBuffer(message)) codec.read(message, 'binary', events)
    else codec.read(Buffer.from(JSON.stringify(message)), 'text', events)
  }
  return found
}

const NASTY = ['__proto__', 'constructor', '', '\u0000', '\ud800', 'a'.repeat(5_000), '-1', '1e999']
const anything = fc.oneof(
  fc.constantFrom(...NASTY, null, true, -1, 1e308, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]]),
  fc.jsonValue(),
)

/**
 * Whatever comes, in whatever order, a codec throws `BridgeMistake` or nothing, and can still be written with. `messages`: one of
 * each kind that the bridge sends.
 */
export function readsAnything(bridge: Bridge, messages: readonly object[]): void {
  const whole = fc.constantFrom(...messages).map((message) => JSON.stringify(message))
  const member = fc
    .tuple(fc.constantFrom(...messages), fc.nat(20), fc.constantFrom(...NASTY), anything)
    .map(([message, at, name, value]) => {
      const names = Object.keys(message)
      const replaced = names[at % names.length]!
      // `__proto__` by this spelling is a member like any other, as in what JSON.parse makes of the network's.
      return `{${JSON.stringify(name)}:1,${JSON.stringify({ ...message, [replaced]: value }).slice(1)}`
    })
  const cut = fc.tuple(whole, fc.nat(400)).map(([text, at]) => text.slice(0, at))
  const edited = fc
    .tuple(whole, fc.nat(400), fc.string({ maxLength: 3 }))
    .map(([text, at, junk]) => text.slice(0, at) + junk + text.slice(at + 1))
  const message = fc.oneof(whole, member, cut, edited, fc.string(), fc.json(), fc.uint8Array())
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (all) => {
      const codec = bridge.open()
      for (const each of all) tolerated(codec, each)
      codec.audio(new Uint8Array(320))
      codec.mark('m')
      codec.clear()
      codec.goodbye('error')
    }),
    { numRuns: 400 },
  )
}

function tolerated(codec: BridgeCodec, message: string | Uint8Array): void {
  const found = new Found()
  const nothing = () => {}
  const events: BridgeEvents = {
    start: (start) => void found.starts.push(start),
    audio: nothing,
    digit: nothing,
    marked: nothing,
    cleared: nothing,
    flow: nothing,
    reply: nothing,
    stop: nothing,
    complaint: nothing,
  }
  try {
    codec.read(Buffer.from(message as string), typeof message === 'string' ? 'text' : 'binary', events)
  } catch (error) {
    if (!(error instanceof BridgeMistake)) throw error
  }
  for (const { callId, from, to, parameters } of found.starts) {
    const bounded = callId.length <= 1_024 && (from ?? '').length <= 1_024 && (to ?? '').length <= 1_024
    if (!bounded || Object.keys(parameters).length > 64) throw new Error('a start without bounds')
    if (Object.getPrototypeOf(parameters) !== null) throw new Error('parameters with a prototype')
  }
}

export const RECEIVED_AT_MS = 1_795_000_000_000

export function requestOf(given: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    path: '/v1/telephony/x/voice',
    query: {},
    headers: {},
    publicUrl: 'https://voice.example.com',
    receivedAtMs: RECEIVED_AT_MS,
    rawBody: Buffer.alloc(0),
    fields: {},
    ...given,
  }
}

export const TARGET = {
  url: 'wss://voice.example.com/v1/telephony/x',
  parameters: { parleyToken: 'a-b_c', from: '+15005550001' },
}
