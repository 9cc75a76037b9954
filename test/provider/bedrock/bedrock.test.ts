import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { createBedrock } from '../../../src/provider/bedrock/index.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  BEDROCK_API_KEY,
  BEDROCK_KEYS,
  type BedrockDouble,
  type BedrockFault,
  SIGNATURE,
  startBedrockDouble,
} from '../../../src/testing/model/bedrock/double.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }
const tools = [
  { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
]
const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'

let double: BedrockDouble
let provider: Provider
beforeAll(async () => {
  double = await startBedrockDouble()
})
afterAll(() => double.close())
beforeEach(() => {
  provider = providerOf({})
})
afterEach(() => provider.close())

function providerOf(options: object, more: object = {}): Provider {
  const settings = { name: 'test', baseUrl: double.url, options: { ...BEDROCK_KEYS, ...options }, ...more }
  return createBedrock(deps, settings)!
}

const modelOf = (model: string) => provider.llm!(model)!

function stream(asked = request, model = CLAUDE, signal = new AbortController().signal) {
  return modelOf(model).stream(asked, { signal, clock: realClock })
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

async function whole(asked = request, model = CLAUDE) {
  const { wire } = modelOf(model)
  const { body } = wire!.encode(asked, 'whole')
  return wire!.whole({ body, clock: realClock, signal: new AbortController().signal })
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((e) => (e.type === 'text' ? e.text : '')).join('')
const bodyOf = () => double.requests.at(-1)!.body
const usage = { inputTokens: 15, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 3 }

describe('answers', () => {
  test.each(['as it is', 'byteByByte'] as const)('text, usage and finish, cut %s', async (cuts) => {
    double.answer({ pieces: ['Grüß', ' Gott', ' 👋🏽'], cuts })
    const events = await collect(stream())
    expect(textOf(events)).toBe('Grüß Gott 👋🏽')
    expect(events.slice(-2)).toEqual([
      { type: 'usage', usage },
      { type: 'finish', reason: 'stop' },
    ])
    expect(double.requests.at(-1)?.url).toBe(`/model/${encodeURIComponent(CLAUDE)}/converse-stream`)
  })

  test('whole: the same events as streamed', async () => {
    const call = { id: 'c1', name: 'get_weather', args: { city: 'Rome' } }
    double.answer({ thoughts: 'Hm.', redacted: 'c2VhbGVk', pieces: ['Hello'], calls: [call] })
    const asked = { ...request, tools }
    const { text, events } = await whole(asked)
    expect(double.requests.at(-1)?.url).toBe(`/model/${encodeURIComponent(CLAUDE)}/converse`)
    expect(JSON.parse(text)).toMatchObject({ stopReason: 'tool_use' })
    expect(events).toEqual(await collect(stream(asked)))
  })

  test('thoughts with their seal and calls go back into a history the server accepts', async () => {
    double.answer({
      thoughts: 'Rome, then.',
      pieces: ['Let me see.'],
      calls: [{ id: 'c1', name: 'get_weather', args: { city: 'Rome' } }],
    })
    const thinking = { ...request, tools, reasoning: { effort: 'low' as const }, maxTokens: 4_000 }
    const events = await collect(stream(thinking))
    expect(bodyOf()['additionalModelRequestFields']).toEqual({
      thinking: { type: 'enabled', budget_tokens: 2_048 },
    })
    const call = { callId: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' }
    expect(events.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'reasoning', text: 'Rome, then.' },
      { type: 'reasoningSeal', signature: SIGNATURE, by: 'bedrock' },
      { type: 'text', text: 'Let me see.' },
      { type: 'toolCall', call },
      { type: 'finish', reason: 'tool_calls' },
    ])
    const messages: ModelRequest['messages'] = [
      ...request.messages,
      {
        role: 'assistant',
        text: 'Let me see.',
        toolCalls: [call],
        reasoning: [{ text: 'Rome, then.', signature: SIGNATURE, by: 'bedrock' }],
      },
      { role: 'tool', callId: 'c1', text: 'sun' },
    ]
    double.answer({ pieces: ['Sunny.'] })
    expect(textOf(await collect(stream({ ...thinking, messages })))).toBe('Sunny.')
    expect(bodyOf()['additionalModelRequestFields']).toBeDefined()
  })

  test('thoughts that another provider signed are not sent, and none are begun after them', async () => {
    double.answer({ pieces: ['Sunny.'] })
    const messages: ModelRequest['messages'] = [
      ...request.messages,
      {
        role: 'assistant',
        text: '',
        toolCalls: [{ callId: 'call_1.2:3', name: 'get_weather', arguments: '' }],
        reasoning: [{ text: 'x', signature: 'theirs', by: 'anthropic' }],
      },
      { role: 'tool', callId: 'call_1.2:3', text: '' },
    ]
    const asked = { messages, tools, reasoning: { effort: 'low' as const } }
    expect(textOf(await collect(stream(asked)))).toBe('Sunny.')
    expect(bodyOf()['additionalModelRequestFields']).toBeUndefined()
  })

  test('images, documents, sound and cache points in a body the server accepts', async () => {
    double.answer({ pieces: ['A cat.'] })
    const source = { type: 'base64', mediaType: 'image/jpeg', data: 'aGk=' } as const
    const pdf = { type: 'base64', data: 'aGk=' } as const
    await collect(
      stream({
        messages: [
          { role: 'system', text: 'Be brief.', parts: [{ type: 'text', text: 'Be brief.', cache: '1h' }] },
          {
            role: 'user',
            text: '',
            parts: [
              { type: 'image', source, cache: '5m' },
              { type: 'file', mediaType: 'application/pdf', name: 'my  plan_1.pdf', source: pdf },
              { type: 'audio', format: 'mp3', data: 'aGk=' },
            ],
          },
        ],
        tools: [{ ...tools[0]!, cache: '5m' }],
      }),
    )
    expect(bodyOf()).toMatchObject({
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
      messages: [
        {
          role: 'user',
          content: [
            { image: { format: 'jpeg', source: { bytes: 'aGk=' } } },
            { cachePoint: { type: 'default' } },
            { document: { format: 'pdf', name: 'my plan 1 pdf', source: { bytes: 'aGk=' } } },
            { audio: { format: 'mp3', source: { bytes: 'aGk=' } } },
            { text: 'Begin.' },
          ],
        },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'get_weather' } }, { cachePoint: { type: 'default' } }] },
    })
  })

  test('an API key instead of a key pair', async () => {
    await provider.close()
    provider = createBedrock(deps, {
      name: 'test',
      baseUrl: double.url,
      apiKey: BEDROCK_API_KEY,
      options: { region: 'eu-west-1' },
    })!
    double.answer({ pieces: ['Hello'] })
    expect(textOf(await collect(stream()))).toBe('Hello')
    expect(double.requests.at(-1)?.headers.authorization).toBe(`Bearer ${BEDROCK_API_KEY}`)
  })

  test('an answer that is over ends, even if the server never closes', async () => {
    double.answer({ pieces: ['Over'], fault: 'never_closes' })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })

  test('answers one after the other share connections', async () => {
    const before = double.connections
    double.answer({ pieces: ['Hi'] })
    for (let i = 0; i < 20; i++) {
      await collect(stream())
      await double.requests.at(-1)!.closed
    }
    expect(double.connections - before).toBeLessThan(5)
  })
})

describe('faults', () => {
  const cases: [BedrockFault, string][] = [
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['spent', 'quota'],
    ['refuse_quota', 'quota'],
    ['refuse_503', 'transient'],
    ['model_timeout', 'timeout'],
    ['model_error', 'transient'],
    ['too_long', 'bad_request'],
    ['drop_mid_stream', 'transient'],
    ['half_an_event', 'transient'],
    ['close_clean_early', 'transient'],
    ['damaged_event', 'transient'],
    ['endless_event', 'transient'],
    ['malformed_json', 'transient'],
    ['throttled_in_stream', 'rate'],
    ['error_without_context', 'transient'],
    ['invalid_in_stream', 'bad_request'],
    ['wrong_content_type', 'transient'],
  ]
  test.each(cases)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    double.answer({ pieces: ['Some', ' text'], fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'test', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|AKIA|fake/)
  })

  test('a prompt that is too long is told apart, so that another target may take it', async () => {
    double.answer({ fault: 'too_long' })
    await expect(collect(stream())).rejects.toMatchObject({ declined: 'context_overflow' })
  })

  test.each([{ secretAccessKey: 'wrong' }, { region: 'us-east-1' }, { sessionToken: 'old' }])(
    'the server finds out a signature with %j',
    async (options) => {
      await provider.close()
      provider = providerOf(options)
      double.answer({ pieces: ['Hello'] })
      await expect(collect(stream())).rejects.toMatchObject({ kind: 'auth' })
    },
  )

  test.each(['drop_mid_stream', 'malformed_json'] as const)(
    '%s of a whole answer is no answer',
    async (fault) => {
      double.answer({ pieces: ['Some'], fault })
      await expect(whole()).rejects.toMatchObject({ name: 'ProviderError', kind: 'transient' })
    },
  )
})

describe('cancelling', () => {
  test.each(['hang_on_connect', 'silent_after_ms'] as const)(
    'an abort during %s rejects with its reason and closes upstream',
    async (fault) => {
      double.answer({ pieces: ['One'], fault })
      const before = double.requests.length
      const scope = openScope()
      const reading = (async () => {
        for await (const event of stream(request, CLAUDE, scope.signal)) {
          if (event.type === 'text') scope.cancel('barge-in')
        }
      })()
      const ended = expect(reading).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
      if (fault === 'hang_on_connect') {
        while (double.requests.length === before) await new Promise((resolve) => setImmediate(resolve))
        scope.cancel('barge-in')
      }
      await ended
      expect(await double.requests.at(-1)!.closed).toBe(true)
    },
  )
})

describe('settings', () => {
  const make = (options: object, more: object = {}) =>
    createBedrock(deps, { name: 'x', options: { ...options }, ...more })
  test('no key at all is no provider', () => {
    expect(make({ region: 'eu-west-1' })).toBeNull()
  })
  test.each([
    [{ accessKeyId: 'a', secretAccessKey: 'secret' }, {}, 'providers.x.region'],
    [{ accessKeyId: 'a', region: 'eu-west-1' }, {}, 'accessKeyId and secretAccessKey'],
    [
      { accessKeyId: 'a', secretAccessKey: 'secret\n', region: 'eu-west-1' },
      {},
      'providers.x.secretAccessKey',
    ],
    [{ accessKeyId: 'a', secretAccessKey: 7, region: 'eu-west-1' }, {}, 'providers.x.secretAccessKey'],
    [{ region: '../secret' }, { apiKey: 'k' }, 'providers.x.region'],
  ])('%j is refused by its name, without its value', (options, more, name) => {
    expect(() => make(options, more)).toThrow(name)
    expect(() => make(options, more)).not.toThrow(/secret\b(?!A)/)
  })
})
