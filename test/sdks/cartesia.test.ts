/**
 * Cartesia's own SDK against our double, over TLS, on which it insists. A refused upgrade is not tested through it: it
 * rejects a promise that nobody can hold.
 */
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia, type FakeCartesiaOptions } from '../../src/testing/tts/cartesia.ts'
import { markOf } from '../../src/testing/tts/double.ts'
import { selfSigned } from '../support/certificate.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Answer {
  readonly type: string
  readonly flush_id?: number
  readonly audio?: Uint8Array
  readonly word_timestamps?: { readonly words: string[]; readonly start: number[]; readonly end: number[] }
}

interface Context {
  readonly contextId: string
  push(part: { transcript: string; flush?: boolean }): Promise<void>
  flush(): Promise<void>
  no_more_inputs(): Promise<void>
  cancel(): Promise<void>
  receive(options?: { timeout: number }): AsyncIterable<Answer>
}

interface Sockets {
  connect(): Promise<Sockets>
  context(options: object): Context
  cancelContext(id: string): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
  close(): void
}

interface Sdk {
  readonly default: new (options: {
    readonly apiKey: string
    readonly baseURL: string
  }) => { readonly tts: { websocket(options: object): Promise<Sockets> } }
}

const SETTINGS = {
  model_id: 'sonic-3',
  voice: { mode: 'id', id: 'anna' },
  output_format: { container: 'raw', encoding: 'pcm_s16le', sample_rate: 16_000 },
  language: 'en',
  add_timestamps: true,
  max_buffer_delay_ms: 0,
}

describeSdk('@cartesia/cartesia-js', () => {
  let served: ServedDouble | undefined
  let sockets: Sockets | undefined
  afterEach(async () => {
    sockets?.close()
    await served?.close()
  })

  async function connect(options: Partial<FakeCartesiaOptions> = {}) {
    const certificate = selfSigned()
    const double = new FakeCartesia({ clock: realClock, everyMs: 1, ...options })
    served = await serveDouble(double.server, certificate)
    const { default: Cartesia } = await loadSdk<Sdk>('@cartesia/cartesia-js')
    const client = new Cartesia({ apiKey: CARTESIA_KEY, baseURL: served.url.replace('wss:', 'https:') })
    sockets = await client.tts.websocket({ ca: certificate.cert })
    sockets.on('error', () => {})
    return { double, sockets: await sockets.connect() }
  }

  async function all(context: Context): Promise<Answer[]> {
    const got: Answer[] = []
    for await (const answer of context.receive({ timeout: 5_000 })) got.push(answer)
    return got
  }

  test('two sentences with a flush between: the ids part their sound', async () => {
    const { double, sockets } = await connect()
    const context = sockets.context(SETTINGS)
    await context.push({ transcript: 'Hello there. ' })
    await context.flush()
    await context.push({ transcript: 'How are you? ', flush: true })
    await context.no_more_inputs()
    const answers = await all(context)
    for (const [flush, text] of [
      [1, 'Hello there.'],
      [2, 'How are you?'],
    ] as const) {
      const sound = answers.flatMap((answer) =>
        answer.type === 'chunk' && answer.flush_id === flush ? [...answer.audio!] : [],
      )
      expect(sound.length).toBe(text.length * 50 * 32)
      expect([...new Set(sound)]).toEqual([markOf(text)])
    }
    const words = answers.flatMap((answer) => answer.word_timestamps?.words ?? [])
    expect(words.join(' ')).toBe('Hello there. How are you?')
    expect(answers.filter((answer) => answer.type === 'flush_done').map((answer) => answer.flush_id)).toEqual(
      [1, 2],
    )
    expect(answers.at(-1)?.type).toBe('done')
    expect(double.mistakes).toEqual([])
  })

  test('two contexts at once, one of them cancelled', async () => {
    const { double, sockets } = await connect({ everyMs: 5 })
    const [a, b] = [sockets.context(SETTINGS), sockets.context(SETTINGS)]
    await a.push({ transcript: 'This one is spoken. ' })
    await b.push({ transcript: 'This one is cut. ' })
    await a.no_more_inputs()
    await b.cancel()
    expect((await all(a)).at(-1)?.type).toBe('done')
    await double.heard((frame) => frame['cancel'] === true)
    expect(double.mistakes).toEqual([])
  })

  test('its error is one to the SDK', async () => {
    const { double, sockets } = await connect()
    const context = sockets.context({ ...SETTINGS, output_format: { container: 'mp3' } })
    await context.push({ transcript: 'Hello. ' })
    await expect(all(context)).rejects.toThrow('SECRET-IN-MESSAGE')
    expect(double.mistakes.length).toBe(1)
  })
})
