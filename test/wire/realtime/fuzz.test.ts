import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PCM16_24K } from '../../../src/audio/format.ts'
import { CLIENT_EVENTS, type Parsed, parseFrame } from '../../../src/wire/realtime/parse.ts'
import { resolvePatch } from '../../../src/wire/realtime/session-update.ts'
import { PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import { connect } from './fake-socket.ts'

const parse = (frame: string | Buffer): Parsed =>
  parseFrame(Buffer.from(frame as string), { outputFormat: PCM16_24K })

const part = { type: 'input_text', text: 'hi', transcript: 'x', image_url: 'y' }
const item = {
  id: 'i',
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [part],
  call_id: 'c',
  name: 'n',
  arguments: '{}',
  output: 'o',
}
const approval = {
  type: 'mcp_approval_response',
  approval_request_id: 'i',
  approve: false,
  reason: 'r',
}
const session = {
  type: 'realtime',
  instructions: 'x',
  output_modalities: ['audio'],
  tools: [
    { type: 'function', name: 'a', description: 'b', parameters: { type: 'object' } },
    {
      type: 'mcp',
      server_label: 'crm',
      server_url: 'https://mcp.example.com',
      server_description: 'd',
      allowed_tools: { tool_names: ['a'], read_only: true },
      require_approval: { always: { tool_names: ['a'] }, never: { read_only: true } },
      headers: { 'x-a': 'b' },
      authorization: 'c',
    },
  ],
  tool_choice: { type: 'function', name: 'a' },
  max_output_tokens: 100,
  tracing: { workflow_name: 'w' },
  truncation: 'auto',
  prompt: { id: 'p' },
  include: ['item.input_audio_transcription.logprobs'],
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24000 },
      transcription: { model: 'm', language: 'de', prompt: 'p' },
      noise_reduction: { type: 'near_field' },
      turn_detection: {
        type: 'server_vad',
        threshold: 0.5,
        prefix_padding_ms: 300,
        silence_duration_ms: 500,
      },
    },
    output: { format: { type: 'audio/pcmu' }, voice: { id: 'v' }, speed: 1 },
  },
  providerData: { parley: { turnEvents: true, pacing: { leadMs: 100 }, transcriptDeltas: 'early' } },
}
/** One event with every member any event has, so that each type finds its own. */
const WHOLE = {
  event_id: 'e',
  type: 'session.update',
  session,
  audio: 'AAAA',
  item,
  item_id: 'i',
  previous_item_id: 'root',
  content_index: 0,
  audio_end_ms: 10,
  response_id: 'r',
  responseId: 'r',
  playedMs: 1,
  response: {
    conversation: 'none',
    input: [item, { type: 'item_reference', id: 'i' }, approval],
    metadata: { a: 'b' },
    ...session,
  },
}

const types = fc.constantFrom(...CLIENT_EVENTS)
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, '', -1, 1e308, 0.5, [], {}, true, 'auto', 'inf', '__proto__', '\ud800', [[]]),
)

/** Replaces one value somewhere in `value`, chosen by `path`. */
function mutate(value: unknown, path: readonly number[], replacement: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return replacement
  const keys = Object.keys(value)
  const key = keys[(path[0] ?? 0) % Math.max(1, keys.length)]
  if (key === undefined) return replacement
  const child = mutate((value as Record<string, unknown>)[key], path.slice(1), replacement)
  return Array.isArray(value)
    ? value.map((one, at) => (String(at) === key ? child : one))
    : { ...value, [key]: child }
}

function refusalIsWhole(parsed: Parsed): void {
  if (parsed.kind !== 'refused') return
  expect(parsed.code).toMatch(/^[a-z_]+$/)
  expect(parsed.message.length).toBeGreaterThan(5)
  expect(parsed.message.length).toBeLessThan(1000)
}

test('any bytes are refused or accepted, never thrown at us', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => refusalIsWhole(parse(Buffer.from(bytes)))),
    { numRuns: 2000 },
  )
})

test('any JSON is refused or accepted', () => {
  fc.assert(
    fc.property(types, fc.dictionary(fc.string(), fc.jsonValue()), (type, members) =>
      refusalIsWhole(parse(JSON.stringify({ ...members, type }))),
    ),
    { numRuns: 3000 },
  )
})

test('good events with one value replaced are refused with its path, or accepted and applicable', () => {
  let refused = 0
  let accepted = 0
  const path = fc.array(fc.nat(40), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(types, path, odd, (type, at, replacement) => {
      const event = { ...(mutate(WHOLE, at, replacement) as object), type }
      const parsed = parse(JSON.stringify(event))
      refusalIsWhole(parsed)
      if (parsed.kind === 'refused') refused++
      else accepted++
      if (parsed.kind !== 'update') return
      const settings = { ...PIPELINE_SETTINGS, ...resolvePatch(parsed.update, PIPELINE_SETTINGS) }
      expect(Object.values(settings)).not.toContain(undefined)
      expect(Object.values(settings)).not.toContain(Number.NaN)
    }),
    { numRuns: 5000 },
  )
  expect(refused).toBeGreaterThan(500)
  expect(accepted).toBeGreaterThan(500)
})

test('base64 is accepted exactly when it is base64', () => {
  const alphabet = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)?$/
  const character = fc.constantFrom(...'AZaz09+/=-_ \n*é\u0000')
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 40 }), (audio) => {
      const parsed = parse(JSON.stringify({ type: 'input_audio_buffer.append', audio }))
      expect(parsed.kind).toBe(alphabet.test(audio) ? 'audio' : 'refused')
    }),
    { numRuns: 20_000 },
  )
})

test('a connection answers any stream of frames and stays alive', async () => {
  const frame = fc.oneof(
    fc.string(),
    fc
      .tuple(types, fc.array(fc.nat(40), { maxLength: 5 }), odd)
      .map(([type, at, value]) => JSON.stringify({ ...(mutate(WHOLE, at, value) as object), type })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 40 }), async (frames) => {
      const talk = await connect()
      for (const text of frames) talk.connection.message(Buffer.from(text), false)
      await talk.clock.advance(0)
      for (const event of talk.socket.events)
        expect(['session.created', 'session.updated', 'error']).toContain(event.type)
      expect(talk.notes).toEqual([])
      await talk.tell({ type: 'session.update', session: {} })
      expect(talk.socket.last.type).toBe('session.updated')
      talk.connection.closed()
      expect(talk.clock.pendingTimers).toBe(0)
    }),
    { numRuns: 150 },
  )
})
