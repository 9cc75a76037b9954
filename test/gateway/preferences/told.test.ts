import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { answerHeaders } from '../../../src/gateway/preferences/answer-headers.ts'
import type { Strategy } from '../../../src/gateway/preferences/apply.ts'
import { choicesOf } from '../../../src/gateway/preferences/choices.ts'
import { openrouterMetadata } from '../../../src/gateway/preferences/openrouter-metadata.ts'
import { wishesOf } from '../../../src/gateway/preferences/plan.ts'
import type { Dialect, Preferences } from '../../../src/gateway/preferences/preferences.ts'
import { routerMetadata } from '../../../src/gateway/preferences/router-metadata.ts'
import type { TurnRecord } from '../../../src/trace/record.ts'
import { TurnTrace } from '../../../src/trace/turn-trace.ts'
import { target } from '../../route/facts.ts'
import { config, factsOf, read } from './reading.ts'

const STRATEGY: Strategy = {
  kind: 'fallback',
  by: ['models', 'sort price'],
  stuckTo: null,
  lost: ['stickiness to a/b: order names others'],
}
const TOLD = {
  requested: 'gpt',
  strategy: STRATEGY,
  available: ['openai/gpt-4o', 'groq/llama', 'local/x'].map(target),
}

type Step = readonly [
  target: string,
  ms: number,
  ending: 'ok' | 'failed' | 'cancelled' | 'running',
  kind?: string,
]

/** A turn over HTTP whose model attempts came one after the other, written by the trace that writes all turns. */
async function record(steps: readonly Step[], reasons: readonly string[] = []): Promise<TurnRecord> {
  const clock = new VirtualClock()
  const trace = new TurnTrace({
    id: 'turn_1',
    sessionId: 'sess_1',
    keyId: 'web',
    wire: 'chat',
    pipeline: 'support',
    turnMs: 1500,
    clock,
  })
  trace.zero(clock.now())
  trace.route('llm', 'any')
  trace.end(trace.start('stt', { provider: 'local', model: 'ear' }, 'first'), 'ok')
  for (const [i, [id, ms, ending, kind]] of steps.entries()) {
    const slash = id.indexOf('/')
    const attempt = trace.start(
      'llm',
      { provider: id.slice(0, slash), model: id.slice(slash + 1) },
      reasons[i] ?? (i === 0 ? 'first' : 'fallback: timeout'),
    )
    await clock.advance(ms)
    if (ending === 'ok' || ending === 'running') trace.firstOutput(attempt)
    if (ending === 'ok') trace.cost(attempt, 0.002)
    if (ending !== 'running') trace.end(attempt, ending, kind)
  }
  return trace.snapshot()
}

const FALLEN_BACK: readonly Step[] = [
  ['openai/gpt-4o', 500, 'failed', 'rate'],
  ['openai/gpt-4o', 300, 'failed', 'timeout'],
  ['groq/llama', 200, 'ok'],
]

describe('openrouter_metadata', () => {
  test('of a turn that fell back', async () => {
    expect(openrouterMetadata(await record(FALLEN_BACK), TOLD)).toEqual({
      requested: 'gpt',
      strategy: 'fallback',
      region: null,
      attempt: 3,
      attempts: [
        { provider: 'openai', model: 'openai/gpt-4o', status: 429 },
        { provider: 'openai', model: 'openai/gpt-4o', status: 504 },
        { provider: 'groq', model: 'groq/llama', status: 200 },
      ],
      endpoints: {
        available: [
          { model: 'openai/gpt-4o', provider: 'openai', selected: false },
          { model: 'groq/llama', provider: 'groq', selected: true },
          { model: 'local/x', provider: 'local', selected: false },
        ],
        total: 3,
      },
      is_byok: true,
      summary:
        'available=3, selected=groq/llama, by=models > sort price, lost=stickiness to a/b: order names others',
      generation_time: 200,
    })
  })

  test.each([
    ['auth', 401],
    ['quota', 402],
    ['rate', 429],
    ['bad_request', 400],
    ['timeout', 504],
    ['transient', 502],
    ['expired', 502],
    ['something new', 502],
  ])('a failure of kind %s is told as %i', async (kind, status) => {
    const told = openrouterMetadata(await record([['a/b', 1, 'failed', kind]]), TOLD)
    expect(told.attempts).toEqual([{ provider: 'a', model: 'a/b', status }])
    expect(told).toMatchObject({ attempt: 1, summary: expect.stringContaining('selected=none') })
    expect(told).not.toHaveProperty('generation_time')
  })

  test('what still runs is selected and has no status yet; what we cut is 499; nobody asked is attempt 0', async () => {
    const running = openrouterMetadata(
      await record([
        ['openai/gpt-4o', 5, 'cancelled'],
        ['groq/llama', 5, 'running'],
      ]),
      TOLD,
    )
    expect(running.attempts.map(({ status }) => status)).toEqual([499])
    expect(running.endpoints.available.find(({ selected }) => selected)?.model).toBe('groq/llama')
    expect(openrouterMetadata(await record([]), TOLD)).toMatchObject({ attempt: 0, attempts: [] })
  })
})

describe("Inworld's metadata", () => {
  test('has each attempt with its status and time, the router and why', async () => {
    const steps: readonly Step[] = [...FALLEN_BACK, ['local/x', 7, 'cancelled'], ['local/y', 9, 'running']]
    expect(routerMetadata(await record(steps), TOLD)).toEqual({
      attempts: [
        { provider: 'openai', model: 'gpt-4o', status: 'failed', latencyMs: 500 },
        { provider: 'openai', model: 'gpt-4o', status: 'failed', latencyMs: 300 },
        { provider: 'groq', model: 'llama', status: 'success', latencyMs: 200 },
        { provider: 'local', model: 'x', status: 'cancelled', latencyMs: 7 },
        { provider: 'local', model: 'y', status: 'running', latencyMs: 9 },
      ],
      router: 'any',
      reasoning: expect.stringContaining('selected=local/y'),
    })
  })
})

describe('headers of the answer', () => {
  const headers = async (steps: readonly Step[], dialects: readonly Dialect[], preferences?: Preferences) => {
    const wishes = preferences?.plan ? wishesOf(preferences.plan, factsOf(preferences)) : []
    const order = choicesOf(wishes, ({ name }) => [target(name)])
    return answerHeaders(await record(steps), {
      preferences: { dialects },
      order,
      requested: 'gpt',
      traceId: null,
    })
  }

  test('ours are always there, and nobody else’s are unless the caller spoke so', async () => {
    expect(await headers(FALLEN_BACK, ['openrouter', 'inworld', 'vercel'])).toEqual({
      'x-parley-turn-id': 'turn_1',
      'x-parley-attempts': 'openai/gpt-4o;failed;rate, openai/gpt-4o;failed;timeout, groq/llama;ok',
    })
    expect(await headers([], [])).toEqual({ 'x-parley-turn-id': 'turn_1' })
  })

  test('Portkey’s tell which option of the config was used last', async () => {
    const preferences = read(
      {},
      config({
        strategy: { mode: 'fallback' },
        targets: [
          { provider: 'openai', override_params: { model: 'gpt-4o' } },
          { provider: 'groq', override_params: { model: 'llama' } },
        ],
      }),
    )
    expect(await headers(FALLEN_BACK, preferences.dialects, preferences)).toMatchObject({
      'x-portkey-trace-id': 'turn_1',
      'x-portkey-cache-status': 'DISABLED',
      'x-portkey-retry-attempt-count': '0',
      'x-portkey-last-used-option-index': 'config.targets[1]',
      'x-portkey-provider': 'groq',
    })
    const failed = await headers(FALLEN_BACK.slice(0, 2), preferences.dialects, preferences)
    expect(failed).toMatchObject({
      'x-portkey-retry-attempt-count': '1',
      'x-portkey-last-used-option-index': 'config.targets[0]',
    })
    expect((await headers(FALLEN_BACK, ['portkey']))['x-portkey-last-used-option-index']).toBe('config')
  })

  test('LiteLLM’s count fallbacks and retries, and have the cost where it is known', async () => {
    const told = await headers(FALLEN_BACK, ['litellm'], read({ models: ['groq/llama', 'local/x'] }))
    expect(told).toMatchObject({
      'x-litellm-call-id': 'turn_1',
      'x-litellm-model-group': 'gpt',
      'x-litellm-model-id': 'groq/llama',
      'x-litellm-attempted-fallbacks': '1',
      'x-litellm-attempted-retries': '0',
      'x-litellm-max-fallbacks': '2',
      'x-litellm-response-cost': '0.002',
      'x-litellm-response-duration-ms': '1000',
    })
    // At the first byte of a stream there is no cost and no end.
    const early = await headers([['groq/llama', 50, 'running']], ['litellm'])
    expect(early).not.toHaveProperty('x-litellm-response-cost')
    expect(early).not.toHaveProperty('x-litellm-response-duration-ms')
  })

  test('a hedge is no fallback', async () => {
    const turn = await record(
      [
        ['a/b', 5, 'cancelled'],
        ['c/d', 5, 'ok'],
      ],
      ['first', 'hedge'],
    )
    const told = answerHeaders(turn, {
      preferences: { dialects: ['litellm'] },
      order: [],
      requested: 'x',
      traceId: null,
    })
    expect(told['x-litellm-attempted-fallbacks']).toBe('0')
  })

  test('no name breaks a header, and a long chain is cut', async () => {
    const steps = Array.from({ length: 40 }, (): Step => ['a/ü,\r\n;x', 1, 'failed', 'rate'])
    const told = answerHeaders(await record(steps), {
      preferences: { dialects: ['portkey', 'litellm'] },
      order: [],
      requested: 'ünï\r\nset-cookie: x'.repeat(50),
      traceId: 'a\nb',
    })
    expect(told['x-parley-attempts']?.split(', ')).toHaveLength(12)
    expect(told['x-parley-attempts']).toContain('a/%FC%2C%0D%0A%3Bx;failed;rate')
    for (const value of Object.values(told)) expect(value).toMatch(/^[\x20-\x7e]{1,4096}$/)
    expect(told['x-portkey-trace-id']).toBe('a%0Ab')
  })
})
