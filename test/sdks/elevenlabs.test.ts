/**
 * ElevenLabs' own SDK against our double, as far as it goes: version 2.73 has the messages of `multi-stream-input`
 * (types and serializers, made from the API's definition) and no client that speaks them. So the order of messages, the
 * limit of five contexts, time-outs and errors are not validated by it; every single message is, both ways.
 */
import { afterEach, expect, test } from 'vitest'
import { PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Schema {
  parse(raw: unknown): { readonly ok: boolean; readonly value?: unknown; readonly errors?: unknown }
  json(parsed: unknown): { readonly ok: boolean; readonly value?: unknown; readonly errors?: unknown }
}

interface Messages {
  readonly InitializeConnectionMulti: Schema
  readonly SendTextMulti: Schema
  readonly CloseContext: Schema
  readonly CloseSocket: Schema
  readonly KeepContextAlive: Schema
  readonly AudioOutputMulti: Schema
  readonly FinalOutputMulti: Schema
}

describeSdk('@elevenlabs/elevenlabs-js', () => {
  const close: (() => void)[] = []
  afterEach(() => {
    for (const one of close.splice(0)) one()
  })

  async function messages(): Promise<Messages> {
    const loaded = await loadSdk<{ default?: Messages } & Messages>('@elevenlabs/elevenlabs-js/serialization')
    return loaded.default ?? loaded
  }

  function stage() {
    const clock = new VirtualClock()
    const double = new FakeElevenLabs({ clock })
    const said: Record<string, unknown>[] = []
    const tapped: DoubleServer = (request) => {
      const answer = double.server(request)
      if (typeof answer !== 'function') return answer
      return (peer) =>
        answer({
          ...peer,
          send: (data) => {
            said.push(JSON.parse(String(data)))
            peer.send(data)
          },
        })
    }
    return { clock, double, said, connect: connectInMemory(tapped).connect }
  }

  test('all our adapter sends, and all our double answers, are its messages', async () => {
    const sdk = await messages()
    const { clock, double, said, connect } = stage()
    const settings = { name: 'elevenlabs', apiKey: ELEVENLABS_KEY, connect }
    const provider = createElevenLabs({ clock, note: () => {} }, settings)
    const { signal } = openScope()
    const opening = { voice: 'anna', format: PCM16_24K, speed: 1.1, signal, clock }
    const stream = await provider.tts!('eleven_flash_v2_5')!.open(opening)
    const reading = (async () => {
      for await (const _ of stream);
    })()
    stream.say({ index: 0, text: 'Hello there.' })
    stream.end()
    // Long enough for a warm context, its keep-alives, and the end of the socket.
    await clock.advance(300_000)
    await reading

    const kinds = { opened: 0, spoken: 0, kept: 0, contexts: 0, sockets: 0 }
    for (const frame of double.frames) {
      if (frame['close_socket'] === true) {
        kinds.sockets++
        expect(sdk.CloseSocket.parse(frame)).toMatchObject({ ok: true, value: { closeSocket: true } })
      } else if (frame['close_context'] === true) {
        kinds.contexts++
        expect(sdk.CloseContext.parse(frame)).toMatchObject({ ok: true, value: { closeContext: true } })
      } else if (frame['text'] === ' ') {
        kinds.opened++
        const value = { text: ' ', voiceSettings: { speed: 1.1 } }
        expect(sdk.InitializeConnectionMulti.parse(frame)).toMatchObject({ ok: true, value })
      } else if (frame['text'] === '') {
        kinds.kept++
        expect(sdk.KeepContextAlive.parse(frame)).toMatchObject({ ok: true })
      } else {
        kinds.spoken++
        const value = { text: 'Hello there. ', flush: true }
        expect(sdk.SendTextMulti.parse(frame)).toMatchObject({ ok: true, value })
      }
    }
    expect(kinds).toMatchObject({ opened: 2, spoken: 1, contexts: 2, sockets: 1 })
    expect(kinds.kept).toBeGreaterThan(10)

    expect(said.filter((message) => message['audio'] !== undefined).length).toBe(6)
    for (const message of said) {
      const schema = message['isFinal'] === true ? sdk.FinalOutputMulti : sdk.AudioOutputMulti
      expect(schema.parse(message)).toMatchObject({ ok: true })
    }
    await provider.close()
  })

  test('what it serializes drives our double', async () => {
    const sdk = await messages()
    const { clock, double, said, connect } = stage()
    const url = 'ws://double/v1/text-to-speech/anna/multi-stream-input?model_id=m&output_format=pcm_16000'
    const headers = { 'xi-api-key': ELEVENLABS_KEY }
    const socket = await connect({ url, headers, signal: openScope().signal })
    close.push(() => socket.terminate())
    const send = (schema: Schema, message: object) => {
      const { ok, value } = schema.json(message)
      expect(ok).toBe(true)
      socket.sendText(JSON.stringify(value))
    }
    send(sdk.InitializeConnectionMulti, { text: ' ', voiceSettings: { stability: 0.5 }, contextId: 'c1' })
    send(sdk.SendTextMulti, { text: 'Hi. ', contextId: 'c1', flush: true })
    send(sdk.KeepContextAlive, { text: '', contextId: 'c1' })
    send(sdk.CloseContext, { contextId: 'c1', closeContext: true })
    await clock.advance(1_000)
    send(sdk.CloseSocket, { closeSocket: true })
    expect((await socket.closed).code).toBe(1000)
    expect(said.at(-1)).toEqual({ isFinal: true, contextId: 'c1' })
    expect(double.mistakes).toEqual([])
  })
})
