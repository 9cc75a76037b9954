/**
 * What an imported pipeline decides, through Parley's own loader and router. The expectations are written from the source
 * formats' documentation: which target such a request would reach there, in which order, in which shares.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Health } from '../../../src/attempt/health.ts'
import { PipelineRouter } from '../../../src/attempt/router.ts'
import { VirtualClock } from '../../../src/clock.ts'
import {
  detect,
  FORMATS,
  type Format,
  importDocument,
  NotImportable,
} from '../../../src/config/import/index.ts'
import { render } from '../../../src/config/import/render.ts'
import { loadPipelines } from '../../../src/config/pipeline-set.ts'
import { readYaml } from '../../../src/config/yaml-source.ts'
import { run } from '../../../src/main.ts'
import { usable } from '../../../src/route/decide.ts'
import { MemoryContext } from '../../command/memory-context.ts'
import { FACTS } from '../../route/facts.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-import-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)
const FILES: Readonly<Record<Format, string>> = {
  inworld: 'inworld.json',
  portkey: 'portkey.json',
  litellm: 'litellm.yaml',
  openrouter: 'openrouter.json',
}

interface Request {
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly model?: string
  readonly says?: string
  readonly user?: string
  readonly session?: string
}

/** A document to a function that tells where a request goes, by way of a file and the server's own loader. */
function imported(doc: unknown, format: Format) {
  const result = importDocument(doc, format)
  const file = join(folder, `${format}.yaml`)
  const text = render(result, 'test', [])
  writeFileSync(file, text)
  const pipeline = loadPipelines({ files: [file] }).default
  const router = new PipelineRouter(pipeline, new Map(), new Health({ clock: new VirtualClock() }))
  const decide = (request: Request) =>
    router.decide(
      'llm',
      () => ({
        ...FACTS,
        key: null,
        metadata: request.metadata ?? {},
        minted: {},
        session: { ...FACTS.session, id: request.session ?? 'sess_1', user: request.user ?? 'anna' },
        request: () => ({
          model: request.model ?? '',
          messages: [{ role: 'user', text: request.says ?? 'Hello.' }],
          tools: [],
          stream: true,
          maxTokens: null,
        }),
      }),
      { voice: null },
    )
  const order = (request: Request) => usable(decide(request)).map(({ id }) => id)
  const shares = (request: (i: number) => Request) => {
    const counts: Record<string, number> = {}
    for (let i = 0; i < 4000; i++) {
      const [first = ''] = order(request(i))
      counts[first] = (counts[first] ?? 0) + 1 / 4000
    }
    return counts
  }
  const notes = result.notCarried.map(({ path }) => path.join('.'))
  return { ...result, text, order, shares, decide, notes }
}

function fromFixture(format: Format) {
  const source = readYaml(readFileSync(fixture(FILES[format]), 'utf8'), FILES[format], 'plain')
  expect(detect(source.value)).toBe(format)
  return imported(source.value, format)
}

describe('an Inworld router', () => {
  const router = fromFixture('inworld')

  test.each([
    ['no metadata: the default route', {}, ['openai/gpt-4o-mini']],
    ['one half of a condition', { metadata: { tier: 'premium', seats: 3 } }, ['openai/gpt-4o-mini']],
    [
      'the messages; an ignored provider is out, the ordered one first',
      { says: 'My contract?' },
      ['google/gemini-2.5-pro', 'openai/gpt-4o'],
    ],
  ])('%s', (_, request: Request, order) => expect(router.order(request)).toEqual(order))

  test('the first match wins; variants are dealt 80 to 20, and a user keeps theirs', () => {
    const metadata = { tier: 'premium', seats: 4 }
    const ask = (i: number) => ({ metadata, says: 'contract', user: `u${i}`, session: `s${i}` })
    const shares = router.shares(ask)
    expect(shares['openai/gpt-4o']).toBeCloseTo(0.8, 1)
    expect(shares['anthropic/claude-sonnet-4-5']).toBeCloseTo(0.2, 1)
    for (let i = 0; i < 50; i++)
      expect(router.order(ask(i))).toEqual(router.order({ ...ask(i), session: 'x' }))
  })

  test('parameters go along, and what is lost is said', () => {
    const target = usable(router.decide({ metadata: { tier: 'premium', seats: 4 }, user: 'u1' }))[0]
    expect(router.text).toContain('temperature: 0.4')
    expect(target).toBeDefined()
    expect(router.notes).toContain('routes.0.route.variants.1.variant.message_templates')
    expect(router.text).toContain('sort:')
  })
})

describe('a Portkey config', () => {
  const router = fromFixture('portkey')
  const big = ['openai/gpt-4o', 'anthropic/claude-sonnet-4-5']
  const small = ['openai/gpt-4o-mini']

  test.each([
    ['both of a query hold: the fallback in its order', { plan: 'paid', seats: 12 }, big],
    ['numbers that came as text are compared as numbers', { plan: 'paid', seats: '10' }, big],
    ['one of them does not', { plan: 'paid', seats: 9 }, small],
    ['nothing was sent: the default', {}, small],
    ['a text that the pattern does not find', { 'user-email': 'a@example.com' }, small],
  ])('%s', (_, metadata, order) =>
    expect(router.order({ metadata }).map((id) => id.replace(/^openai-\d/, 'openai'))).toEqual(order),
  )

  test.each([{ region: 'uk' }, { 'user-email': 'a@example.org' }])(
    '%j: 3 to 1, then the fallback',
    (metadata) => {
      const shares = router.shares((i) => ({ metadata, session: `s${i}` }))
      expect(shares['azure-openai/gpt-4o-mini']).toBeCloseTo(0.75, 1)
      expect(shares['groq/llama-3.3-70b']).toBeCloseTo(0.25, 1)
      expect(router.order({ metadata }).slice(1)).toEqual(['openai/gpt-4o-mini'])
    },
  )

  test('what cannot be said is told', () => {
    expect(router.notes).toEqual(
      expect.arrayContaining([
        'cache',
        'strategy.conditions.2',
        'targets.2.retry',
        'targets.0.strategy.on_status_codes',
      ]),
    )
  })

  test('$ne and $nin hold where the value is missing', () => {
    const query = { 'metadata.a': { $ne: 'x' }, 'metadata.b': { $nin: ['y'] } }
    const target = (name: string) => ({ name, provider: 'openai', override_params: { model: name } })
    // biome-ignore lint/suspicious/noThenProperty: Portkey's own name for it
    const conditions = [{ query, then: 'yes' }]
    const strategy = { mode: 'conditional', conditions, default: 'no' }
    const made = imported({ strategy, targets: [target('yes'), target('no')] }, 'portkey')
    const table = [{}, { a: 'z', b: 'z' }, { a: 'x' }, { b: 'y' }].map(
      (metadata) => made.order({ metadata })[0],
    )
    expect(table).toEqual(['openai/yes', 'openai/yes', 'openai/no', 'openai/no'])
  })
})

describe('a LiteLLM configuration', () => {
  const router = fromFixture('litellm')
  const claude = ['bedrock/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5']

  test.each([
    ['claude', [...claude, 'azure/gpt-4o-eu', 'azure-2/gpt-4o-us', 'openai/gpt-4o-mini']],
    ['small', ['openai/gpt-4o-mini', ...claude]],
    ['fast', ['openai/gpt-4o-mini', ...claude]],
  ])('%s: lowest order first, then the group’s fallbacks', (model, order) =>
    expect(router.order({ model })).toEqual(order),
  )

  test('rpm 900 and 100 are nine to one; the other deployment follows, then the fallback group', () => {
    const shares = router.shares((i) => ({ model: 'gpt-4o', session: `s${i}` }))
    expect(shares['azure/gpt-4o-eu']).toBeCloseTo(0.9, 1)
    expect(shares['azure-2/gpt-4o-us']).toBeCloseTo(0.1, 1)
    expect(router.order({ model: 'gpt-4o' }).slice(2)).toEqual(claude)
  })

  test('each endpoint is a provider with a reference to its key', () => {
    expect(router.providers).toEqual({
      azure: { type: 'openai', baseUrl: 'https://eu.example.com/', apiKey: `\${AZURE_EU_KEY}` },
      'azure-2': { type: 'openai', baseUrl: 'https://us.example.com/', apiKey: `\${AZURE_2_API_KEY}` },
    })
    expect(router.notes).toEqual(expect.arrayContaining(['router_settings.num_retries', 'general_settings']))
    expect(router.text).toContain('onContextOverflow:')
  })
})

describe('an OpenRouter request', () => {
  const router = fromFixture('openrouter')

  test('models in their order, suffixes kept, preferences with every call', () => {
    expect(router.order({})).toEqual([
      'openrouter/anthropic/claude-sonnet-4.5:nitro',
      'openrouter/openai/gpt-4o',
      'openrouter/meta-llama/llama-3.3-70b-instruct:floor',
    ])
    const route = loadPipelines({ files: [join(folder, 'openrouter.yaml')] }).default.llm.routes[0]
    const use = route?.use
    expect(use?.type === 'list' && use.targets[1]?.params).toEqual({
      temperature: 0.5,
      provider: {
        order: ['google-vertex', 'azure'],
        ignore: ['deepinfra'],
        allow_fallbacks: false,
        sort: 'latency',
        max_price: { prompt: 3, completion: '15' },
      },
    })
    expect(router.notes).toEqual(expect.arrayContaining(['provider.x_key', 'messages']))
  })
})

describe('hostile documents', () => {
  const hostile = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        'fallback',
        'conditional',
        'loadbalance',
        'gpt-4o',
        'openai/gpt-4o',
        '__proto__',
        'a"b\n# c',
        '',
        -1,
        1e300,
        null,
        true,
      ),
      fc.string(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom(
          ...[
            'model_list',
            'model_name',
            'litellm_params',
            'model',
            'models',
            'routes',
            'route',
            'variants',
            'variant',
            'weight',
          ],
          ...[
            'condition',
            'defaultRoute',
            'strategy',
            'mode',
            'targets',
            'override_params',
            'provider',
            'conditions',
            'query',
            'then',
          ],
          ...[
            '$or',
            'metadata.__proto__',
            'constructor',
            '__proto__',
            'router_settings',
            'fallbacks',
            'default',
            'sort',
            'order',
            'name',
          ],
        ),
        tie('value'),
        { maxKeys: 6 },
      ),
    ),
  })).value

  test('are refused, or become a pipeline that loads', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...FORMATS), (doc, format) => {
        try {
          imported(doc, format)
        } catch (error) {
          expect(error).toBeInstanceOf(NotImportable)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('a secret anywhere but in a name does not reach the output', () => {
    const secret = 'Zq9-the-secret'
    const spots = [
      'api_key',
      'virtual_key',
      'custom_host',
      'api_base',
      'headers',
      'max_tokens',
      'extra',
      'organization',
      'cache',
    ]
    const forms = [
      secret,
      { token: secret },
      [secret],
      `https://u:${secret}@example.com`,
      `https://example.com/?key=${secret}`,
    ]
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...spots), fc.constantFrom(...forms)), (bad) => {
        const params = { model: 'openai/gpt-4o', ...bad }
        const documents: Record<Format, unknown> = {
          inworld: {
            ...bad,
            defaultRoute: {
              ...bad,
              variants: [{ ...bad, variant: { ...bad, model_id: 'openai/a', text_generation_config: bad } }],
            },
          },
          portkey: { ...bad, provider: 'openai', override_params: params },
          litellm: {
            ...bad,
            model_list: [{ ...bad, model_name: 'a', litellm_params: params }],
            router_settings: bad,
          },
          openrouter: { ...params, provider: { ...bad, order: ['azure'] } },
        }
        for (const format of FORMATS) {
          const { text, notCarried } = imported(documents[format], format)
          expect(text + JSON.stringify(notCarried)).not.toContain(secret)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('fallbacks in a circle, a tree without end, ten thousand routes', () => {
    const circle = {
      model_list: ['a', 'b'].map((n) => ({ model_name: n, litellm_params: { model: n } })),
      router_settings: { fallbacks: [{ a: ['b', 'a'] }, { b: ['a'] }] },
    }
    expect(imported(circle, 'litellm').order({ model: 'a' })).toEqual(['openai/a', 'openai/b'])
    let tree: unknown = { provider: 'openai', override_params: { model: 'x' } }
    for (let i = 0; i < 2000; i++) tree = { strategy: { mode: 'fallback' }, targets: [tree] }
    expect(() => importDocument(tree, 'portkey')).toThrow(NotImportable)
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      model_name: `m${i}`,
      litellm_params: { model: 'x' },
    }))
    const one = many.map((_, i) => ({ model_name: 'm', litellm_params: { model: `x${i}` } }))
    const crowd = imported({ model_list: one }, 'litellm')
    expect(crowd.pipeline.llm.routes[0]?.variants).toHaveLength(16)
    expect(crowd.notCarried.map(({ why }) => why).join()).toMatch(
      /16 variants.*16 targets|16 targets.*16 variants/,
    )
    expect(imported({ model_list: many }, 'litellm').pipeline.llm.routes).toHaveLength(64)
  })
})

describe('parley import', () => {
  test.each(FORMATS)(
    '%s: what it writes passes parley check; a second time it is refused',
    async (format) => {
      const out = join(folder, `${format}-out.yaml`)
      const context = new MemoryContext()
      const args = ['import', fixture(FILES[format]), '--out', out, '--name', `from-${format}`]
      expect(await run(args, context)).toBe(0)
      expect(context.err).toMatch(/not carried over: \w+\.(json|yaml):\d+: /)
      expect(readFileSync(out, 'utf8') + context.err).not.toContain('not-to-be-seen')
      const check = new MemoryContext()
      expect([await run(['check', out], check), check.out]).toEqual([0, expect.stringContaining('Good:')])
      expect(await run(args, new MemoryContext())).toBe(1)
      expect(await run([...args, '--force'], new MemoryContext())).toBe(0)
    },
  )

  test('lines are the source’s', async () => {
    const context = new MemoryContext()
    await run(['import', fixture('portkey.json')], context)
    const lines = readFileSync(fixture('portkey.json'), 'utf8').split('\n')
    const line = lines.findIndex((one) => one.includes('"cache"')) + 1
    expect(context.err).toContain(`portkey.json:${line}: cache: has no counterpart`)
    expect(context.out).toMatch(/^# Imported from portkey.json \(portkey\)\./)
  })

  test('what cannot be read ends with 1', async () => {
    const broken = join(folder, 'broken.json')
    for (const text of ['{', '[1]', '{"a": 1}', '']) {
      writeFileSync(broken, text)
      expect(await run(['import', broken], new MemoryContext())).toBe(1)
    }
    expect(await run(['import', join(folder, 'none.json')], new MemoryContext())).toBe(1)
  })
})
