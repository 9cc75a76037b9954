/** Every preset: where it sends what, with which key, and what it leaves out; each asked once over a real socket. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/clock.ts'
import { addressOf } from '../../../src/provider/openai/address.ts'
import { fitTo } from '../../../src/provider/openai/fit.ts'
import { createOpenAi, PRESETS, presetOf } from '../../../src/provider/openai/index.ts'
import type { Preset } from '../../../src/provider/openai/presets/index.ts'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../../src/testing/model/openai.ts'

const ALL = [...PRESETS]
/** What addresses need of the settings. */
const MEMBERS = {
  resource: 'my-res',
  accountId: 'acc1',
  workspace: 'adb-1.azuredatabricks.net',
  account: 'org-acc',
}
const NAMED = { name: 'x', members: MEMBERS }

test('there are more than thirty, and each says how sure we are', () => {
  expect(ALL.length).toBeGreaterThan(30)
  for (const [name, { evidence, refusals, refuses, renames }] of ALL) {
    expect(evidence.from, name).not.toBe('')
    if (refuses.length > 0 || Object.keys(renames).length > 0) expect(refusals, name).not.toBeNull()
  }
})

describe('addresses', () => {
  test.each(ALL)('%s', (_name, preset) => {
    const { origin, path, headers } = addressOf({ ...NAMED, preset, apiKey: 'k-1' })
    const chat = new URL(`${origin}${path('chat/completions', 'org/model:1')}`)
    expect(chat.pathname).toMatch(/[^/]\/chat\/completions$|^\/chat\/completions$/)
    expect(chat.pathname).not.toMatch(/\/\/|\{/)
    expect(chat.href.startsWith(preset.key === 'needed' ? 'https://' : 'http://127.0.0.1:')).toBe(true)
    const [shown, other] =
      preset.keyHeader === 'api-key' ? ['api-key', 'authorization'] : ['authorization', 'api-key']
    expect(headers[shown]).toBe(preset.keyHeader === 'api-key' ? 'k-1' : 'Bearer k-1')
    expect(headers).not.toHaveProperty(other)
    expect(addressOf({ ...NAMED, preset }).headers).toEqual({ 'content-type': 'application/json' })
  })

  test.each([
    ['openai', 'https://api.openai.com/v1/chat/completions'],
    ['azure', 'https://my-res.openai.azure.com/openai/v1/chat/completions'],
    ['groq', 'https://api.groq.com/openai/v1/chat/completions'],
    ['perplexity', 'https://api.perplexity.ai/chat/completions'],
    ['cloudflare-workers-ai', 'https://api.cloudflare.com/client/v4/accounts/acc1/ai/v1/chat/completions'],
    ['databricks', 'https://adb-1.azuredatabricks.net/serving-endpoints/chat/completions'],
    ['ollama', 'http://127.0.0.1:11434/v1/chat/completions'],
  ])('%s: %s', (name, url) => {
    const { origin, path } = addressOf({ ...NAMED, preset: presetOf(name) as Preset })
    expect(`${origin}${path('chat/completions', 'm')}`).toBe(url)
  })

  test('Azure with a dated version: the deployment is in the path, but for /responses', () => {
    const { origin, path } = addressOf({
      name: 'x',
      preset: presetOf('azure') as Preset,
      members: { resource: 'my-res', apiVersion: '2024-10-21' },
    })
    expect(
      ['chat/completions', 'embeddings', 'responses'].map((what) => path(what as 'embeddings', 'a b')),
    ).toEqual([
      '/openai/deployments/a%20b/chat/completions?api-version=2024-10-21',
      '/openai/deployments/a%20b/embeddings?api-version=2024-10-21',
      '/openai/responses?api-version=2024-10-21',
    ])
    expect(origin).toBe('https://my-res.openai.azure.com')
  })

  test('a bare Azure endpoint, as the portal shows it, is enough', () => {
    const at = (members: object) =>
      addressOf({
        name: 'x',
        preset: presetOf('azure') as Preset,
        baseUrl: 'https://eu.example.com',
        members: { ...members },
      }).path('chat/completions', 'm')
    expect(at({})).toBe('/openai/v1/chat/completions')
    expect(at({ apiVersion: '2024-10-21' })).toBe(
      '/openai/deployments/m/chat/completions?api-version=2024-10-21',
    )
  })

  test.each([
    ['azure', {}, 'providers.x needs resource (or a baseUrl)'],
    ['azure', { resource: 'a.evil.example/?' }, 'providers.x.resource must be a name'],
    ['azure', { resource: 'a', apiVersion: 'latest' }, 'providers.x.apiVersion must be a date'],
    ['groq', { apiVersion: '2024-10-21' }, 'providers.x.apiVersion: this type has no versions'],
  ])('%s with %j is refused', (name, members, message) => {
    expect(() => addressOf({ name: 'x', preset: presetOf(name) as Preset, members })).toThrow(message)
  })

  test('other names of a provider lead to it', () => {
    expect(presetOf('grok')).toBe(presetOf('xai'))
    expect(presetOf('together_ai')).toBe(presetOf('together'))
    expect(presetOf('moonshot')).toBe(presetOf('moonshotai'))
    expect(presetOf('azure-openai')).toBe(presetOf('azure'))
    // These have interfaces of their own.
    for (const name of ['anthropic', 'gemini', 'bedrock', 'nobody', '__proto__']) {
      expect(presetOf(name)).toBeUndefined()
    }
  })
})

/** All that OpenAI's own client may send, and one member that nobody knows. */
const BODY = {
  model: 'm',
  messages: [
    { role: 'developer', content: 'Be kind.', name: 'dev' },
    { role: 'user', content: 'Hi', name: 'ann' },
    { role: 'assistant', content: 'Hi.', refusal: null, audio: { id: 'a' }, annotations: [] },
  ],
  ...{ stream: true, stream_options: { include_usage: true }, max_completion_tokens: 9, seed: 1, n: 1 },
  ...{ store: true, metadata: { a: 'b' }, user: 'ann', logit_bias: { 5: 1 }, parallel_tool_calls: true },
  ...{ modalities: ['text'], audio: { voice: 'x' }, prediction: { type: 'content' }, service_tier: 'auto' },
  ...{ verbosity: 'low', safety_identifier: 'x', prompt_cache_key: 'x', prompt_cache_retention: '24h' },
  ...{ web_search_options: {}, frequency_penalty: 0, temperature: 0.5, x_unheard_of: [1] },
}

describe('a client’s body', () => {
  test.each(ALL)('%s: what it refuses is left out and told, all else stays', (_name, preset) => {
    const before = structuredClone(BODY)
    const dropped: string[] = []
    const body = fitTo(preset)(BODY, (member) => void dropped.push(member))
    expect(BODY).toEqual(before)
    const told = preset.refuses.filter((one) => one !== 'stream_options')
    expect([...dropped].sort()).toEqual(
      // Our clients’ messages hold neither of these, or hold them empty.
      told.filter((one) => one !== 'messages[].refusal' && one !== 'messages[].reasoning_content').sort(),
    )
    const messages = body['messages'] as Record<string, unknown>[]
    for (const one of preset.refuses) {
      const inner = /^messages\[\]\.(.+)$/.exec(one)?.[1]
      if (inner === undefined) expect(body).not.toHaveProperty([one])
      else for (const message of messages) expect(message).not.toHaveProperty([inner])
    }
    expect(messages[0]?.['role']).toBe(preset.developer === 'system' ? 'system' : 'developer')
    const renamed: Record<string, string> = {
      ...preset.renames,
      ...(preset.maxTokens === 'max_tokens' && { max_completion_tokens: 'max_tokens' }),
    }
    for (const [name, value] of Object.entries(BODY)) {
      if (name === 'messages' || preset.refuses.includes(name)) continue
      expect(body[renamed[name] ?? name], name).toEqual(value)
      if (renamed[name] !== undefined) expect(body).not.toHaveProperty([name])
    }
  })

  test('with nothing to change it is the same object', () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    for (const [, preset] of ALL) expect(fitTo(preset)(body, () => {})).toBe(body)
  })

  test('what is said in the server’s own spelling stands above the other', () => {
    const mistral = fitTo(presetOf('mistral') as Preset)
    const body = { max_tokens: 5, max_completion_tokens: 9, random_seed: 1, seed: 2 }
    expect(mistral(body, () => {})).toEqual({ max_tokens: 5, random_seed: 1 })
  })
})

describe('over a socket', () => {
  let bearer: FakeOpenAi
  let azure: FakeOpenAi
  beforeAll(async () => {
    ;[bearer, azure] = await Promise.all([startFakeOpenAi(), startFakeOpenAi('azure')])
  })
  afterAll(() => Promise.all([bearer.close(), azure.close()]))

  test.each(ALL)('%s is asked, answers, and is told no member that it refuses', async (name, preset) => {
    const fake = preset.keyHeader === 'api-key' ? azure : bearer
    const provider = createOpenAi(
      { clock: realClock, note: () => {} },
      { name, preset, baseUrl: fake.baseUrl, apiKey: FAKE_KEY },
    )
    try {
      const asked = {
        messages: [{ role: 'user', text: 'Hi' }],
        tools: [{ name: 'f' }],
        parallelToolCalls: true,
        maxTokens: 9,
        user: 'ann',
      } as const
      let text = ''
      const signal = new AbortController().signal
      for await (const event of provider.llm!('m')!.stream(asked, { signal, clock: realClock })) {
        if (event.type === 'text') text += event.text
      }
      expect(text).toBe('Hello')
      const { body } = fake.requests.at(-1)!
      for (const one of preset.refuses) expect(body).not.toHaveProperty([one])
      expect(body[preset.maxTokens === 'either' ? 'max_completion_tokens' : preset.maxTokens]).toBe(
        name === 'openai' ? undefined : 9,
      )
      expect(provider.embedding === undefined).toBe(preset.embeddings === 'none')
    } finally {
      await provider.close()
    }
  })
})

/** As docs/providers.md has it. */
function rowOf([name, one]: readonly [string, Preset]): string {
  const key = one.key === 'optional' ? 'none needed' : one.keyHeader === 'api-key' ? '`api-key`' : 'bearer'
  const told = ({ mark, from }: Preset['evidence']) => `${mark}: ${from}`
  const refused = one.refuses.map((member) => `\`${member}\``)
  const renamed = Object.entries(one.renames).map(([from, to]) => `\`${from}\` is \`${to}\``)
  const differs = [
    ...(one.caps.tools ? [] : ['no tools']),
    ...(refused.length > 0 ? [`refuses ${refused.join(', ')}`] : []),
    ...renamed,
    ...(one.refusals ? [`(${told(one.refusals)})`] : []),
  ]
  const vectors = one.embeddings === 'served' ? 'yes' : 'no'
  return `| \`${name}\` | \`${one.baseUrl}\` | ${told(one.evidence)} | ${key} | ${vectors} | ${differs.join('; ') || '–'} |`
}

test('docs/providers.md has the row of each preset, and no other', () => {
  const page = readFileSync('docs/providers.md', 'utf8')
  const section = /### Presets\n(.*?)\n### /s.exec(page)?.[1] ?? ''
  expect(
    section.split('\n').filter((line) => line.startsWith('| `') && !line.startsWith('| `type`')),
  ).toEqual(ALL.map(rowOf))
})
