/** Every double of a model does each fault that it names: what comes with it, and what comes without, in memory on the virtual clock. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import * as doubles from '../../src/testing/index.ts'
import { ANTHROPIC_KEY } from '../../src/testing/model/anthropic.ts'
import { BEDROCK_API_KEY } from '../../src/testing/model/bedrock/double.ts'
import { GEMINI_KEY } from '../../src/testing/model/gemini/double.ts'
import { FAKE_KEY } from '../../src/testing/model/openai.ts'
import { DOUBLE_KEY } from '../../src/testing/model/openai-responses/double.ts'

const FAULTS = [
  'refuse_auth',
  'refuse_429',
  'refuse_503',
  'hang_on_connect',
  'drop_mid_stream',
  'silent_after_ms',
  'slow_drip',
  'close_clean_early',
  'malformed_json',
  'error_without_context',
  'no_final',
  'duplicate_final',
] as const
type Fault = (typeof FAULTS)[number]

interface Bench {
  readonly make: (clock: VirtualClock, fault?: Fault) => doubles.Double
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

const pieces = ['One. ', 'Two. ', 'Three.']
const says = (fault?: Fault) => ({ pieces, ...(fault && { fault }) })
const user = (content: unknown) => [{ role: 'user', content }]
const BENCHES: Record<string, Bench> = {
  fakeOpenAi: {
    make: (clock, fault) => doubles.fakeOpenAi({ clock, answer: says(fault) }),
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${FAKE_KEY}` },
    body: { model: 'm', stream: true, messages: user('Hi') },
  },
  fakeResponses: {
    make: (clock, fault) =>
      doubles.fakeResponses({
        clock,
        answer: { items: [{ type: 'message', pieces }], ...(fault && { fault }) },
      }),
    path: '/v1/responses',
    headers: { authorization: `Bearer ${DOUBLE_KEY}` },
    body: { model: 'm', stream: true, input: 'Hi' },
  },
  fakeAnthropic: {
    make: (clock, fault) => doubles.fakeAnthropic({ clock, answer: says(fault) }),
    path: '/v1/messages',
    headers: { 'x-api-key': ANTHROPIC_KEY, 'anthropic-version': '2023-06-01' },
    body: { model: 'claude-sonnet-4-5', max_tokens: 10, stream: true, messages: user('Hi') },
  },
  fakeGemini: {
    make: (clock, fault) => doubles.fakeGemini({ clock, answer: says(fault) }),
    path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    headers: { 'x-goog-api-key': GEMINI_KEY },
    body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  },
  fakeBedrock: {
    make: (clock, fault) => doubles.fakeBedrock({ clock, answer: says(fault) }),
    path: '/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream',
    headers: { authorization: `Bearer ${BEDROCK_API_KEY}` },
    body: { messages: user([{ text: 'Hi' }]) },
  },
}

interface Heard {
  status: number | undefined
  text: string
  end: 'open' | 'ended' | 'broken'
  /** Between two pieces, at most. */
  gapMs: number
}

async function heardFrom({ make, path, headers, body }: Bench, fault?: Fault): Promise<Heard> {
  const clock = new VirtualClock()
  const double = make(clock, fault)
  const { dispatcher } = doubles.inMemory(double)
  const heard: Heard = { status: undefined, text: '', end: 'open', gapMs: 0 }
  let lastMs = 0
  const read = async () => {
    const answer = await dispatcher.request({
      origin: 'http://double.test',
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    heard.status = answer.statusCode
    for await (const bytes of answer.body) {
      heard.text += String(bytes)
      heard.gapMs = Math.max(heard.gapMs, clock.now() - lastMs)
      lastMs = clock.now()
    }
    heard.end = 'ended'
  }
  const reading = read().catch(() => {
    if (heard.end === 'open') heard.end = 'broken'
  })
  await clock.advance(200_000)
  const { ...now } = heard
  await dispatcher.destroy()
  await reading
  expect(double.mistakes).toEqual([])
  return now
}

function expected(fault: Fault, healthy: Heard): object {
  switch (fault) {
    case 'hang_on_connect':
      return { status: undefined, text: '', end: 'open' }
    case 'refuse_auth':
    case 'refuse_429':
    case 'refuse_503':
      return { end: 'ended' }
    case 'drop_mid_stream':
      return { status: 200, end: 'broken' }
    case 'silent_after_ms':
      return { status: 200, end: 'open' }
    case 'slow_drip':
      return { status: 200, end: 'ended', text: healthy.text, gapMs: 5_000 }
    default:
      return { status: 200, end: 'ended' }
  }
}

describe.each(Object.entries(BENCHES))('%s', (_name, bench) => {
  test('without a fault all is said', async () => {
    const { text, ...rest } = await heardFrom(bench)
    expect(rest).toEqual({ status: 200, end: 'ended', gapMs: 0 })
    expect(text).toContain('Two. ')
  })

  test.each(FAULTS)('%s', async (fault) => {
    const [healthy, heard] = [await heardFrom(bench), await heardFrom(bench, fault)]
    expect(heard).toMatchObject(expected(fault, healthy))
    const [all, some] = [healthy.text.length, heard.text.length]
    if (fault === 'drop_mid_stream' || fault === 'silent_after_ms') expect(some).toBeGreaterThan(0)
    if (fault.startsWith('refuse')) expect(heard.status).toBeGreaterThanOrEqual(400)
    if (fault === 'refuse_429') expect(heard.status).toBe(429)
    if (fault === 'close_clean_early' || fault === 'no_final') expect(some).toBeLessThan(all)
    if (fault === 'duplicate_final') expect(some).toBeGreaterThan(all)
    if (fault === 'malformed_json' || fault === 'error_without_context') {
      expect(heard.text).not.toBe(healthy.text)
      expect(heard.text).toContain('SECRET')
    }
  })
})
