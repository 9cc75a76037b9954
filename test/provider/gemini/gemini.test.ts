import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { createGemini, type GeminiSettings } from '../../../src/provider/gemini/index.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  GEMINI_KEY,
  type GeminiDouble,
  type GeminiFault,
  startGeminiDouble,
} from '../../../src/testing/model/gemini/double.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }
const tools = [
  { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
]

let double: GeminiDouble
let provider: Provider
beforeAll(async () => {
  double = await startGeminiDouble()
})
afterAll(() => double.close())
beforeEach(() => {
  provider = providerOf({})
})
afterEach(() => provider.close())

function providerOf(settings: Partial<GeminiSettings>): Provider {
  return createGemini(deps, { name: 'test', baseUrl: double.baseUrl, apiKey: GEMINI_KEY, ...settings })
}

const modelOf = (model: string) => provider.llm!(model)!

function stream(asked = request, model = 'gemini-2.5-flash', signal = new AbortController().signal) {
  return modelOf(model).stream(asked, { signal, clock: realClock })
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

async function whole(asked = request, model = 'gemini-2.5-flash') {
  const { wire } = modelOf(model)
  const { body } = wire!.encode(asked, 'whole')
  return wire!.whole({ body, clock: realClock, signal: new AbortController().signal })
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((e) => (e.type === 'text' ? e.text : '')).join('')

const usage = { inputTokens: 12, outputTokens: 8, cachedTokens: 4, reasoningTokens: 3 }

describe('answers', () => {
  test.each(['lf', 'crlf', 'byteByByte'] as const)('text, usage and finish, framed %s', async (framing) => {
    double.answer({ pieces: ['Grüß', ' Gott', ' 👋🏽'], framing })
    const events = await collect(stream())
    expect(textOf(events)).toBe('Grüß Gott 👋🏽')
    expect(events.slice(-2)).toEqual([
      { type: 'usage', usage },
      { type: 'finish', reason: 'stop' },
    ])
    expect(double.requests.at(-1)?.url).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
    expect(double.requests.at(-1)?.headers['x-goog-api-key']).toBe(GEMINI_KEY)
  })

  test('whole: the same events as streamed', async () => {
    double.answer({
      thoughts: ['Hm.'],
      pieces: ['Hello'],
      calls: [{ id: 'c1', name: 'get_weather', args: {} }],
    })
    const asked = { ...request, tools }
    const { text, events } = await whole(asked)
    expect(double.requests.at(-1)?.url).toBe('/v1beta/models/gemini-2.5-flash:generateContent')
    expect(JSON.parse(text)).toMatchObject({ responseId: 'resp-fake' })
    expect(events.filter(({ type }) => type !== 'begin')).toEqual(await collect(stream(asked)))
  })

  test('a call comes whole; the history with its signature and result is one the server accepts', async () => {
    const signature = 'c2lnbmVk'
    double.answer({
      pieces: ['Let me see.'],
      calls: [{ id: 'c1', name: 'get_weather', args: { city: 'Rome' } }],
      signature,
    })
    const events = await collect(stream({ ...request, tools, toolChoice: 'auto' }, 'gemini-3-pro'))
    const call = events.find((e) => e.type === 'toolCall')?.call
    expect(call).toEqual({
      callId: 'c1',
      name: 'get_weather',
      arguments: '{"city":"Rome"}',
      thoughtSignature: signature,
    })
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })

    double.answer({ pieces: ['Sunny.'] })
    const messages = [
      ...request.messages,
      { role: 'assistant' as const, text: 'Let me see.', toolCalls: [call!] },
      { role: 'tool' as const, callId: 'c1', text: 'sun' },
    ]
    expect(textOf(await collect(stream({ messages, tools }, 'gemini-3-pro')))).toBe('Sunny.')
    const { contents } = double.requests.at(-1)!.body as { contents: { parts: object[] }[] }
    expect(contents[1]?.parts[1]).toMatchObject({ thoughtSignature: signature })
  })

  test('calls that another model made are accepted by one that wants signatures', async () => {
    double.answer({ pieces: ['Sunny.'] })
    const toolCalls = ['c1', 'c2'].map((callId) => ({ callId, name: 'get_weather', arguments: '{}' }))
    const messages: ModelRequest['messages'] = [
      ...request.messages,
      { role: 'assistant', text: '', toolCalls },
      { role: 'tool', callId: 'c2', text: 'rain' },
      { role: 'tool', callId: 'c1', text: 'sun' },
      { role: 'user', text: 'So?' },
    ]
    expect(textOf(await collect(stream({ messages, tools }, 'gemini-3-flash')))).toBe('Sunny.')
  })

  test('images, sound and documents in a body the server accepts', async () => {
    double.answer({ pieces: ['A cat.'] })
    const parts = [
      { type: 'text' as const, text: 'What?' },
      { type: 'image' as const, source: { type: 'base64' as const, mediaType: 'image/png', data: 'aGk=' } },
      { type: 'image' as const, source: { type: 'url' as const, url: 'https://a.example/cat.webp' } },
      { type: 'audio' as const, format: 'wav' as const, data: 'aGk=' },
      {
        type: 'file' as const,
        mediaType: 'application/pdf',
        source: { type: 'base64' as const, data: 'aGk=' },
      },
    ]
    await collect(stream({ messages: [{ role: 'user', text: 'What?', parts }] }))
    expect(double.requests.at(-1)?.body['contents']).toEqual([
      {
        role: 'user',
        parts: [
          { text: 'What?' },
          { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
          { fileData: { mimeType: 'image/webp', fileUri: 'https://a.example/cat.webp' } },
          { inlineData: { mimeType: 'audio/wav', data: 'aGk=' } },
          { inlineData: { mimeType: 'application/pdf', data: 'aGk=' } },
        ],
      },
    ])
  })

  test.each([
    ['gemini-2.0-flash', undefined],
    ['gemini-2.5-flash', { thinkingBudget: 1024, includeThoughts: true }],
    ['gemini-3-flash-preview', { thinkingLevel: 'LOW', includeThoughts: true }],
  ])('thoughts of %s are asked for in its words, and are no text', async (model, config) => {
    double.answer({ thoughts: ['Let me', ' think.'], pieces: ['Four.'] })
    const events = await collect(stream({ ...request, reasoning: { effort: 'low' } }, model))
    const { generationConfig } = double.requests.at(-1)!.body as {
      generationConfig?: Record<string, unknown>
    }
    expect(generationConfig?.['thinkingConfig']).toEqual(config)
    expect(events.slice(0, 3)).toEqual([
      { type: 'reasoning', text: 'Let me' },
      { type: 'reasoning', text: ' think.' },
      { type: 'text', text: 'Four.' },
    ])
  })

  test('an answer that is over ends, even if the server never closes', async () => {
    double.answer({ pieces: ['Over'], fault: 'never_closes' })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })

  test('a prompt against the rules for content is a refusal, streamed and whole', async () => {
    double.answer({ fault: 'blocked_prompt' })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'content_filter' })
    expect((await whole()).events.at(-1)).toEqual({ type: 'finish', reason: 'content_filter' })
  })
})

describe('faults', () => {
  const cases: [GeminiFault, string][] = [
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['refuse_quota', 'quota'],
    ['refuse_country', 'auth'],
    ['refuse_503', 'transient'],
    ['too_long', 'bad_request'],
    ['drop_mid_stream', 'transient'],
    ['half_an_event', 'transient'],
    ['close_clean_early', 'transient'],
    ['malformed_json', 'transient'],
    ['error_without_context', 'transient'],
    ['wrong_content_type', 'transient'],
  ]
  test.each(cases)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    double.answer({ pieces: ['Some', ' text'], fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'test', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|AIza/)
  })

  test('a prompt that is too long is told apart, so that another target may take it', async () => {
    double.answer({ fault: 'too_long' })
    await expect(collect(stream())).rejects.toMatchObject({ declined: 'context_overflow' })
  })

  test('the body says when to come back', async () => {
    double.answer({ fault: 'refuse_429' })
    await expect(collect(stream())).rejects.toMatchObject({ kind: 'rate', retryAfterMs: 34_500 })
  })

  test.each(['drop_mid_stream', 'malformed_json', 'wrong_content_type'] as const)(
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
        for await (const event of stream(request, 'gemini-2.5-flash', scope.signal)) {
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
  test('a tuned model is named with its kind', async () => {
    double.answer({ pieces: ['x'] })
    await collect(stream(request, 'tunedModels/mine')).catch(() => {})
    expect(double.requests.at(-1)?.url).toBe('/v1beta/tunedModels/mine:streamGenerateContent?alt=sse')
  })
  test.each([
    [{ baseUrl: 'h:1' }, 'providers.x.baseUrl'],
    [{ baseUrl: 'http://u:p@h/v1' }, 'providers.x.baseUrl'],
    [{ apiKey: 'AI\nsecret' }, 'providers.x.apiKey'],
  ])('%j is refused by its name, without its value', (settings, name) => {
    const make = () => createGemini(deps, { name: 'x', apiKey: 'k', ...settings })
    expect(make).toThrow(name)
    expect(make).not.toThrow(/secret|u:p/)
  })
})
