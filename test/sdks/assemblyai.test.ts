/** AssemblyAI's own SDK against our double, over TLS, on which it insists. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { selfSigned } from '../support/certificate.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Turn {
  readonly turn_order: number
  readonly end_of_turn: boolean
  readonly turn_is_formatted: boolean
  readonly transcript: string
  readonly end_of_turn_confidence: number
  readonly words: readonly { readonly start: number; readonly end: number; readonly text: string }[]
}

interface Transcriber {
  on(event: 'turn', listener: (turn: Turn) => void): void
  on(event: 'close', listener: (code: number, reason: string) => void): void
  on(event: 'error', listener: (error: Error & { code?: number }) => void): void
  on(event: 'heartbeat', listener: (beat: { total_audio_received_ms: number }) => void): void
  connect(): Promise<{ readonly id: string; readonly expires_at: number }>
  sendAudio(audio: Uint8Array): void
  forceEndpoint(): void
  keepAlive(): void
  close(): Promise<void>
}

interface Sdk {
  readonly StreamingTranscriber: new (options: object) => Transcriber
}

describeSdk('assemblyai', () => {
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env
  let served: ServedDouble | undefined
  beforeEach(() => {
    // It takes no certificate of ours.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  })
  afterEach(async () => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    await served?.close()
  })

  async function transcriber(script: SttScript, more: object = {}) {
    const double = fakeAssemblyAi({ clock: realClock, script })
    served = await serveDouble(double.server, selfSigned())
    const { StreamingTranscriber } = await loadSdk<Sdk>('assemblyai')
    const live = new StreamingTranscriber({
      websocketBaseUrl: `${served.url}/v3/ws`,
      apiKey: FAKE_KEY,
      sampleRate: 16_000,
      speechModel: 'universal-streaming-english',
      maxConnectionRetries: 0,
      connectTimeout: 5_000,
      ...more,
    })
    return { double, live }
  }

  const words = [
    { text: 'Hello', startMs: 100, endMs: 400 },
    { text: 'there.', startMs: 450, endMs: 900 },
  ]

  test('a spoken sentence: its end is forced, and comes once, or twice when formatted', async () => {
    for (const formatTurns of [false, true]) {
      const { double, live } = await transcriber(
        { words, answerMs: 5 },
        { formatTurns, sessionHeartbeat: true },
      )
      const turns: Turn[] = []
      const ended = new Promise<void>((resolve) => {
        live.on('turn', (turn) => {
          turns.push(turn)
          if (turn.end_of_turn && turn.turn_is_formatted === formatTurns) resolve()
        })
      })
      const heartbeat = new Promise<number>((resolve) => {
        live.on('heartbeat', (beat) => resolve(beat.total_audio_received_ms))
      })
      const { expires_at } = await live.connect()
      expect(expires_at * 1000).toBeGreaterThan(realClock.wallMs())
      for (let i = 0; i < 10; i++) live.sendAudio(sound(PCM16_16K, 100, 'speech'))
      live.keepAlive()
      live.forceEndpoint()
      await ended
      expect(await heartbeat).toBe(1_000)
      await live.close()

      const last = turns.filter((turn) => turn.end_of_turn)
      expect(last).toHaveLength(formatTurns ? 2 : 1)
      expect(last.at(-1)).toMatchObject({ turn_order: 0, transcript: 'Hello there.' })
      expect(last.at(-1)?.words.at(-1)).toMatchObject({ text: 'there.', start: 450, end: 900 })
      expect(turns.some((turn) => !turn.end_of_turn)).toBe(true)
      const [session] = double.sessions
      expect(session?.mistakes).toEqual([])
      expect(session?.messages).toEqual(['KeepAlive', 'ForceEndpoint', 'Terminate'])
      await served?.close()
    }
  })

  test('a turn it ends itself: by what was said, after the least silence', async () => {
    const [hello, there] = words
    const { double, live } = await transcriber(
      { words: [hello!, { ...there!, endsTurn: 0.5 }] },
      { endOfTurnConfidenceThreshold: 0.4, minTurnSilence: 200, maxTurnSilence: 2_000 },
    )
    const ended = new Promise<Turn>((resolve) => {
      live.on('turn', (turn) => {
        if (turn.end_of_turn) resolve(turn)
      })
    })
    await live.connect()
    for (let i = 0; i < 12; i++) live.sendAudio(sound(PCM16_16K, 100, 'speech'))
    expect(await ended).toMatchObject({ transcript: 'Hello there.', end_of_turn_confidence: 0.5 })
    await live.close()
    expect(double.sessions[0]).toMatchObject({ mistakes: [], messages: ['Terminate'] })
    const asked = double.sessions[0]!.url.searchParams
    expect(asked.get('min_turn_silence') ?? asked.get('min_end_of_turn_silence_when_confident')).toBe('200')
  })

  test('a wrong key is told as 4001', async () => {
    const { live } = await transcriber({ fault: 'refuse_auth' })
    await expect(live.connect()).rejects.toMatchObject({ code: 4001 })
  })

  test('20 ms frames end the session with 3007', async () => {
    const { double, live } = await transcriber({})
    const failed = new Promise<{ code?: number }>((resolve) => live.on('error', resolve))
    await live.connect()
    live.sendAudio(sound(PCM16_16K, 20, 'speech'))
    expect(await failed).toMatchObject({ code: 3007 })
    expect(double.sessions[0]?.mistakes).toEqual(['a frame of 20 ms'])
  })
})
