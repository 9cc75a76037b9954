/** Inworld's own SDK against our double. */
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedHttpDouble, serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { markOf } from '../../src/testing/tts/double.ts'
import { FakeInworld, INWORLD_KEY } from '../../src/testing/tts/inworld.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Timestamps {
  readonly wordAlignment?: { readonly words: string[]; readonly wordEndTimeSeconds: number[] }
}

interface Client {
  stream(options: object): AsyncIterable<Uint8Array>
  streamWithTimestamps(options: object): AsyncIterable<{ audio: Uint8Array; timestamps?: Timestamps }>
}

interface Sdk {
  readonly InworldTTS: (options: object) => Client
}

describeSdk('@inworld/tts', () => {
  let served: ServedHttpDouble | undefined
  afterEach(() => served?.close())

  async function connect(apiKey = INWORLD_KEY) {
    const double = new FakeInworld({ clock: realClock, everyMs: 1 })
    served = await serveHttpDouble(double.http)
    const { InworldTTS } = await loadSdk<Sdk>('@inworld/tts')
    return { double, client: InworldTTS({ apiKey, baseUrl: served.url, maxRetries: 0 }) }
  }

  const text = 'Hello there, you.'
  const asked = { text, voice: 'Ashley', model: 'inworld-tts-1.5-max', encoding: 'PCM', sampleRate: 16_000 }
  const wanted = Buffer.alloc(text.length * 50 * 32, markOf(text))

  test('sound in chunks', async () => {
    const { double, client } = await connect()
    const chunks: Uint8Array[] = []
    for await (const chunk of client.stream(asked)) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(wanted)
    expect(double.mistakes).toEqual([])
  })

  test('sound with the times of its words', async () => {
    const { double, client } = await connect()
    const words: string[] = []
    const chunks: Uint8Array[] = []
    let endsAt = 0
    for await (const { audio, timestamps } of client.streamWithTimestamps({
      ...asked,
      timestampType: 'WORD',
    })) {
      chunks.push(audio)
      words.push(...(timestamps?.wordAlignment?.words ?? []))
      endsAt = timestamps?.wordAlignment?.wordEndTimeSeconds.at(-1) ?? endsAt
    }
    expect(Buffer.concat(chunks)).toEqual(wanted)
    expect(words.join(' ')).toBe(text)
    expect(endsAt).toBeCloseTo(text.length * 0.05)
    expect(double.mistakes).toEqual([])
  })

  test('its refusals are errors of the SDK', async () => {
    const { double, client } = await connect('d3Jvbmc=')
    const read = async (one: Client, more: object) => {
      for await (const _ of one.stream({ ...asked, ...more }));
    }
    await expect(read(client, {})).rejects.toMatchObject({ name: 'ApiError', code: 401 })
    const known = (await loadSdk<Sdk>('@inworld/tts')).InworldTTS({
      apiKey: INWORLD_KEY,
      baseUrl: served!.url,
      maxRetries: 0,
    })
    await expect(read(known, { speakingRate: 9 })).rejects.toMatchObject({ name: 'ApiError', code: 400 })
    expect(double.mistakes).toEqual(['speakingRate'])
  })
})
