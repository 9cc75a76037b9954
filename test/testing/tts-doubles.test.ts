import { afterEach, describe, expect, test } from 'vitest'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { Socket } from '../../src/provider/socket.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia } from '../../src/testing/tts/cartesia.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'

const opened: Socket[] = []
afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate()
})

async function dial(server: DoubleServer, url: string, headers: Record<string, string>): Promise<Socket> {
  const socket = await connectInMemory(server).connect({ url, headers, signal: openScope().signal })
  opened.push(socket)
  return socket
}

describe('the double of ElevenLabs refuses', () => {
  const url = 'ws://double/v1/text-to-speech/anna/multi-stream-input?model_id=m&output_format=pcm_16000'
  const open = { text: ' ', context_id: 'a' }

  async function hears(
    frames: readonly object[],
    waitMs = 0,
  ): Promise<{ code: number | undefined; mistakes: string[] }> {
    const clock = new VirtualClock()
    const double = new FakeElevenLabs({ clock })
    const socket = await dial(double.server, url, { 'xi-api-key': ELEVENLABS_KEY })
    let code: number | undefined
    void socket.closed.then((close) => {
      code = close.code
    })
    for (const frame of frames) {
      socket.sendText(JSON.stringify(frame))
      await clock.advance(waitMs)
    }
    await clock.advance(0)
    return { code, mistakes: double.mistakes }
  }

  test.each([
    ['a context that does not begin with a space', [{ text: 'Hello. ', context_id: 'a' }]],
    ['a keep-alive before the context is opened', [{ text: '', context_id: 'a' }]],
    ['text without a space at its end', [open, { text: 'Hello.', context_id: 'a' }]],
    ['names in camel case', [{ text: ' ', contextId: 'a' }]],
    ['no context id', [{ text: ' ' }]],
    [
      'settings that differ',
      [
        { ...open, voice_settings: { speed: 1 } },
        { text: ' ', context_id: 'b' },
      ],
    ],
    ['settings in a later message', [open, { text: 'Hi. ', context_id: 'a', voice_settings: { speed: 1 } }]],
    ['a speed out of range', [{ ...open, voice_settings: { speed: 2 } }]],
    [
      'text after the close',
      [
        open,
        { text: 'Hi. ', context_id: 'a', flush: true },
        { context_id: 'a', close_context: true },
        { text: 'Hi. ', context_id: 'a' },
      ],
    ],
    ['a sixth context', ['a', 'b', 'c', 'd', 'e', 'f'].map((context_id) => ({ text: ' ', context_id }))],
  ])('%s', async (_, frames) => {
    const { code, mistakes } = await hears(frames)
    expect(code).toBe(1008)
    expect(mistakes.length).toBe(1)
  })

  test('text for a context that died of 20 s without any', async () => {
    const spoken = [open, { text: 'Hi. ', context_id: 'a', flush: true }]
    expect((await hears(spoken, 19_000)).mistakes).toEqual([])
    expect((await hears(spoken, 21_000)).code).toBe(1008)
  })

  test('nothing of what is right', async () => {
    const frames = [
      open,
      { text: 'Hi. ', context_id: 'a', flush: true },
      { context_id: 'a', close_context: true },
    ]
    expect(await hears(frames)).toEqual({ code: undefined, mistakes: [] })
  })

  test('a wrong key, a strange path, a format it has not', async () => {
    const { server } = new FakeElevenLabs({ clock: new VirtualClock() })
    const key = { 'xi-api-key': ELEVENLABS_KEY }
    await expect(dial(server, url, { authorization: `Bearer ${ELEVENLABS_KEY}` })).rejects.toMatchObject({
      status: 401,
    })
    await expect(dial(server, 'ws://double/v1/listen', key)).rejects.toMatchObject({ status: 404 })
    await expect(dial(server, url.replace('pcm_16000', 'pcm_16'), key)).rejects.toMatchObject({ status: 400 })
  })
})

describe('the double of Cartesia refuses', () => {
  const url = 'ws://double/tts/websocket?cartesia_version=2026-08-14'
  const first = {
    model_id: 'sonic-3',
    voice: { mode: 'id', id: 'anna' },
    output_format: { container: 'raw', encoding: 'pcm_s16le', sample_rate: 16_000 },
    context_id: 'a',
    max_buffer_delay_ms: 0,
    transcript: 'Hello. ',
    continue: true,
  }

  async function hears(
    frames: readonly object[],
    waitMs = 0,
  ): Promise<{ errors: number; mistakes: string[] }> {
    const clock = new VirtualClock()
    const double = new FakeCartesia({ clock })
    const socket = await dial(double.server, url, { 'x-api-key': CARTESIA_KEY })
    let errors = 0
    void (async () => {
      for await (const message of socket.messages) if (String(message).includes('"type":"error"')) errors++
    })()
    for (const frame of frames) {
      socket.sendText(JSON.stringify(frame))
      await clock.advance(waitMs)
    }
    await clock.advance(0)
    return { errors, mistakes: double.mistakes }
  }

  const end = { ...first, transcript: '', continue: false }
  test.each([
    ['another voice inside a context', [first, { ...first, voice: { mode: 'id', id: 'bert' } }]],
    ['another delay inside a context', [first, { ...first, max_buffer_delay_ms: 5 }]],
    [
      'words glued together',
      [
        { ...first, transcript: 'Hello' },
        { ...first, transcript: 'there' },
      ],
    ],
    ['a flush with words of its own', [{ ...first, flush: true }]],
    ['names in camel case', [{ ...first, modelId: 'x' }]],
    ['no voice', [{ ...first, voice: {} }]],
    ['a rate it has not', [{ ...first, output_format: { ...first.output_format, sample_rate: 12_000 } }]],
    ['no context id', [{ ...first, context_id: undefined }]],
    ['a speed out of range', [{ ...first, generation_config: { speed: 2 } }]],
    ['a cancel with other fields', [first, { context_id: 'a', cancel: true, transcript: '' }]],
  ])('%s', async (_, frames) => {
    const { errors, mistakes } = await hears(frames)
    expect(errors).toBe(1)
    expect(mistakes.length).toBe(1)
  })

  test('a context id used again, after its end or a second after its last sound', async () => {
    expect((await hears([first, end, first], 1_000)).mistakes.length).toBe(1)
    expect((await hears([first, first], 2_000)).mistakes.length).toBe(1)
    expect((await hears([first, first], 1_000)).mistakes).toEqual([])
  })

  test('a wrong key, no version', async () => {
    const { server } = new FakeCartesia({ clock: new VirtualClock() })
    await expect(dial(server, url, { 'x-api-key': 'wrong' })).rejects.toMatchObject({ status: 401 })
    const key = { 'x-api-key': CARTESIA_KEY }
    await expect(dial(server, 'ws://double/tts/websocket', key)).rejects.toMatchObject({ status: 400 })
  })
})
