import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PCM16_16K } from '../../../src/audio/format.ts'
import { realClock } from '../../../src/clock.ts'
import { createLocalProvider, type LocalProvider } from '../../../src/provider/local/index.ts'
import { listModels, modelFolder, modelHome } from '../../../src/provider/local/models/index.ts'
import { adviceOf, missing, present } from '../../../src/provider/local/report.ts'

const deps = { clock: realClock, note: () => {}, scriptsDir: 'nowhere', bring: 'never' } as const
const here = new Set((await listModels()).filter((m) => m.state === 'present').map((m) => m.name))
const vadHere = here.has('silero-vad-v6')
if (!vadHere) console.log('skipped: Silero is not in the model cache; `npx parley models pull` brings it')

let emptyHome: string
beforeAll(async () => {
  emptyHome = await mkdtemp(join(tmpdir(), 'parley-home-'))
})
afterAll(() => rm(emptyHome, { recursive: true }))

test('without voice detection there is no provider, and the error says what is missing', async () => {
  await expect(createLocalProvider({ ...deps, home: emptyHome })).rejects.toMatchObject({
    name: 'ModelUnavailable',
    model: 'silero-vad-v6',
  })
})

describe.skipIf(!vadHere)('with voice detection alone', () => {
  let local: LocalProvider
  beforeAll(async () => {
    const home = await mkdtemp(join(emptyHome, 'vad-'))
    await mkdir(join(home, 'models'))
    await symlink(modelFolder(modelHome(), 'silero-vad-v6'), modelFolder(home, 'silero-vad-v6'))
    local = await createLocalProvider({ ...deps, home })
  })
  afterAll(() => local?.close())

  test('it speaks, and answers by script; what is missing is told with its stand-in', () => {
    expect(local.tts?.('flite')?.id).toBe('local/flite')
    expect(local.stt?.('moonshine-tiny')).toBeUndefined()
    expect(local.llm?.('smollm2')).toBeUndefined()
    const absent = local.report.filter((r) => !r.present)
    expect(absent.map((r) => r.model).sort()).toEqual([
      'moonshine-base',
      'moonshine-tiny',
      'smart-turn-v3.2',
      'smollm2',
    ])
    expect(absent.every((r) => r.reason !== null && r.reason.length > 10)).toBe(true)
    expect(local.advice.join('\n')).toMatch(/Answers come from a script/)
  })
  test("scripts by name: Parley's own default where the folder has none, nothing for an unknown one", () => {
    expect(local.llm?.('scripted')?.id).toBe('local/scripted')
    expect(local.llm?.('scripted/nobody')).toBeUndefined()
    expect(local.llm?.('scripted/../default')).toBeUndefined()
    expect(local.llm?.('gpt')).toBeUndefined()
  })
  test('what it says can be heard', async () => {
    const stream = await local.tts!('flite')!.open({
      voice: 'slt',
      format: PCM16_16K,
      signal: new AbortController().signal,
      clock: realClock,
    })
    stream.say({ index: 0, text: 'Hello.' })
    stream.end()
    let bytes = 0
    for await (const event of stream) if (event.type === 'audio') bytes += event.audio.length
    expect(bytes).toBeGreaterThan(10_000)
  })
})

test('parts may be left out', { skip: !vadHere }, async () => {
  const without = ['smart-turn-v3.2', 'smollm2', 'moonshine-tiny', 'moonshine-base', 'flite'] as const
  const local = await createLocalProvider({ ...deps, without })
  expect(local.report).toEqual([present('silero-vad-v6')])
  expect([local.tts?.('flite'), local.stt?.('moonshine-tiny'), local.llm?.('smollm2')]).toEqual(
    Array(3).fill(undefined),
  )
  await local.close()
})

test('advice names each loss once, and the way to a better model', () => {
  const advice = adviceOf([
    present('silero-vad-v6'),
    missing('smollm2', 'No pip here'),
    missing('moonshine-base', 'x'),
  ])
  expect(advice).toEqual([
    'No pip here. Answers come from a script (local/scripted).',
    expect.stringMatching(/^No language model runs here. .*baseUrl/),
  ])
  expect(adviceOf([present('smollm2')])[0]).toMatch(/^SmolLM2 is a very small/)
})
