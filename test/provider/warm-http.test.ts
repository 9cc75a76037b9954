/** What is asked over HTTP has its connection before the first request: by each adapter's own agent, over real sockets. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { createAnthropic } from '../../src/provider/anthropic/index.ts'
import { createBedrock } from '../../src/provider/bedrock/index.ts'
import { createGemini } from '../../src/provider/gemini/index.ts'
import { createInworld } from '../../src/provider/inworld/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { type CountedServer, serveCounted } from '../support/counted-server.ts'
import { sound } from '../support/stages.ts'

const deps = { clock: realClock, note: () => {} }
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const CHUNK = { choices: [{ index: 0, delta: { content: 'Hello.' }, finish_reason: 'stop' }] }

async function serve(): Promise<CountedServer> {
  const server = await serveCounted('plain', (request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/v1/audio/speech') return response.end(Buffer.alloc(48_000))
      if (request.url === '/v1/audio/transcriptions') return response.end('{"text":"Hello."}')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`data: ${JSON.stringify(CHUNK)}\n\ndata: [DONE]\n\n`)
    })
  })
  closing.push(() => server.close())
  return server
}

function kept<P extends Provider | null>(provider: P): NonNullable<P> {
  closing.push(() => provider?.close())
  return provider!
}

/** What goes on in one turn where all is one provider's. */
function speaker({ origin }: CountedServer) {
  const provider = kept(createOpenAi(deps, { name: 'all', baseUrl: `${origin}/v1`, stt: 'files' }))
  const { signal } = openScope()
  const llm = provider.llm!('small')!
  const tts = provider.tts!('mouth')!
  const opening = { voice: 'anna', format: PCM16_24K }
  return {
    async begins() {
      const stream = await provider.stt!('ears')!.open({ format: PCM16_16K, signal, clock: realClock })
      stream.write(sound(PCM16_16K, 20, 'speech'))
      llm.warm?.()
      tts.warm?.(opening)
      return stream
    },
    async think() {
      for await (const event of llm.stream(
        { messages: [{ role: 'user', text: 'Hi' }] },
        { signal, clock: realClock },
      )) {
        if (event.type === 'finish') return
      }
    },
    async say() {
      const stream = await tts.open({ ...opening, signal, clock: realClock })
      stream.say({ index: 0, text: 'Hello.' })
      stream.end()
      for await (const event of stream) if (event.type === 'audio') return
    },
  }
}

test('recogniser, model and voice of one server: three connections while the caller speaks, none for the requests', async () => {
  const server = await serve()
  const caller = speaker(server)
  const ears = await caller.begins()
  await server.connected(3)
  expect(server.requests).toEqual([])
  ears.write(sound(PCM16_16K, 600, 'speech'))
  ears.finalize()
  for await (const event of ears) if (event.type === 'final') break
  await Promise.all([caller.think(), caller.say()])
  expect(server.requests.map(({ path }) => path).sort()).toEqual([
    '/v1/audio/speech',
    '/v1/audio/transcriptions',
    '/v1/chat/completions',
  ])
  expect(server.sockets).toHaveLength(3)
})

test('without a warning each pays for its own', async () => {
  const server = await serve()
  const caller = speaker(server)
  await caller.think()
  expect(server.sockets).toHaveLength(1)
})

test.each<[string, (origin: string) => Provider]>([
  ['anthropic', (baseUrl) => createAnthropic(deps, { name: 'a', apiKey: 'k', baseUrl })],
  ['gemini', (origin) => createGemini(deps, { name: 'g', apiKey: 'k', baseUrl: `${origin}/v1beta` })],
  [
    'bedrock',
    (baseUrl) =>
      createBedrock(deps, { name: 'b', apiKey: 'k', baseUrl, options: { region: 'eu-west-1' } } as never)!,
  ],
])('%s: a model that is announced connects, once, and asks nothing', async (_name, create) => {
  const server = await serve()
  const provider = kept(create(server.origin))
  for (let i = 0; i < 3; i++) provider.llm!('some-model')!.warm?.()
  await server.connected(1)
  expect(server.sockets).toHaveLength(1)
  await provider.close()
  expect(server.requests).toEqual([])
})

test('inworld: a voice connects for what it can say, and for nothing else', async () => {
  const server = await serve()
  const provider = kept(createInworld(deps, { name: 'i', apiKey: 'k', baseUrl: server.origin }))
  const voice = provider.tts!('inworld-tts-2')!
  voice.warm?.({ voice: 'Ashley', format: { encoding: 'pcm16', sampleRateHz: 11_025 } })
  voice.warm?.({ voice: 'Ashley', format: PCM16_24K })
  await server.connected(1)
  expect(server.sockets).toHaveLength(1)
  expect(server.requests).toEqual([])
})
