/** Soniox's own SDK against our double. It sends its key in the first message still, which the double takes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Token {
  readonly text: string
  readonly start_ms?: number
  readonly end_ms?: number
  readonly is_final: boolean
}

interface Session {
  on(event: 'token', listener: (token: Token) => void): void
  on(event: 'finalized' | 'endpoint' | 'finished', listener: () => void): void
  on(event: 'error', listener: (error: Error & { readonly statusCode?: number }) => void): void
  connect(): Promise<void>
  sendAudio(audio: Uint8Array): void
  finalize(options?: { readonly trailing_silence_ms: number }): void
  keepAlive(): void
  finish(): Promise<void>
}

interface Sdk {
  readonly RealtimeSttSession: new (key: string, url: string, config: object) => Session
}

const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
]

describeSdk('@soniox/node', () => {
  let served: ServedDouble | undefined
  // Its WebSocket is the platform's, which Node has from 22 on.
  beforeEach(() => {
    if (typeof globalThis.WebSocket !== 'function') vi.stubGlobal('WebSocket', WebSocket)
  })
  afterEach(async () => {
    vi.unstubAllGlobals()
    await served?.close()
  })

  async function session(script: SttScript, more: object = {}, key = FAKE_KEY) {
    const double = fakeSoniox({ clock: realClock, script })
    served = await serveDouble(double.server)
    const { RealtimeSttSession } = await loadSdk<Sdk>('@soniox/node')
    const live = new RealtimeSttSession(key, `${served.url}/transcribe-websocket`, {
      model: 'stt-rt-v5',
      audio_format: 'pcm_s16le',
      sample_rate: 16_000,
      num_channels: 1,
      ...more,
    })
    const tokens: Token[] = []
    live.on('token', (token) => tokens.push(token))
    return { double, live, tokens }
  }

  test('a spoken sentence, finalized, and the end of the audio', async () => {
    const { double, live, tokens } = await session(
      { words: WORDS, answerMs: 5 },
      { language_hints: ['en'], context: { terms: ['Parley'] } },
    )
    const finalized = new Promise<void>((resolve) => live.on('finalized', resolve))
    await live.connect()
    for (let i = 0; i < 10; i++) live.sendAudio(sound(PCM16_16K, 100, 'speech'))
    live.keepAlive()
    live.finalize({ trailing_silence_ms: 100 })
    await finalized
    await live.finish()
    const settled = tokens.filter((token) => token.is_final)
    expect(settled.map(({ text }) => text).join('')).toBe(' Hello there.')
    expect(settled.at(-1)).toMatchObject({ end_ms: 900 })
    expect(tokens.some((token) => !token.is_final)).toBe(true)
    expect(double.sessions[0]).toMatchObject({
      mistakes: [],
      messages: ['keepalive', 'finalize', 'end'],
      audioMs: 1_000,
    })
  })

  test('a turn it ends itself', async () => {
    const [hello, there] = WORDS
    const { double, live } = await session(
      { words: [hello!, { ...there!, endsTurn: 0.6 }] },
      { enable_endpoint_detection: true, max_endpoint_delay_ms: 500, endpoint_sensitivity: 0.2 },
    )
    const ended = new Promise<void>((resolve) => live.on('endpoint', resolve))
    await live.connect()
    for (let i = 0; i < 15; i++) live.sendAudio(sound(PCM16_16K, 100, 'speech'))
    await ended
    await live.finish()
    expect(double.sessions[0]?.mistakes).toEqual([])
  })

  test('a wrong key, and a setting that is none', async () => {
    const wrong = await session({}, {}, 'another-key')
    const refused = new Promise<unknown>((resolve) => wrong.live.on('error', resolve))
    await wrong.live.connect()
    expect(await refused).toMatchObject({ statusCode: 401 })
    await served?.close()

    const strange = await session({}, { max_endpoint_delay_ms: 100 })
    const failed = new Promise<unknown>((resolve) => strange.live.on('error', resolve))
    await strange.live.connect()
    expect(await failed).toMatchObject({ statusCode: 400 })
    expect(strange.double.sessions[0]?.mistakes).toEqual(['max_endpoint_delay_ms is 500 to 3000'])
  })
})
