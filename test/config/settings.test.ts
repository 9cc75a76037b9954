import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError } from '../../src/config/problem.ts'
import { checkProviders, isLoopbackHost, loadSettings, parseSettings } from '../../src/config/settings.ts'
import { settingsSchema } from '../../src/config/settings-schema.ts'
import { missingRows } from './doc-rows.ts'

const ENV = { PARLEY_KEY: 'a-secret-of-good-length', OPENAI_API_KEY: 'sk-openai', TOKEN: 'tw' }
const ref = (name: string) => `$\{${name}}`

function parse(text: string, listen?: { host?: string; port?: number }) {
  return parseSettings(text, 'parley.yaml', listen ? { env: ENV, listen } : { env: ENV })
}

function refusal(run: () => unknown): string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.line}:${p.column} ${p.message}`)
    throw error
  }
  throw new Error('nothing was refused')
}

describe('settings', () => {
  test('without a file: loopback, no key, the defaults', () => {
    const settings = parseSettings('', null, { env: {} })
    expect(settings).toMatchObject({
      file: null,
      listen: { host: '127.0.0.1', port: 8080, publicUrl: null, tls: null },
      keys: [],
      limits: { sessions: 500, sessionsPerKey: null, sessionMinutes: 60, turnsKept: 10_000 },
      origins: [],
      warnings: [],
    })
  })

  test('everything the contract writes', () => {
    const dir = mkdtempSync(join(tmpdir(), 'parley-settings-'))
    for (const pem of ['c.pem', 'k.pem']) writeFileSync(join(dir, pem), 'pem')
    const file = join(dir, 'parley.yaml')
    writeFileSync(
      file,
      `
listen: { host: 127.0.0.1, port: 8080, publicUrl: https://voice.example.com/, tls: { cert: c.pem, key: k.pem }, webrtc: { udpPorts: [40000, 40199], publicAddress: 203.0.113.7 } }
keys:
  - { id: web-team, secret: "${ref('PARLEY_KEY')}", attributes: { tier: premium, seats: 3, vip: true } }
providers:
  openai: { apiKey: "${ref('OPENAI_API_KEY')}" }
  my-vllm: { type: openai, baseUrl: http://127.0.0.1:8000/v1/ }
  local: { threads: 2 }
telephony:
  twilio: { authToken: "${ref('TOKEN')}", key: web-team, pipeline: phone }
limits: { sessions: 500, sessionMinutes: 60, turnsKept: 10000 }
origins: [https://app.example.com]
`,
    )
    const settings = loadSettings({ file, env: ENV })
    expect(settings.listen).toEqual({
      host: '127.0.0.1',
      port: 8080,
      publicUrl: 'https://voice.example.com',
      tls: { certFile: join(dir, 'c.pem'), keyFile: join(dir, 'k.pem') },
      webrtc: { udpPorts: [40_000, 40_199], publicAddress: '203.0.113.7' },
    })
    expect(settings.keys[0]).toMatchObject({
      id: 'web-team',
      sha256: createHash('sha256').update(ENV.PARLEY_KEY).digest('hex'),
      attributes: { tier: 'premium', seats: '3', vip: 'true' },
    })
    expect(settings.providers['openai']?.apiKey?.reveal()).toBe('sk-openai')
    expect(settings.providers['my-vllm']).toMatchObject({
      type: 'openai',
      baseUrl: 'http://127.0.0.1:8000/v1',
    })
    expect(settings.providers['local']?.options).toEqual({ threads: 2 })
    expect(settings.telephony['twilio']).toMatchObject({ key: 'web-team', pipeline: 'phone' })
    expect(settings.warnings).toEqual([])
  })

  test('MCP servers that clients may name, their headers hidden', () => {
    const { mcp } = parse(
      `mcp: { crm: { url: "https://x/mcp", authorization: "${ref('TOKEN')}", headers: { X-Tenant: t7 }, tools: [find] } }`,
    )
    expect(mcp['crm']).toMatchObject({
      label: 'crm',
      url: 'https://x/mcp',
      timeoutMs: 5000,
      tools: ['find'],
      approval: 'client',
      clientCredentials: 'refuse',
    })
    expect(JSON.parse(mcp['crm']!.headers!.reveal())).toEqual({
      'x-tenant': 't7',
      authorization: 'Bearer tw',
    })
    expect(inspect(mcp) + JSON.stringify(mcp)).not.toMatch(/t7|tw\b/)
    expect(mcp['constructor']).toBeUndefined()
  })

  test('no secret is shown by printing them, as text or as JSON', () => {
    const settings = parse(`
keys: [{ id: a, secret: "${ref('PARLEY_KEY')}" }]
providers: { openai: { apiKey: "${ref('OPENAI_API_KEY')}" } }
`)
    for (const shown of [
      inspect(settings, { depth: 9 }),
      JSON.stringify(settings),
      `${settings.providers['openai']?.apiKey}`,
    ]) {
      expect(shown).not.toContain(ENV.PARLEY_KEY)
      expect(shown).not.toContain(ENV.OPENAI_API_KEY)
    }
  })

  test('the operator’s own models, by target', () => {
    const settings = parse(
      'catalog: { my-vllm/llama-3: { cost: { input: 0.05, output: 0.1 }, ttft_ms: 90 } }',
    )
    expect(settings.catalog['my-vllm/llama-3']).toEqual({ cost: { input: 0.05, output: 0.1 }, ttft_ms: 90 })
    expect(settings.catalog['constructor']).toBeUndefined()
  })

  test('the command line wins over the file', () => {
    expect(parse('listen: { port: 1 }', { host: 'localhost', port: 0 }).listen).toMatchObject({
      host: 'localhost',
      port: 0,
    })
  })

  test('a port may come from the environment, which is text', () => {
    expect(parseSettings(`listen:\n  port: ${ref('PORT')}`, 'p', { env: { PORT: '9000' } }).listen.port).toBe(
      9000,
    )
  })

  test('what a variable holds is text and never YAML', () => {
    const env = { X: 'a", secret: "b' }
    const settings = parseSettings(`providers: { p: { apiKey: "${ref('X')}" } }`, 'p', { env })
    expect(settings.providers['p']?.apiKey?.reveal()).toBe(env.X)
    const literal = parseSettings(`providers: { p: { apiKey: "$${ref('X')}" } }`, 'p', { env })
    expect(literal.providers['p']?.apiKey?.reveal()).toBe(ref('X'))
  })
})

describe('settings refuse', () => {
  test('a catalogue entry with a member or a price that cannot be, at its place', () => {
    const text = 'catalog:\n  my-vllm/llama:\n    cost: { input: -1 }\n    contxt: 5\n  nobody: { name: x }'
    const found = refusal(() => parse(text))
    expect(found).toHaveLength(3)
    expect(found.map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining(['3:20', '4:5', '5:3']))
  })

  test('a variable that is not set, or empty, with the line and its name', () => {
    const text = `providers:\n  openai:\n    apiKey: "${ref('NOT_THERE')}"\n  b: { apiKey: "${ref('EMPTY')}" }`
    expect(refusal(() => parseSettings(text, 'p', { env: { EMPTY: '' } }))).toEqual([
      '3:13 the environment variable NOT_THERE is not set, or empty',
      '4:16 the environment variable EMPTY is not set, or empty',
    ])
  })

  test('a reference without quotes between braces, with the cure', () => {
    expect(refusal(() => parse(`providers: { openai: { apiKey: ${ref('OPENAI_API_KEY')} } }`))[0]).toContain(
      'needs quotes',
    )
  })

  test('listening beyond this machine without keys, by file or by command line', () => {
    const why = 'listening beyond this machine needs keys'
    expect(refusal(() => parse('listen: { host: 0.0.0.0 }'))[0]).toContain(`1:17 ${why}`)
    expect(refusal(() => parse('', { host: '0.0.0.0' }))[0]).toContain(why)
    expect(parse('listen: { host: 0.0.0.0 }\nkeys: [{ id: a, secret: 0123456789abcdefg }]').listen.host).toBe(
      '0.0.0.0',
    )
  })

  test('a near miss of a provider member, since all others belong to the provider', () => {
    expect(refusal(() => parse('providers: { openai: { api_key: x } }'))).toEqual([
      '1:24 providers.openai.api_key is not known; did you mean apiKey?',
    ])
  })

  test.each([
    ['providers: { a: { baseUrl: "ftp://x" } }', '1:28 providers.a.baseUrl wants an http'],
    ['providers: { a: { baseUrl: "https://me:pw@x" } }', '1:28 providers.a.baseUrl wants an http'],
    [
      'providers: { a: { apiKeys: [{ id: x, key: k1 }, { id: x, key: k2 }] } }',
      '1:28 providers.a.apiKeys must have a different id each',
    ],
    [
      'providers: { a: { apiKeys: [{ id: x, key: k1 }, { id: y, key: k1 }] } }',
      '1:28 providers.a.apiKeys must have a different key each',
    ],
    [
      'providers: { a: { apiKey: k1, apiKeys: [{ id: x, key: k2 }] } }',
      '1:40 providers.a.apiKeys beside apiKey',
    ],
    ['providers: { a: { apiKeys: [{ id: x, key: k1, weight: 0 }] } }', '1:55 providers.a.apiKeys[0].weight'],
    ['origins: ["*"]', '1:11 origins[0] wants an origin'],
    ['origins: ["https://a.example/"]', '1:11 origins[0] wants an origin'],
    ['listen: { port: 65536 }', '1:17 listen.port must be at most 65535'],
    ['listen: { tls: { cert: no.pem, key: no.pem } }', '1:24 listen.tls.cert: the file cannot be read'],
    ['keys: [{ id: a, secret: "" }]', '1:25 keys[0].secret must not be empty'],
    ['keys: [{ id: a, secret: 12345 }]', '1:25 keys[0].secret must be text, not a number (put it in quotes)'],
    ['keys: [{ id: a, secret: x1 }, { id: a, secret: x2 }]', '1:7 keys must have a different id each'],
    ['keys: [{ id: a, secret: x1 }, { id: b, secret: x1 }]', '1:7 keys must have a different secret each'],
    ['telephony: { twilio: { key: nobody } }', '1:29 telephony.twilio.key: no key has this id'],
    ['mcp: { a b: { url: "https://x" } }', '1:8 mcp.a b'],
    ['mcp: { http: { url: "https://x" } }', '1:8 mcp.http'],
    ['mcp: { a: { url: "ftp://x" } }', '1:18 mcp.a.url wants an http or https address'],
    ['mcp: { a: { url: "https://me:pw@x" } }', '1:18 mcp.a.url wants an http or https address'],
    ['mcp: { a: { authorization: x } }', '1:11 mcp.a.url is missing'],
    ['mcp: { a: { url: "https://x", headers: { "x y": z } } }', '1:42 mcp.a.headers'],
    ['mcp: { a: { url: "https://x", approval: never } }', '1:41 mcp.a.approval'],
    ['mcp: { a: { url: "https://x", aproval: always } }', '1:31 mcp.a.aproval'],
    ['limit: { sessions: 5 }', '1:1 limit is not known; did you mean limits?'],
  ])('%s', (text, message) => {
    const found = refusal(() => parse(text))
    expect(
      found.some((line) => line.startsWith(message)),
      found.join('\n'),
    ).toBe(true)
  })

  test('no message holds a secret', () => {
    const text = 'keys: [{ id: a, secret: hunter2, attributes: 5 }, { id: hunter, secrets: hunter2 }]'
    expect(refusal(() => parse(text)).join()).not.toContain('hunter2')
  })

  test('a file that is not there', () => {
    expect(refusal(() => loadSettings({ file: 'nowhere.yaml', env: {} }))).toEqual([
      '1:1 the file cannot be read',
    ])
  })
})

test('several keys of a provider: names and weights are facts, the keys stay hidden', () => {
  const { a } = parse(
    'providers: { a: { apiKeys: [{ id: x, key: hunter2, weight: 3 }, { id: y, key: k2 }] } }',
  ).providers
  expect(a?.apiKeys.map(({ id, weight }) => [id, weight])).toEqual([
    ['x', 3],
    ['y', 1],
  ])
  expect(a?.apiKeys[0]?.key.reveal()).toBe('hunter2')
  expect(a?.options).toEqual({})
  expect(JSON.stringify(a) + inspect(a, { depth: 9 })).not.toContain('hunter2')
})

test('a short secret is a warning', () => {
  expect(parse('keys: [{ id: a, secret: short }]').warnings).toMatchObject([{ line: 1, column: 25 }])
})

test('a provider of no known type is a warning with the nearest', () => {
  const settings = parse('providers: { opnai: { apiKey: x }, local: {} }')
  expect(
    checkProviders(settings, ['openai', 'local']).map((p) => `${p.line}:${p.column} ${p.message}`),
  ).toEqual(['1:14 providers.opnai: no adapter of the type opnai; did you mean openai?'])
})

test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])('%s is loopback', (host) => {
  expect(isLoopbackHost(host)).toBe(true)
})
test.each(['0.0.0.0', '::', 'localhost.evil.com', '127.0.0.1.nip.io', '1127.0.0.1', ''])(
  '%s is not',
  (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  },
)

test('docs/settings.md has a row for every member, with its true default', () => {
  const schema = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' })
  expect(missingRows('docs/settings.md', schema)).toEqual([])
})
