/**
 * `GET /v1/models` over a real server, asked by the official SDKs of OpenAI and Anthropic. The stages are doubles: which models there
 * are does not depend on whether they run.
 */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Embedded } from '../../src/app.ts'
import { perToken } from '../../src/gateway/model-shapes.ts'
import { type RunningApp, startApp } from '../e2e/app.ts'
import { FakeVad } from '../support/fake-vad.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'

const KEY = 'pk-of-a-gateway-client-1'
const SETTINGS = `
providers:
  openai: { apiKey: sk-test, baseUrl: http://127.0.0.1:9/v1 }
  gemini: { type: openai, apiKey: sk-test, baseUrl: http://127.0.0.1:9/v1 }
  my-vllm: { type: openai, baseUrl: http://127.0.0.1:9/v1 }
  deepgram: { apiKey: dg-test }
catalog:
  my-vllm/llama-3: { name: Our Llama, limit: { context: 8192 }, cost: { input: 0.05, output: 0.1 }, ttft_ms: 90 }
`
const only =
  <T>(name: string, adapter: T) =>
  (model: string) =>
    model === name ? adapter : undefined

let server: RunningApp
beforeAll(async () => {
  const embedded: Embedded = {
    name: 'local',
    vad: new FakeVad(),
    advice: [],
    stt: only('moonshine-tiny', new FakeStt()),
    tts: only('flite', new FakeTts()),
    close: async () => {},
  }
  server = await startApp({
    key: KEY,
    settings: SETTINGS,
    embedded,
    llm: new FakeLlm(),
    pipeline: 'language: en\n',
  })
})
afterAll(() => server.close())

const openai = (apiKey = KEY) => new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 })
const anthropic = () => new Anthropic({ apiKey: null, authToken: KEY, baseURL: server.url, maxRetries: 0 })

type Listed = OpenAI.Model & Readonly<Record<string, unknown>>

describe('asked by OpenAI’s SDK', () => {
  test('lists pipelines by both their names, and the models of the providers that are set up', async () => {
    const { data } = await openai().models.list()
    const ids = data.map(({ id }) => id)
    expect(ids.slice(0, 2)).toEqual(['guide', 'router/guide'])
    expect(ids).toEqual(
      expect.arrayContaining([
        'openai/gpt-4o-mini',
        'openai/tts-1',
        // By the name that the settings have for it.
        'gemini/gemini-2.5-flash',
        'my-vllm/llama-3',
        'deepgram/nova-3',
        'local/moonshine-tiny',
        'local/flite',
        // Only a pipeline names it.
        'test/model',
      ]),
    )
    // Not set up; not here; nothing of ours could call it.
    for (const absent of ['anthropic/claude-sonnet-4-5', 'local/smollm2', 'openai/gpt-realtime']) {
      expect(ids).not.toContain(absent)
    }
    expect(new Set(ids).size).toBe(ids.length)
    expect(data.every(({ object, created }) => object === 'model' && Number.isInteger(created))).toBe(true)
  })

  test('tells of each what OpenRouter’s clients read, and where its price is from', async () => {
    const model = (await openai().models.retrieve('openai/gpt-4o-mini')) as Listed
    expect(model).toMatchObject({
      id: 'openai/gpt-4o-mini',
      object: 'model',
      owned_by: 'openai',
      name: 'GPT-4o mini',
      context_length: 128_000,
      architecture: {
        modality: 'text+image->text',
        input_modalities: ['text', 'image'],
        output_modalities: ['text'],
      },
      pricing: { prompt: '0.00000015', completion: '0.0000006', input_cache_read: '0.000000075' },
      top_provider: { context_length: 128_000, max_completion_tokens: 16_384 },
      parley: { kind: 'llm', provider: 'openai', model: 'gpt-4o-mini', price_as_of: '2026-11-10' },
    })
    expect(model['supported_parameters']).toEqual(
      expect.arrayContaining(['max_tokens', 'tools', 'temperature']),
    )
  })

  test('tells of a model of speech its own units, and of the operator’s what the operator said', async () => {
    const ear = (await openai().models.retrieve('deepgram/nova-3')) as Listed
    expect(ear).toMatchObject({
      pricing: { prompt: '-1', completion: '-1' },
      supported_parameters: [],
      parley: { kind: 'stt', usd_per_audio_minute_in: 0.0048, languages: 'any' },
    })
    const ours = (await openai().models.retrieve('my-vllm/llama-3')) as Listed
    expect(ours).toMatchObject({
      name: 'Our Llama',
      context_length: 8192,
      pricing: { prompt: '0.00000005', completion: '0.0000001' },
      parley: { ttft_ms: 90, price_source: 'catalog in parley.yaml', price_as_of: null },
    })
  })

  test('finds a pipeline by any of its names, and a bare name at the provider that is set up', async () => {
    for (const id of ['guide', 'router/guide', 'inworld/guide']) {
      const model = (await openai().models.retrieve(id)) as Listed
      expect(model).toMatchObject({
        id,
        owned_by: 'parley',
        canonical_slug: 'guide',
        pricing: { prompt: '-1' },
        parley: { kind: 'pipeline', pipeline: 'guide', default: true, language: 'en' },
      })
    }
    expect((await openai().models.retrieve('gpt-4o-mini')).id).toBe('openai/gpt-4o-mini')
    expect((await openai().models.retrieve('openai/gpt-4o-mini-2024-07-18')).id).toBe('openai/gpt-4o-mini')
    expect((await openai().models.retrieve('test/model')).id).toBe('test/model')
    expect((await openai().models.retrieve('text-embedding-3-small')).id).toBe(
      'openai/text-embedding-3-small',
    )
  })

  test('answers 404 to what nobody has, also to what the catalogue knows and nobody set up', async () => {
    for (const id of [
      'nope',
      'openai/nope',
      'anthropic/claude-sonnet-4-5',
      'router/',
      'a//b',
      '%2e%2e/etc',
      '__proto__',
    ]) {
      const error = await openai()
        .models.retrieve(id)
        .catch((reason: unknown) => reason)
      expect(error, id).toBeInstanceOf(OpenAI.NotFoundError)
      expect(error, id).toMatchObject({
        code: 'model_not_found',
        param: 'model',
        type: 'invalid_request_error',
      })
    }
  })

  test('needs a key as everything does', async () => {
    await expect(openai('wrong').models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })
})

describe('asked by Anthropic’s SDK', () => {
  test('comes in pages, each model once, in its shape', async () => {
    const first = await anthropic().models.list({ limit: 5 })
    expect(first.data).toHaveLength(5)
    expect([first.first_id, first.has_more]).toEqual(['guide', true])
    const ids: string[] = []
    for await (const model of anthropic().models.list({ limit: 7 })) ids.push(model.id)
    const { data } = await openai().models.list()
    expect(ids).toEqual(data.map(({ id }) => id))
  })

  test('goes back by pages as well', async () => {
    const all = (await openai().models.list()).data.map(({ id }) => id)
    const page = await anthropic().models.list({ limit: 3, before_id: all[5]! })
    expect(page.data.map(({ id }) => id)).toEqual(all.slice(2, 5))
    expect(page.has_more).toBe(true)
    const begin = await anthropic().models.list({ limit: 3, before_id: all[2]! })
    expect([begin.data.length, begin.has_more]).toEqual([2, false])
  })

  test('tells of one what Anthropic’s clients read', async () => {
    expect(await anthropic().models.retrieve('openai/gpt-4o-mini')).toMatchObject({
      id: 'openai/gpt-4o-mini',
      type: 'model',
      display_name: 'GPT-4o mini',
      created_at: '1970-01-01T00:00:00Z',
      max_input_tokens: 128_000,
      max_tokens: 16_384,
      lifecycle: 'active',
    })
  })

  test('refuses in its shape', async () => {
    const missing = await anthropic()
      .models.retrieve('nope')
      .catch((reason: unknown) => reason)
    expect(missing).toBeInstanceOf(Anthropic.NotFoundError)
    expect(missing).toMatchObject({ error: { type: 'error', error: { type: 'not_found_error' } } })
    for (const query of [{ limit: 0 }, { limit: 1001 }, { after_id: 'nope' }]) {
      await expect(anthropic().models.list(query)).rejects.toBeInstanceOf(Anthropic.BadRequestError)
    }
  })
})

test('a price a token is written out, however small', () => {
  expect([0, 0.01, 0.15, 10, 1_000_000].map(perToken)).toEqual([
    '0',
    '0.00000001',
    '0.00000015',
    '0.00001',
    '1',
  ])
})
