/** Deepgram's own SDK against our double of Flux: what it sends is accepted, what it hears it understands. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeFlux } from '../../src/testing/stt/flux.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Message {
  readonly type: string
  readonly event?: string
  readonly turn_index?: number
  readonly sequence_id: number
  readonly transcript?: string
  readonly trigger?: string
  readonly words?: readonly { readonly word: string; readonly start?: number; readonly end?: number }[]
  readonly code?: string
}

interface Live {
  on(event: 'message', listener: (message: Message) => void): void
  on(event: 'close', listener: (close: { code: number }) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  connect(): Live
  waitForOpen(): Promise<unknown>
  sendMedia(audio: Uint8Array): void
  sendForceEndTurn(message: { type: 'ForceEndTurn' }): void
  sendCloseStream(message: { type: 'CloseStream' }): void
  close(): void
}

interface Sdk {
  readonly DeepgramClient: new (
    options: object,
  ) => {
    readonly listen: { readonly v2: { connect(args: object): Promise<Live> } }
  }
}

describeSdk('@deepgram/sdk', () => {
  let served: ServedDouble | undefined
  afterEach(() => served?.close())

  async function connect(script: SttScript) {
    const double = fakeFlux({ clock: realClock, script })
    served = await serveDouble(double.server)
    const { DeepgramClient } = await loadSdk<Sdk>('@deepgram/sdk')
    const environment = { base: served.url, production: served.url, agent: served.url }
    const client = new DeepgramClient({ apiKey: FAKE_KEY, environment })
    const live = await client.listen.v2.connect({
      model: 'flux-general-en',
      encoding: 'linear16',
      sample_rate: 16_000,
      eot_threshold: 0.7,
      eager_eot_threshold: 0.5,
      eot_timeout_ms: 4_000,
      Authorization: `Token ${FAKE_KEY}`,
      reconnectAttempts: 0,
    })
    const messages: Message[] = []
    // It keeps one listener for each kind.
    const over = new Promise<void>((resolve) => {
      live.on('message', (message) => {
        messages.push(message)
        if (message.event === 'EndOfTurn') resolve()
      })
    })
    const closed = new Promise<void>((resolve) => live.on('close', () => resolve()))
    return { double, live, messages, over, closed }
  }

  test('a turn: started, probably over, taken back, over', async () => {
    const words = [
      { text: 'Hello', startMs: 100, endMs: 400, endsTurn: 0.6 },
      { text: 'there.', startMs: 800, endMs: 1_100, endsTurn: 0.9 },
    ]
    const { double, live, messages, over, closed } = await connect({ words, answerMs: 5 })
    live.connect()
    await live.waitForOpen()
    for (let i = 0; i < 20; i++) live.sendMedia(sound(PCM16_16K, 80, 'speech'))
    await over
    live.sendCloseStream({ type: 'CloseStream' })
    await closed
    live.close()

    expect(messages[0]).toMatchObject({ type: 'Connected' })
    const events = messages.flatMap(({ event }) => (event === undefined || event === 'Update' ? [] : [event]))
    expect(events).toEqual(['StartOfTurn', 'EagerEndOfTurn', 'TurnResumed', 'EagerEndOfTurn', 'EndOfTurn'])
    const last = messages.find(({ event }) => event === 'EndOfTurn')
    expect(last).toMatchObject({ transcript: 'Hello there.', turn_index: 0, trigger: 'model' })
    expect(last?.words?.[1]).toMatchObject({ word: 'there.', start: 0.8, end: 1.1 })
    expect(double.sessions[0]).toMatchObject({ mistakes: [], messages: ['CloseStream'], audioMs: 1_600 })
  })

  test('a forced end is no message where it is not enabled: it ends the session', async () => {
    const { double, live, messages, closed } = await connect({})
    live.connect()
    await live.waitForOpen()
    live.sendForceEndTurn({ type: 'ForceEndTurn' })
    await closed
    live.close()
    expect(messages.at(-1)).toMatchObject({ type: 'Error', code: 'UNPARSABLE_CLIENT_MESSAGE' })
    expect(double.sessions[0]?.mistakes).toHaveLength(1)
  })
})
