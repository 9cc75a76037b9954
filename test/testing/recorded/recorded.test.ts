/**
 * A conversation with a provider is recorded over real sockets (the provider is a double here) and said again in memory, on the
 * virtual clock: the adapter gives what it gave.
 */
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { type Clock, realClock, VirtualClock } from '../../../src/clock.ts'
import { createAssemblyAi } from '../../../src/provider/assemblyai/index.ts'
import { createCartesia } from '../../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../../src/provider/elevenlabs/index.ts'
import { createGladia } from '../../../src/provider/gladia/index.ts'
import { createHume } from '../../../src/provider/hume/index.ts'
import { createInworld } from '../../../src/provider/inworld/index.ts'
import { createOpenAi } from '../../../src/provider/openai/index.ts'
import { createRime } from '../../../src/provider/rime/index.ts'
import { createSoniox } from '../../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../../src/provider/speechmatics/index.ts'
import type { Provider, ProviderDeps } from '../../../src/stage/provider.ts'
import * as doubles from '../../../src/testing/index.ts'
import { sound } from '../../support/stages.ts'

// biome-ignore lint/suspicious/noExplicitAny: each takes its own settings, all of them what a double's entry has.
type Create = (deps: ProviderDeps, settings: any) => Provider

const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900, endsTurn: 0.95 },
]
const script = { words: WORDS, answerMs: 5 }
const stt = (make: (options: { script: typeof script }) => doubles.Double) => () => make({ script })
const RECOGNISERS: [string, () => doubles.Double, Create, string][] = [
  ['Deepgram', stt(doubles.fakeDeepgram), createDeepgram, 'nova-3'],
  ['Flux', stt(doubles.fakeFlux), createDeepgram, 'flux-general-en'],
  ['AssemblyAI', stt(doubles.fakeAssemblyAi), createAssemblyAi, 'universal-streaming-english'],
  ['Soniox', stt(doubles.fakeSoniox), createSoniox, 'stt-rt-v4'],
  ['Scribe', stt(doubles.fakeScribe), createElevenLabs, 'scribe_v2_realtime'],
  ['Speechmatics', stt(doubles.fakeSpeechmatics), createSpeechmatics, 'enhanced'],
  ['Gladia', stt(doubles.fakeGladia), createGladia, 'solaria-1'],
  ['OpenAI', stt(doubles.fakeOpenAiRealtime), createOpenAi, 'gpt-4o-transcribe'],
]
const VOICES: [string, () => doubles.Double, Create, string][] = [
  ['ElevenLabs', () => doubles.fakeElevenLabs({ firstAudioMs: 5 }), createElevenLabs, 'eleven_flash_v2_5'],
  ['Cartesia', () => doubles.fakeCartesia({ firstAudioMs: 5 }), createCartesia, 'sonic-3'],
  ['Aura', () => doubles.fakeSpeak({ firstAudioMs: 5 }), createDeepgram, 'aura-2'],
  ['Rime', () => doubles.fakeRime({ firstAudioMs: 5 }), createRime, 'mistv2'],
  ['Soniox', () => doubles.fakeSonioxVoices({ firstAudioMs: 5 }), createSoniox, 'tts-rt-preview'],
  ['Hume', () => doubles.fakeHume({ firstAudioMs: 5 }), createHume, 'octave-2'],
  ['Inworld', () => doubles.fakeInworld({ firstAudioMs: 5 }), createInworld, 'inworld-tts-1'],
  ['/audio/speech', () => doubles.fakeSpeech({ firstAudioMs: 5 }), createOpenAi, 'tts-1'],
]

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

interface Rig {
  readonly provider: Provider
  readonly clock: Clock
}

/** Runs it against the double with the recorder between; returns the recording and what it gave. */
async function recorded<T>(double: doubles.Double, create: Create, act: (rig: Rig) => Promise<T>) {
  const started = await doubles.startDouble(double)
  open.push(started)
  const { settings } = started
  let text = ''
  const write = (line: string) => {
    text += line
  }
  const recorder = await doubles.recordProvider({
    entry: { ...settings, baseUrl: settings.baseUrl ?? started.url },
    write,
  })
  open.push(recorder)
  const provider = create({ clock: realClock, note: () => {} }, { name: 'it', ...recorder.settings })
  open.push(provider)
  const gave = await act({ provider, clock: realClock })
  expect(started.mistakes).toEqual([])
  return { text, gave, key: settings.apiKey ?? '' }
}

async function replayed<T>(text: string, create: Create, act: (rig: Rig) => Promise<T>) {
  const clock = new VirtualClock()
  const double = doubles.replayOf(text, { clock })
  const { connect, dispatcher } = doubles.inMemory(double)
  const settings = { name: 'it', ...double.settingsAt('http://replay.test'), connect, dispatcher }
  const provider = create({ clock, note: () => {} }, settings)
  open.push(provider)
  let gave: T | undefined
  void act({ provider, clock }).then((it) => {
    gave = it
  })
  for (let n = 0; n < 600 && gave === undefined; n++) await clock.advance(20)
  return { gave, double }
}

const hears = (model: string) => async (rig: Rig) => {
  const { provider, clock } = rig
  const adapter = provider.stt!(model)!
  const format = adapter.caps.inputs[0]!
  const stream = await adapter.open({ format, signal: openScope().signal, clock })
  for (let at = 0; at < 1_000; at += 20) stream.write(sound(format, 20, 'speech'))
  stream.finalize()
  for await (const event of stream) {
    if (event.type !== 'final') continue
    await stream.close()
    return event.text
  }
  throw new Error('no final')
}

const says =
  (model: string, text = 'Hello there, my friend.') =>
  async ({ provider, clock }: Rig) => {
    const adapter = provider.tts!(model)!
    const { signal } = openScope()
    const stream = await adapter.open({ voice: 'anna', format: adapter.caps.outputs[0]!, signal, clock })
    stream.say({ index: 0, text })
    stream.end()
    const audio: Uint8Array[] = []
    for await (const event of stream) if (event.type === 'audio') audio.push(event.audio)
    return Buffer.concat(audio).toString('base64')
  }

describe('a recogniser of a recording hears what it heard', () => {
  test.each(RECOGNISERS)('%s', async (_, make, create, model) => {
    const { text, gave, key } = await recorded(make(), create, hears(model))
    expect(gave).toBe('Hello there.')
    expect(text).not.toContain(key)
    const again = await replayed(text, create, hears(model))
    expect(again.double.mistakes).toEqual([])
    expect(again.gave).toBe(gave)
  })
})

describe('a voice of a recording says what it said', () => {
  test.each(VOICES)('%s', async (_, make, create, model) => {
    const { text, gave, key } = await recorded(make(), create, says(model))
    expect(gave.length).toBeGreaterThan(1_000)
    expect(text).not.toContain(key)
    const again = await replayed(text, create, says(model))
    expect(again.double.mistakes).toEqual([])
    expect(again.gave).toBe(gave)
  })
})

test('a model streams what it streamed, to the official SDK', async () => {
  const asks =
    (baseURL: string, apiKey = '') =>
    async () => {
      const client = new OpenAI({ apiKey, baseURL, maxRetries: 0 })
      const pieces: string[] = []
      const messages = [{ role: 'user' as const, content: 'Hi' }]
      const stream = await client.chat.completions.create({ model: 'm', messages, stream: true })
      for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
      return pieces
    }
  const started = await doubles.startDouble(
    doubles.fakeOpenAi({ answer: { pieces: ['Grüße ', 'aus ', 'Köln.'] } }),
  )
  open.push(started)
  let text = ''
  const recorder = await doubles.recordProvider({
    entry: { ...started.settings, baseUrl: started.baseUrl },
    write: (line) => {
      text += line
    },
  })
  open.push(recorder)
  const gave = await asks(recorder.settings.baseUrl ?? '', started.settings.apiKey)()
  expect(gave.join('')).toBe('Grüße aus Köln.')
  expect(text).not.toContain(started.settings.apiKey)
  const again = await doubles.startDouble(doubles.replayOf(text))
  open.push(again)
  expect((await asks(again.baseUrl, 'any')()).join('')).toBe('Grüße aus Köln.')
  expect(again.mistakes).toEqual([])
})

test('a refusal is recorded, and refuses again', async () => {
  const attempt = async (rig: Rig) => hears('nova-3')(rig).catch((error: unknown) => error)
  const double = doubles.fakeDeepgram({ script: { fault: 'refuse_429' } })
  const { text, gave } = await recorded(double, createDeepgram, attempt)
  expect(gave).toMatchObject({ kind: 'rate' })
  const again = await replayed(text, createDeepgram, attempt)
  expect(again.gave).toMatchObject({ kind: 'rate' })
})

test('what was not recorded is held against the client: another address, another message', async () => {
  const { text } = await recorded(doubles.fakeRime({ firstAudioMs: 5 }), createRime, says('mistv2'))
  const double = doubles.replayOf(text)
  const { connect } = doubles.inMemory(double)
  const { signal } = openScope()
  await expect(connect({ url: 'ws://replay.test/ws4', signal })).rejects.toMatchObject({ status: 404 })
  const path = (JSON.parse(text.split('\n')[1]!) as { socket: string }).socket
  const headers = { authorization: 'Bearer anything' }
  const socket = await connect({ url: `ws://replay.test${path}`, headers, signal })
  socket.sendText('{"words":"Hello"}')
  await Promise.resolve()
  expect(double.mistakes).toEqual([
    'SOCKET /ws4 was not asked for in the recording',
    expect.stringMatching(/^SOCKET \/ws3\?.* was sent \{ words: string \}$/),
  ])
  socket.terminate()
})

test('a later conversation is the next of that address, and after the last the first again', async () => {
  const both = async (rig: Rig) => [
    await says('aura-2', 'Yes.')(rig),
    await says('aura-2', 'No, not at all.')(rig),
  ]
  const { text, gave } = await recorded(doubles.fakeSpeak({ firstAudioMs: 5 }), createDeepgram, both)
  expect(gave[0]).not.toBe(gave[1])
  const again = await replayed(text, createDeepgram, both)
  expect(again.gave).toEqual(gave)
})

describe('a recording', () => {
  const entry = { type: 'deepgram', baseUrl: 'https://api.deepgram.com' }

  test('has no key, no token and no sound of the caller', async () => {
    const { text } = await recorded(
      stt(doubles.fakeOpenAiRealtime)(),
      createOpenAi,
      hears('gpt-4o-transcribe'),
    )
    expect(text).toContain('sound: 2880 bytes')
    expect(text).not.toMatch(/"audio":"[A-Za-z0-9+/]{100}/)
    const gladia = await recorded(stt(doubles.fakeGladia)(), createGladia, hears('solaria-1'))
    expect(gladia.text).toContain('ws://{origin}/v2/live?token=')
    for (const line of gladia.text.split('\n')) expect(line).not.toMatch(/fake-key/)
  })

  test.each([
    ['', 'line 1 is not the head of a recording'],
    ['{"recording":2,"entry":{"type":"x"}}', 'line 1 is not the head of a recording'],
    [
      `{"recording":1,"entry":${JSON.stringify(entry)}}\nnonsense\n{"n":0,"at":0}`,
      'line 2 is no line of a recording',
    ],
  ])('that is none says in which line: %s', (text, message) => {
    expect(() => doubles.replayOf(text)).toThrow(message)
  })

  test('that was cut off in its last line is read as far as it goes', () => {
    const text = `{"recording":1,"entry":${JSON.stringify(entry)}}\n{"n":0,"at":0,"socket":"/v1/listen","hea`
    expect(doubles.replayOf(text).settingsAt('http://127.0.0.1:1')).toMatchObject({ type: 'deepgram' })
  })
})
