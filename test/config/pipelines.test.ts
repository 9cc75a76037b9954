import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkAvailable } from '../../src/config/available.ts'
import { voiceFor } from '../../src/config/pipeline.ts'
import { pipelineJsonSchema } from '../../src/config/pipeline-schema.ts'
import { loadPipeline, loadPipelines } from '../../src/config/pipeline-set.ts'
import { ConfigError, formatProblem } from '../../src/config/problem.ts'
import { parseTarget } from '../../src/config/target.ts'
import { missingRows } from './doc-rows.ts'
import { WHOLE_CONTRACT } from './whole-contract.ts'

function said(text: string): string[] {
  return loadPipeline(text, 'p.yaml').problems.map(formatProblem)
}

function folder(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'parley-pipelines-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
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

describe('a pipeline file', () => {
  test('with a name alone gets every default', () => {
    const { loaded, problems } = loadPipeline('name: small', 'p.yaml')
    expect(problems).toEqual([])
    expect(loaded?.pipeline).toMatchObject({
      name: 'small',
      language: null,
      greeting: null,
      idle: null,
      turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 },
      interruption: { minSpeechMs: 200, minWords: 0, ignore: [] },
      clientMay: ['instructions', 'voice', 'tools'],
      budget: { turnMs: 1500, ladder: [] },
    })
    const targets = loaded?.pipeline.llm.routes[0]?.use
    expect(targets).toMatchObject({
      type: 'list',
      targets: [{ id: 'local/smollm2' }, { id: 'local/scripted' }],
    })
  })

  test('may hedge the model; a hedge of another stage is refused, not passed over', () => {
    const routes = '{ routes: [{ name: any, use: [a/b, c/d], hedge: { after: p95 } }] }'
    expect(said(`name: p\nllm: ${routes}\n`)).toEqual([])
    for (const stage of ['stt', 'tts']) {
      expect(said(`name: p\n${stage}: ${routes}\n`)).toEqual([
        expect.stringMatching(/^p\.yaml:2:47: hedging/),
      ])
    }
  })

  test('may hold everything the contract writes; what is not done yet is said', () => {
    const { loaded } = loadPipeline(WHOLE_CONTRACT, 'p.yaml')
    expect(loaded?.pipeline.llm.routes).toMatchObject([
      { name: 'premium', hedge: { after: 'p95', maxShare: 0.1 } },
      {
        name: 'greeting-test',
        use: {
          type: 'experiment',
          experiment: 'greeting',
          sticky: 'session.user',
          variants: [
            { id: 'control', weight: 90 },
            { id: 'candidate', use: { targets: [{ id: 'openai/gpt-4o', params: { temperature: 0.3 } }] } },
          ],
        },
      },
      { name: 'any', use: { type: 'list', sort: ['latency', 'price'] } },
    ])
    const problems = said(WHOLE_CONTRACT)
    const errors = problems.filter((line) => !line.includes('warning'))
    expect(errors).toEqual([])
  })

  test('whose last route is an experiment takes everything by it, and nothing before is unreachable', () => {
    const text = (routes: string) => `name: p\nllm: { routes: [${routes}] }\n`
    const test = '{ name: test, variants: [{ id: a, weight: 100, use: [x/a] }] }'
    expect(said(text(`{ name: first, when: "true", use: [x/b] }, ${test}`))).toEqual([])
    expect(said(text(`${test}, { name: any, use: [x/b] }`)).join()).toContain(
      'any is never reached: test takes everything',
    )
  })

  test('whose condition cannot hold is an error at the very character', () => {
    const text = [
      'name: p',
      'llm:',
      '  routes:',
      '    - name: a',
      '      when: \'turn.txt == "x"\'',
      '      use: [a/b]',
      '    - { name: c, when: turn.words + "a" > 1, use: [a/b] }',
      '    - { name: b, use: [a/b] }',
    ]
    expect(said(text.join('\n'))).toEqual([
      expect.stringMatching(/^p\.yaml:5:18: when: turn\.txt is not known; did you mean text/),
      expect.stringMatching(/^p\.yaml:7:35: when: \+ cannot be applied to int, string/),
    ])
  })

  test('a manual pipeline says turnDetection: null', () => {
    expect(loadPipeline('name: p\nturnDetection: null', 'p.yaml').loaded?.pipeline.turnDetection).toBeNull()
  })

  test('is frozen to the bottom, and knows no voice called constructor', () => {
    const pipeline = loadPipeline('name: p\nvoice: a\nvoices: { a: { local: slt } }', 'p.yaml').loaded
      ?.pipeline
    if (!pipeline) throw new Error('not loaded')
    expect(Object.isFrozen(pipeline.llm.routes[0]?.use)).toBe(true)
    expect(voiceFor(pipeline, 'a', 'local')).toBe('slt')
    expect(voiceFor(pipeline, 'constructor', 'name')).toBeUndefined()
    expect(voiceFor(pipeline, 'a', 'toString')).toBeUndefined()
  })
})

describe('a mistake is pointed at', () => {
  const cases: [string, string, string][] = [
    [
      'unknown member',
      'name: p\nturn_detection: {}',
      'p.yaml:2:1: turn_detection is not known; did you mean turnDetection?',
    ],
    [
      'unknown member deep inside',
      'name: p\nbudget:\n  turnMS: 5',
      'p.yaml:3:3: budget.turnMS is not known; did you mean turnMs?',
    ],
    ['nothing near', 'name: p\nzebra: 1', 'p.yaml:2:1: zebra is not known'],
    [
      'wrong type',
      'name: p\nbudget: { turnMs: fast }',
      'p.yaml:2:19: budget.turnMs must be a number, not text',
    ],
    [
      'number where text belongs',
      'name: p\nvoice: 3',
      'p.yaml:2:8: voice must be text, not a number (put it in quotes)',
    ],
    ['missing name', 'voice: x', 'p.yaml:1:1: name is missing'],
    [
      'out of range',
      'name: p\nturnDetection: { threshold: 3 }',
      'p.yaml:2:29: turnDetection.threshold must be at most 1',
    ],
    [
      'a target without slash',
      'name: p\nllm: { routes: [{ name: a, use: [gpt] }] }',
      'p.yaml:2:34: llm.routes[0].use[0] wants provider/model, without spaces',
    ],
    [
      'an enum slip',
      'name: p\nclientMay: [voise]',
      'p.yaml:2:13: clientMay[0] must be one of instructions, voice, tools, model; did you mean voice?',
    ],
    [
      'a tool of no known type',
      'name: p\ntools: [{ type: htp, name: t }]',
      'p.yaml:2:17: tools[0].type must be one of http, mcp; did you mean http?',
    ],
    [
      'neither list nor map',
      'name: p\nllm: { routes: [{ name: a, use: 3 }] }',
      'p.yaml:2:33: llm.routes[0].use must be a list or a map of members, not a number',
    ],
    [
      'last route with a condition',
      "name: p\nllm: { routes: [{ name: a, when: 'x', use: [a/b] }] }",
      'p.yaml:2:16: llm.routes must end with a route without `when`, for all the rest',
    ],
    [
      'hedge with both thresholds',
      'name: p\nllm: { routes: [{ name: a, use: [a/b], hedge: { after: p95, afterMs: 99 } }] }',
      'p.yaml:2:47: llm.routes[0].hedge wants either afterMs or after',
    ],
  ]
  test.each(cases)('%s', (_name, text, message) => {
    expect(said(text)).toEqual([message])
  })

  test('through an alias, at the place it is used for members that are there', () => {
    const text = 'name: p\nstt: &s { routes: [{ name: a, use: [x] }] }\nllm: *s'
    expect(said(text)).toEqual([
      'p.yaml:2:37: stt.routes[0].use[0] wants provider/model, without spaces',
      'p.yaml:2:37: llm.routes[0].use[0] wants provider/model, without spaces',
    ])
  })

  test('YAML that is none: line and column of the parser, and no piece of the text', () => {
    const [first] = said('name: p\ninstructions: "sk-very-secret\n')
    expect(first).toMatch(/^p\.yaml:\d+:\d+: YAML: /)
    expect(first).not.toContain('sk-very-secret')
  })

  test('the same key twice', () => {
    expect(said('name: p\nname: q')).toEqual([expect.stringMatching(/^p\.yaml:2:1: YAML: /)])
  })

  test('a voice that no table knows, and a route nobody reaches, are warnings', () => {
    const text =
      'name: p\nvoice: x\nvoices: { y: { local: slt } }\nllm: { routes: [{ name: a, use: [a/b] }, { name: b, use: [a/b] }] }'
    expect(said(text)).toEqual([
      "p.yaml:2:8: warning: voice x is not in voices, so each provider's own default speaks",
      'p.yaml:4:42: warning: route b is never reached: a takes everything',
    ])
  })

  test('a reference to the environment is not filled in, and said', () => {
    const variable = '$' + '{OPENAI_API_KEY}'
    const { loaded, problems } = loadPipeline(`name: p\ninstructions: "${variable}"`, 'p.yaml')
    expect(loaded?.pipeline.instructions).toBe(variable)
    expect(problems).toMatchObject([{ line: 2, column: 15, severity: 'warning' }])
  })
})

describe('a folder of pipelines', () => {
  test('the one that ships loads without a word and runs on this machine alone', () => {
    const set = loadPipelines({ dir: 'pipelines' })
    expect(set.warnings).toEqual([])
    expect(set.default.name).toBe('default')
    expect(checkAvailable(set, ['local'])).toEqual([])
  })

  test('is found by its names, by router/NAME, and by the default for unknown ones', () => {
    const set = loadPipelines({
      dir: folder({ 'a.yaml': 'name: a', 'b.yml': 'name: b\ndefault: true', 'c.txt': '?' }),
    })
    expect(set.names).toEqual(['a', 'b'])
    expect(set.get('router/a')?.name).toBe('a')
    expect(set.get('inworld/a')?.name).toBe('a')
    expect(set.get('gpt-realtime')).toBeUndefined()
    expect(set.pick('gpt-realtime').name).toBe('b')
    expect(set.pick(null).name).toBe('b')
  })

  test('scripts of local/scripted live beside and are none', () => {
    const dir = folder({ 'a.yaml': 'name: a', 'a.script.yaml': 'rules: []' })
    expect(loadPipelines({ dir }).names).toEqual(['a'])
  })

  test('refuses the same name twice, and two defaults', () => {
    const dir = folder({ 'a.yaml': 'name: same\ndefault: true', 'b.yaml': 'default: true\nname: same' })
    expect(refusal(() => loadPipelines({ dir }))).toEqual([
      '1:10 another pipeline is the default already: same',
      '2:7 a pipeline named same is already in a.yaml',
    ])
  })

  test('refuses to guess which of two is the default', () => {
    const dir = folder({ 'a.yaml': 'name: a', 'b.yaml': 'name: b' })
    expect(refusal(() => loadPipelines({ dir }))).toEqual(['1:1 no pipeline says `default: true`'])
    const files = ['a.yaml', 'b.yaml'].map((name) => join(dir, name))
    expect(loadPipelines({ files }).names).toEqual(['a', 'b'])
  })

  test('says what is wrong in every file at once, in order', () => {
    const dir = folder({ 'a.yaml': 'name: a\nx: 1', 'b.yaml': 'name: [' })
    expect(refusal(() => loadPipelines({ dir }))).toEqual([
      '2:1 x is not known',
      expect.stringMatching(/^1:\d+ YAML: /),
    ])
  })

  test('empty, missing, or a file that is not there: a problem each, not a crash', () => {
    expect(refusal(() => loadPipelines({ dir: folder({}) }))[0]).toContain('no pipeline here')
    expect(refusal(() => loadPipelines({ dir: join(tmpdir(), 'parley-none') }))[0]).toContain(
      'cannot be read',
    )
    expect(refusal(() => loadPipelines({ files: ['nowhere.yaml'] }))[0]).toContain('cannot be read')
  })

  test('a target without a provider is named with its place; a route with none left too', () => {
    const text =
      'name: a\nllm: { routes: [{ name: x, use: [openai/gpt-4o, { target: groq/l, params: {} }] }] }'
    const set = loadPipelines({ dir: folder({ 'a.yaml': text }) })
    const lines = checkAvailable(set, ['local']).map((p) => `${p.line}:${p.column} ${p.message}`)
    expect(lines).toEqual([
      '2:34 openai/gpt-4o is skipped: no provider openai is set up, or it has no credentials',
      '2:49 groq/l is skipped: no provider groq is set up, or it has no credentials',
      '2:34 route x of llm has no target left: its turns will fail',
    ])
    expect(checkAvailable(set, ['local', 'groq'])).toHaveLength(1)
  })
})

test('a target is split at its first slash', () => {
  expect(parseTarget('openrouter/meta/llama-3')).toMatchObject({
    provider: 'openrouter',
    model: 'meta/llama-3',
  })
  for (const bad of ['', 'a', '/a', 'a/', 'a b/c']) expect(parseTarget(bad)).toBeUndefined()
})

test('pipelines/schema.json is what the schema says (renew it: npx parley check --schema)', () => {
  expect(JSON.parse(readFileSync('pipelines/schema.json', 'utf8'))).toEqual(pipelineJsonSchema())
})

test('docs/pipelines.md has a row for every member, with its true default', () => {
  expect(missingRows('docs/pipelines.md', pipelineJsonSchema())).toEqual([])
})
