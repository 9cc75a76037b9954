/** Soniox's own SDK against our double of its voices. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { markOf } from '../../src/testing/tts/double.ts'
import { FakeSonioxVoices, SONIOX_VOICES_KEY } from '../../src/testing/tts/soniox.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Times {
  readonly characters: string[]
}

interface Stream extends AsyncIterable<Uint8Array> {
  on(event: 'audio', listener: (audio: Uint8Array, times?: Times) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'terminated', listener: () => void): void
  sendText(text: string, options?: { end: boolean }): void
  cancel(): void
}

interface Connection {
  stream(input: object): Promise<Stream>
  close(): void
}

interface Sdk {
  readonly RealtimeTtsConnection: new (apiKey: string, url: string) => Connection
}

const text = 'Hello there.'
const asked = {
  model: 'tts-rt-v2',
  language: 'en',
  voice: 'Adrian',
  audio_format: 'pcm_s16le',
  sample_rate: 16_000,
  return_timestamps: true,
}

describeSdk('@soniox/node', () => {
  let served: ServedDouble | undefined
  let connection: Connection | undefined
  // It speaks through the platform's own, which Node 20 has not.
  beforeEach(() => void vi.stubGlobal('WebSocket', WebSocket))
  afterEach(async () => {
    vi.unstubAllGlobals()
    connection?.close()
    await served?.close()
  })

  async function connect(key = SONIOX_VOICES_KEY) {
    const double = new FakeSonioxVoices({ clock: realClock, everyMs: 1 })
    served = await serveDouble(double.server)
    const { RealtimeTtsConnection } = await loadSdk<Sdk>('@soniox/node')
    connection = new RealtimeTtsConnection(key, `${served.url}/tts-websocket`)
    return { double, connection }
  }

  test('a stream with times, and another that is cancelled', async () => {
    const { double, connection } = await connect()
    const stream = await connection.stream(asked)
    const sound: Uint8Array[] = []
    const letters: string[] = []
    stream.on('audio', (audio, times) => {
      sound.push(audio)
      letters.push(...(times?.characters ?? []))
    })
    const over = new Promise<void>((resolve) => stream.on('terminated', resolve))
    stream.sendText(text, { end: true })
    await over
    expect(Buffer.concat(sound)).toEqual(Buffer.alloc(text.length * 50 * 32, markOf(text)))
    expect(letters.join('')).toBe(text)
    const cut = await connection.stream(asked)
    const gone = new Promise<void>((resolve) => cut.on('terminated', resolve))
    cut.sendText('This one is cut off, long before it ends.', { end: true })
    cut.cancel()
    await gone
    expect(double.mistakes).toEqual([])
  })

  test('a wrong key is an error of the SDK', async () => {
    const { connection } = await connect('wrong')
    const stream = await connection.stream(asked)
    const error = new Promise<Error>((resolve) => stream.on('error', resolve))
    expect((await error).name).toBe('AuthError')
  })
})
