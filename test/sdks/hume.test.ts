/** Hume's own SDK against our double of its voices. */
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { markOf } from '../../src/testing/tts/double.ts'
import { FakeHume, type FakeHumeOptions, HUME_KEY } from '../../src/testing/tts/hume.ts'
import { describeSdk, loadSdk } from './installed.ts'

type Output =
  | { readonly type: 'audio'; readonly audio: string; readonly isLastChunk: boolean; readonly text: string }
  | { readonly type: 'timestamp'; readonly timestamp: { readonly text: string; readonly time: object } }

interface Socket {
  on(event: 'message', listener: (message: Output) => void): void
  on(event: 'close', listener: (event: { readonly code: number }) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  waitForOpen(): Promise<unknown>
  sendPublish(message: object): void
  close(): void
}

interface Sdk {
  readonly HumeClient: new (
    options: object,
  ) => { readonly tts: { readonly streamInput: { connect(args: object): Promise<Socket> } } }
}

const text = 'Hello there, my friend.'
const voice = { name: 'Ava Song', provider: 'HUME_AI' }

describeSdk('hume', () => {
  let served: ServedDouble | undefined
  let socket: Socket | undefined
  afterEach(async () => {
    socket?.close()
    await served?.close()
  })

  async function connect(options: Partial<FakeHumeOptions> = {}, apiKey = HUME_KEY) {
    const double = new FakeHume({ clock: realClock, everyMs: 1, ...options })
    served = await serveDouble(double.server)
    const { HumeClient } = await loadSdk<Sdk>('hume')
    const environment = { base: served.url, evi: served.url, tts: `${served.url}/v0/tts`, stream: served.url }
    const client = new HumeClient({ apiKey, environment })
    socket = await client.tts.streamInput.connect({
      version: '2',
      formatType: 'pcm',
      instantMode: true,
      noBinary: true,
      stripHeaders: true,
      includeTimestampTypes: 'word',
      // As it has the key for browsers.
      apiKey,
      reconnectAttempts: 0,
    })
    return { double, socket }
  }

  test.each([{}, { snippets: 'two a text' }] as const)(
    'a sentence with times, to its last chunk: %o',
    async (options) => {
      const { double, socket } = await connect(options)
      const [sound, words]: [Buffer[], string[]] = [[], []]
      const ended = new Promise<number>((resolve) => socket.on('close', ({ code }) => resolve(code)))
      let last = 0
      socket.on('message', (message) => {
        if (message.type === 'timestamp') words.push(message.timestamp.text)
        else {
          sound.push(Buffer.from(message.audio, 'base64'))
          if (message.isLastChunk) last++
        }
      })
      await socket.waitForOpen()
      socket.sendPublish({ text, voice, speed: 1.1, flush: true })
      socket.sendPublish({ close: true })
      expect(await ended).toBe(1000)
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(text.length * 50 * 96, markOf(text)))
      expect(words.join(' ')).toBe(text)
      expect(last).toBe('snippets' in options ? 2 : 1)
      expect(double.mistakes).toEqual([])
    },
  )

  test('a wrong key is an error of the SDK', async () => {
    const { socket } = await connect({}, 'wrong')
    const error = new Promise<Error>((resolve) => socket.on('error', resolve))
    expect((await error).message).toContain('401')
  })
})
