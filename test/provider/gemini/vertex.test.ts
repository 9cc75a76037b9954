import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { createVertex } from '../../../src/provider/gemini/vertex.ts'
import { vertexEndpoint } from '../../../src/provider/gemini/vertex-settings.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  GEMINI_KEY,
  GEMINI_TOKEN,
  type GeminiDouble,
  startGeminiDouble,
} from '../../../src/testing/model/gemini/double.ts'
import { startTokenDouble, type TokenDouble } from '../../../src/testing/model/gemini/token-double.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }
const PROJECT = { project: 'my-project', location: 'europe-west4' }

let double: GeminiDouble
let tokens: TokenDouble
let provider: Provider
beforeEach(async () => {
  double = await startGeminiDouble()
  tokens = await startTokenDouble()
  provider = providerOf({ ...PROJECT, credentials: tokens.keyFile })
})
afterEach(async () => {
  await provider.close()
  await double.close()
  await tokens.close()
})

function providerOf(options: object, more: object = {}): Provider {
  return createVertex(deps, {
    name: 'test',
    baseUrl: `${double.url}/v1beta1`,
    folder: '.',
    options: { ...options },
    ...more,
  })!
}

async function ask(model = 'gemini-2.5-flash', signal = new AbortController().signal): Promise<string> {
  const events: ModelEvent[] = []
  for await (const event of provider.llm!(model)!.stream(request, { signal, clock: realClock }))
    events.push(event)
  return events.map((e) => (e.type === 'text' ? e.text : '')).join('')
}

const last = () => double.requests.at(-1)!

describe('a service account', () => {
  test('signs for one token, which all requests share', async () => {
    double.answer({ pieces: ['Hello'] })
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['Hello', 'Hello', 'Hello'])
    expect(await ask()).toBe('Hello')
    expect(tokens.requests).toHaveLength(1)
    expect(last().headers.authorization).toBe(`Bearer ${GEMINI_TOKEN}`)
    expect(last().url).toBe(
      '/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    )
  })

  test('is given another when the last one is about to end', async () => {
    await tokens.close()
    tokens = await startTokenDouble(60)
    await provider.close()
    provider = providerOf({ ...PROJECT, credentials: tokens.keyFile })
    await ask()
    await ask()
    expect(tokens.requests).toHaveLength(2)
  })

  test('while the caller speaks it is given its token: the request finds it; a refusal is told to nobody but the request', async () => {
    const llm = provider.llm!('gemini-2.5-flash')!
    tokens.fault('refuse')
    llm.warm?.()
    while (tokens.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await expect(ask()).rejects.toMatchObject({ kind: 'auth' })
    tokens.fault(null)
    const refused = tokens.requests.length
    llm.warm?.()
    while (tokens.requests.length === refused) await new Promise((resolve) => setImmediate(resolve))
    expect(double.requests).toHaveLength(0)
    double.answer({ pieces: ['Hello'] })
    expect(await ask()).toBe('Hello')
    expect(tokens.requests).toHaveLength(refused + 1)
  })

  test('by a file beside the settings', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-vertex-'))
    try {
      writeFileSync(join(folder, 'key.json'), tokens.keyFile)
      await provider.close()
      provider = providerOf({ ...PROJECT, keyFile: 'key.json' }, { folder })
      double.answer({ pieces: ['Hello'] })
      expect(await ask()).toBe('Hello')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    ['refuse', 'auth'],
    ['unavailable', 'transient'],
  ] as const)(
    'a token endpoint that answers %s is a ProviderError of kind %s, asked once',
    async (fault, kind) => {
      tokens.fault(fault)
      const failed = await ask().catch((error: unknown) => error)
      expect(failed).toMatchObject({ name: 'ProviderError', kind })
      expect(String((failed as Error).message)).not.toMatch(/SECRET|invalid_grant/)
      expect(tokens.requests).toHaveLength(1)
      tokens.fault(null)
      double.answer({ pieces: ['Hello'] })
      expect(await ask()).toBe('Hello')
    },
  )

  test('who leaves while the token is awaited is let go at once', async () => {
    tokens.fault('silent')
    const scope = openScope()
    const asked = ask('gemini-2.5-flash', scope.signal)
    const left = expect(asked).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
    while (tokens.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const leftAt = realClock.now()
    scope.cancel('barge-in')
    await left
    // The token itself is given up after 10 s.
    expect(realClock.now() - leftAt).toBeLessThan(5_000)
  })
})

describe('addresses', () => {
  test('an API key alone is express mode', async () => {
    await provider.close()
    provider = providerOf({}, { apiKey: GEMINI_KEY })
    double.answer({ pieces: ['Hello'] })
    expect(await ask()).toBe('Hello')
    expect(last().url).toBe(
      '/v1beta1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    )
    expect(last().headers['x-goog-api-key']).toBe(GEMINI_KEY)
  })

  test('a model of one’s own is named with its kind', async () => {
    await ask('endpoints/123').catch(() => {})
    expect(last().url).toBe(
      '/v1beta1/projects/my-project/locations/europe-west4/endpoints/123:streamGenerateContent?alt=sse',
    )
  })

  test.each([
    [undefined, 'https://aiplatform.googleapis.com'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
    ['us-central1', 'https://us-central1-aiplatform.googleapis.com'],
  ])('location %s is %s', (location, origin) => {
    const options = { project: 'p', ...(location !== undefined && { location }) }
    const endpoint = vertexEndpoint({ name: 'x', apiKey: 'k', options, folder: '.' })
    expect(endpoint).toMatchObject({
      origin,
      path: '/v1beta1',
      place: `projects/p/locations/${location ?? 'global'}`,
    })
  })
})

describe('settings', () => {
  const make = (options: object) => vertexEndpoint({ name: 'x', options: { ...options }, folder: '.' })
  test('no key at all is no provider', () => {
    expect(make(PROJECT)).toBeNull()
  })
  test.each([
    [{ credentials: '{"secret"' }, 'providers.x.location'],
    [{ ...PROJECT, credentials: '{"secret"' }, 'providers.x.credentials'],
    [
      { ...PROJECT, credentials: '{"client_email":"secret","private_key":"secret"}' },
      'providers.x.credentials',
    ],
    [{ ...PROJECT, keyFile: 'no/secret.json' }, 'providers.x.keyFile'],
    [{ credentials: '{}', location: '../secret' }, 'providers.x.location'],
    [{ credentials: '{}' }, 'providers.x.project'],
  ])('%j is refused by its name, without its value', (options, name) => {
    const refused = () => make({ ...(name.endsWith('location') && { location: 'a/secret' }), ...options })
    expect(refused).toThrow(name)
    expect(refused).not.toThrow(/secret/)
  })
})
