/** ElevenLabs' own SDK against our double of Scribe: its client of realtime recognition. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Transcript {
  readonly text: string
  readonly words?: readonly { readonly text: string; readonly end: number; readonly type: string }[]
}

interface Connection {
  on(event: string, listener: (message: Transcript & { readonly error?: string }) => void): void
  send(chunk: { readonly audioBase64: string }): void
  commit(): void
  close(): void
}

interface Sdk {
  readonly ElevenLabsClient: new (
    options: object,
  ) => {
    readonly speechToText: { readonly realtime: { connect(options: object): Promise<Connection> } }
  }
}

describeSdk('@elevenlabs/elevenlabs-js', () => {
  let served: ServedDouble | undefined
  afterEach(async () => served?.close())

  async function connect(script: SttScript, more: object = {}) {
    const double = fakeScribe({ clock: realClock, script })
    served = await serveDouble(double.server)
    const { ElevenLabsClient } = await loadSdk<Sdk>('@elevenlabs/elevenlabs-js')
    const client = new ElevenLabsClient({ apiKey: FAKE_KEY, baseUrl: served.url.replace('ws:', 'http:') })
    const connection = await client.speechToText.realtime.connect({
      modelId: 'scribe_v2_realtime',
      audioFormat: 'pcm_16000',
      sampleRate: 16_000,
      commitStrategy: 'manual',
      includeTimestamps: true,
      ...more,
    })
    // What is told by its own name is told as an error, too, and thrown where nobody listens.
    connection.on('error', () => {})
    const next = (event: string) =>
      new Promise<Transcript & { readonly error?: string }>((resolve) => connection.on(event, resolve))
    return { double, connection, next }
  }

  const words = [
    { text: 'Hello', startMs: 100, endMs: 400 },
    { text: 'there.', startMs: 450, endMs: 900 },
  ]
  const chunk = { audioBase64: Buffer.from(sound(PCM16_16K, 100, 'speech')).toString('base64') }

  test('a spoken sentence, committed: its text, then its words', async () => {
    const { double, connection, next } = await connect(
      { words, answerMs: 5 },
      { keyterms: ['Parley'], languageCode: 'en' },
    )
    const [partial, text, timed] = [
      next('partial_transcript'),
      next('committed_transcript'),
      next('committed_transcript_with_timestamps'),
    ]
    await next('session_started')
    for (let i = 0; i < 10; i++) connection.send(chunk)
    connection.commit()
    expect((await partial).text).toMatch(/^Hello/)
    expect((await text).text).toBe('Hello there.')
    expect((await timed).words?.at(-1)).toMatchObject({ text: 'there.', end: 0.9, type: 'word' })
    connection.close()
    await served?.empty()
    expect(double.sessions[0]).toMatchObject({ mistakes: [], messages: ['commit'], audioMs: 1_000 })
  })

  test('too little to commit is told, and the session goes on', async () => {
    const { connection, next } = await connect({ words })
    await next('session_started')
    const throttled = next('commit_throttled')
    connection.send(chunk)
    connection.commit()
    expect((await throttled).error).toBeTruthy()
    const text = next('committed_transcript')
    for (let i = 0; i < 4; i++) connection.send(chunk)
    connection.commit()
    expect((await text).text).toBe('Hello')
    connection.close()
  })

  test('a model it does not have', async () => {
    const { double, next } = await connect({}, { modelId: 'scribe_v0' })
    expect((await next('invalid_request')).error).toBeTruthy()
    expect(double.sessions[0]?.mistakes).toEqual(['model_id is missing or unknown'])
  })
})
