/** The specification in its versions: our types against those of real packages, and a package of version 4 that answers as it is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReadableStream } from 'node:stream/web'
import type { createGroq } from '@ai-sdk/groq'
import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ContentPart, ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { aiSdkEntry, aiSdkSettings, createAiSdk } from '../../../src/provider/ai-sdk/index.ts'
import { promptOf } from '../../../src/provider/ai-sdk/prompt.ts'
import type { CallOptions, SpecVersion, StreamPart } from '../../../src/provider/ai-sdk/spec.ts'

type Model<Create extends (options: never) => { languageModel(id: string): unknown }> = ReturnType<
  ReturnType<Create>['languageModel']
>
type V2 = Model<typeof createGroq>
type V3 = Model<typeof createOpenAICompatible>
type OptionsOf<M extends V2 | V3> = Omit<Parameters<M['doStream']>[0], 'prompt'>
type Given = Omit<CallOptions, 'prompt' | 'reasoning'>
type PartOf<M extends V2 | V3> = Awaited<
  ReturnType<M['doStream']>
>['stream'] extends import('node:stream/web').ReadableStream<infer P>
  ? Extract<P, { type: StreamPart['type'] }>
  : never

test('what packages are given their types take, and what they give we read (the compiler proves it)', () => {
  const v2 = (given: Given): OptionsOf<V2> => given
  const v3 = (given: Given): OptionsOf<V3> => given
  const parts = (part: PartOf<V2> | PartOf<V3>): StreamPart => part
  expect([v2, v3, parts]).toHaveLength(3)
})

interface Told {
  parts?: unknown[]
  /** What opening throws. */
  error?: unknown
  /** Never opens, whatever the signal says, until it is called. */
  hold?: Promise<void>
  options?: CallOptions
  cancelled?: Promise<void>
}
const shared = globalThis as { toldSpecFour?: Told }

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-ai-sdk-'))
  const home = join(folder, 'node_modules', 'spec-four')
  mkdirSync(home, { recursive: true })
  const manifest = {
    name: 'spec-four',
    type: 'module',
    exports: { '.': { types: './x.d.ts', import: './main.js' } },
  }
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest))
  writeFileSync(
    join(home, 'main.js'),
    `export const createOther = () => { throw new Error('not this one') }
     export function createSpecFour(settings) {
       return (modelId) => ({
         specificationVersion: 'v4', modelId, provider: settings.says + '.chat',
         doStream: (options) => globalThis.toldSpecFour.open(options),
       })
     }`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function answering(told: Told) {
  let onCancel = () => {}
  told.cancelled = new Promise((resolve) => {
    onCancel = resolve
  })
  shared.toldSpecFour = {
    ...told,
    ...{
      async open(options: CallOptions) {
        told.options = options
        await told.hold
        if (told.error) throw told.error
        return {
          stream: new ReadableStream({
            start(controller) {
              for (const part of told.parts ?? []) controller.enqueue(part)
            },
            cancel: () => onCancel(),
          }),
        }
      },
    },
  }
  const settings = { name: 'four', folders: [join(folder, 'deep', 'below')] }
  const members = {
    package: 'spec-four',
    options: { says: 'four', nested: { token: 'secret-of-the-options' } },
  }
  const deps = { clock: realClock, note: () => {} }
  const read = aiSdkSettings({ ...settings, members })
  const provider = createAiSdk(deps, read, aiSdkEntry(deps, read)!)
  return (asked: Partial<ModelRequest> = {}, signal = openScope().signal) =>
    provider.llm!('m')!.stream(
      { messages: [{ role: 'user', text: 'Hi' }], ...asked },
      { signal, clock: realClock },
    )
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

const usage = {
  inputTokens: { total: 10, noCache: 3, cacheRead: 5, cacheWrite: 2 },
  outputTokens: { total: 7, text: 4, reasoning: 3 },
}
const stop = { type: 'finish', finishReason: { unified: 'stop', raw: 'end' }, usage }

describe('a package of version 4, of modules alone', () => {
  test('is found above the folder, its factory by its name, its parts read', async () => {
    const told: Told = {
      parts: [
        { type: 'stream-start', warnings: [] },
        { type: 'ping' },
        { type: 'reasoning-delta', id: '1', delta: 'Hm.' },
        { type: 'tool-call', toolCallId: 's1', toolName: 'web', input: '{}', providerExecuted: true },
        { type: 'text-delta', id: '2', delta: 'Yes.' },
        { type: 'some-part-of-the-future' },
        stop,
      ],
    }
    const ask = answering(told)
    expect(
      await collect(
        ask({ reasoning: { effort: 'low' }, params: { depth: 3, providerOptions: { x: { y: 1 } } } }),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Yes.' },
      {
        type: 'usage',
        usage: { inputTokens: 10, outputTokens: 7, cachedTokens: 5, cacheWriteTokens: 2, reasoningTokens: 3 },
      },
      { type: 'finish', reason: 'stop' },
    ])
    expect(told.options).toMatchObject({
      reasoning: 'low',
      providerOptions: { x: { y: 1 }, four: { depth: 3 } },
    })
    expect(told.options?.abortSignal).toBeInstanceOf(AbortSignal)
  })

  test.each([
    ['interrupted', undefined],
    ['other', undefined],
    ['error', 'failed'],
    ['unknown', 'unknown'],
  ])('an end of the kind %s is none', async (unified, raw) => {
    const ask = answering({
      parts: [
        { type: 'text-delta', id: '1', delta: 'So' },
        { ...stop, finishReason: { unified, raw } },
      ],
    })
    await expect(collect(ask())).rejects.toMatchObject({ kind: 'transient' })
  })

  test('the signature of a call of Gemini comes with it, and goes back with it', async () => {
    const metadata = { google: { thoughtSignature: 'sig' } }
    const call = {
      type: 'tool-call',
      toolCallId: 'c1',
      toolName: 'look',
      input: '{}',
      providerMetadata: metadata,
    }
    const [event] = await collect(answering({ parts: [call, stop] })())
    const signed = { callId: 'c1', name: 'look', arguments: '{}', thoughtSignature: 'sig' }
    expect(event).toEqual({ type: 'toolCall', call: signed })
    expect(promptOf([{ role: 'assistant', text: '', toolCalls: [signed] }], 'v4')).toMatchObject([
      { content: [{ toolCallId: 'c1', providerOptions: metadata }] },
    ])
  })

  const thrown = (name: string, facts: object = {}) =>
    Object.assign(new Error('No: secret-of-the-options, said the caller'), facts, {
      [Symbol.for(`vercel.ai.error.AI_${name}`)]: true,
    })
  const error = { message: 'No secret-of-the-options', code: 'context_length_exceeded' }
  const refusal = { statusCode: 400, responseBody: JSON.stringify({ error }), responseHeaders: {} }
  test.each([
    [thrown('APICallError', refusal), 'bad_request', 'No …'],
    [thrown('APICallError', { statusCode: 402, responseBody: 'no JSON' }), 'quota', undefined],
    [thrown('LoadAPIKeyError'), 'auth', undefined],
    [thrown('UnsupportedFunctionalityError'), 'bad_request', 'No: …, said the caller'],
    [new Error('secret-of-the-options'), 'transient', undefined],
    ['secret-of-the-options', 'transient', undefined],
  ])(
    'what it throws is an error of ours that tells no key and quotes nobody (%#)',
    async (error, kind, told) => {
      const failed = await collect(answering({ error })()).catch((failure: unknown) => failure)
      expect(failed).toMatchObject({ name: 'ProviderError', kind })
      expect(String((failed as Error).message)).not.toMatch(/secret-of|caller/)
      expect((failed as { told?: { message: string } }).told?.message).toBe(told)
      if (error instanceof Error && 'responseHeaders' in error)
        expect(failed).toMatchObject({ declined: 'context_overflow' })
    },
  )

  test('an abort settles at once, though the package does not heed it; what it opens later is closed', async () => {
    let release = () => {}
    const told: Told = { hold: new Promise((resolve) => (release = resolve)), parts: [stop] }
    const ask = answering(told)
    const scope = openScope()
    const reading = collect(ask({}, scope.signal))
    while (told.options === undefined) await new Promise((resolve) => setImmediate(resolve))
    scope.cancel('barge-in')
    await expect(reading).rejects.toMatchObject({ reason: 'barge-in' })
    release()
    await told.cancelled
  })

  test('a stream that says nothing more is closed by an abort', async () => {
    const told: Told = { parts: [{ type: 'text-delta', id: '1', delta: 'So' }] }
    const scope = openScope()
    const reading = (async () => {
      for await (const _ of answering(told)({}, scope.signal)) scope.cancel('hangup')
    })()
    await expect(reading).rejects.toMatchObject({ reason: 'hangup' })
    await told.cancelled
  })
})

describe('what is said in each version', () => {
  const image: ContentPart = {
    type: 'image',
    source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
  }
  const linked: ContentPart = { type: 'image', source: { type: 'url', url: 'https://h/a.png' } }
  const file: ContentPart = {
    type: 'file',
    mediaType: 'application/pdf',
    name: 'a.pdf',
    source: { type: 'base64', data: 'BBBB' },
  }
  const sound: ContentPart = { type: 'audio', format: 'mp3', data: 'CCCC' }
  const said = (version: SpecVersion) =>
    promptOf(
      [{ role: 'user', text: 'See', parts: [{ type: 'text', text: 'See' }, image, linked, file, sound] }],
      version,
    )[0]

  test.each(['v2', 'v3'] as const)('files in %s', (version) => {
    expect(said(version)).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'file', mediaType: 'image/png', data: 'AAAA' },
        { type: 'file', mediaType: 'image/*', data: new URL('https://h/a.png') },
        { type: 'file', mediaType: 'application/pdf', data: 'BBBB', filename: 'a.pdf' },
        { type: 'file', mediaType: 'audio/mpeg', data: 'CCCC' },
      ],
    })
  })

  test('files in v4', () => {
    expect(said('v4')).toMatchObject({
      content: [
        {},
        { data: { type: 'data', data: 'AAAA' } },
        { data: { type: 'url', url: new URL('https://h/a.png') } },
        { data: { type: 'data', data: 'BBBB' }, filename: 'a.pdf' },
        { data: { type: 'data', data: 'CCCC' } },
      ],
    })
  })

  const result = (version: SpecVersion, ...parts: ContentPart[]) =>
    promptOf(
      [
        { role: 'assistant', text: '', toolCalls: [{ callId: 'c1', name: 'look', arguments: 'no json' }] },
        { role: 'tool', callId: 'c1', text: '', parts },
      ],
      version,
    )
  test.each([
    ['v2', { type: 'media', data: 'AAAA', mediaType: 'image/png' }],
    ['v3', { type: 'image-data', data: 'AAAA', mediaType: 'image/png' }],
    ['v4', { type: 'file', data: { type: 'data', data: 'AAAA' }, mediaType: 'image/png' }],
  ] as const)('a picture that a tool gave, in %s', (version, expected) => {
    const [asked, answered] = result(version, image)
    expect(asked).toMatchObject({
      content: [{ type: 'tool-call', toolName: 'look', input: { INVALID_JSON: 'no json' } }],
    })
    expect(answered).toMatchObject({
      content: [{ toolName: 'look', output: { type: 'content', value: [expected] } }],
    })
  })

  test('what cannot be said is refused by its path', () => {
    expect(() => result('v2', linked)).toThrow(expect.objectContaining({ param: 'messages[1].content[0]' }))
    expect(() => promptOf([{ role: 'system', text: '', parts: [image] }], 'v3')).toThrow(
      expect.objectContaining({ param: 'messages[0].content' }),
    )
    expect(() => promptOf([{ role: 'tool', callId: 'c9', text: 'x' }], 'v3')).toThrow(
      expect.objectContaining({ param: 'messages[0]' }),
    )
  })
})
