/** The Realtime model of LiveKit's OpenAI plugin, unchanged but for its URL, against the whole server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from '../e2e/app.ts'
import { closeEmbedded, human, quiet, spoken } from '../e2e/embedded.ts'
import { HeardEvents, type WireEvent } from '../e2e/heard-events.ts'
import { say } from '../e2e/microphone.ts'
import { describeClient, loadClient } from './installed.ts'

const NAME = '@livekit/agents-plugin-openai'
const KEY = 'pk-for-tests-only'

interface Frames {
  readonly AudioFrame: new (data: Int16Array, sampleRate: number, channels: number, samples: number) => Frame
}
interface Frame {
  readonly data: Int16Array
}
interface Message {
  readonly textStream: AsyncIterable<string | { readonly text: string }>
  readonly audioStream: AsyncIterable<Frame>
}
interface Generation {
  readonly messageStream: AsyncIterable<Message>
  readonly functionStream: AsyncIterable<{
    readonly callId: string
    readonly name: string
    readonly args: string
  }>
}
interface Session {
  readonly chatCtx: ChatContext
  on(event: string, heard: (event: WireEvent) => void): void
  updateInstructions(instructions: string): Promise<void>
  updateTools(tools: object): Promise<void>
  updateChatCtx(context: ChatContext): Promise<void>
  pushAudio(frame: Frame): void
  generateReply(instructions?: string): Promise<Generation>
  interrupt(): Promise<void>
  close(): Promise<void>
}
interface ChatContext {
  copy(): ChatContext
  insert(item: object): void
}
interface Plugin {
  readonly realtime: {
    readonly RealtimeModel: new (options: object) => { session(): Session; close(): Promise<void> }
  }
}
interface Agents {
  initializeLogger(options: object): void
  readonly llm: {
    tool(definition: object): object
    readonly FunctionCallOutput: new (output: object) => object
    readonly ToolContext: new (tools: object) => object
  }
}

let server: RunningApp

interface Talk {
  readonly session: Session
  readonly events: HeardEvents
  microphone(audio: Uint8Array): { stop(): void }
}

async function connect(): Promise<Talk> {
  const { llm, initializeLogger } = await loadClient<Agents>('@livekit/agents')
  initializeLogger({ pretty: false, level: 'silent' })
  const { realtime } = await loadClient<Plugin>(NAME)
  const { AudioFrame } = await loadClient<Frames>('@livekit/rtc-node')
  const baseURL = `http://127.0.0.1:${server.port}/v1`
  const turnDetection = {
    type: 'server_vad',
    threshold: 0.5,
    prefix_padding_ms: 300,
    silence_duration_ms: 500,
  }
  const model = new realtime.RealtimeModel({ baseURL, apiKey: KEY, model: 'guide', turnDetection })
  const session = model.session()
  const events = new HeardEvents()
  for (const type of ['input_speech_started', 'input_audio_transcription_completed', 'error']) {
    session.on(type, (event) => events.push({ ...event, type }))
  }
  session.on('generation_created', (event) => events.push({ generation: event, type: 'generation' }))
  session.on('openai_server_event_received', (event) => events.push({ event, type: `wire: ${event.type}` }))
  await session.updateInstructions('Be kind.')
  const weather = llm.tool({
    name: 'get_weather',
    description: 'Weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    execute: async () => 'cloudy',
  })
  await session.updateTools(new llm.ToolContext([weather]))
  return {
    session,
    events,
    microphone: (audio) =>
      say(audio, (base64) => {
        const bytes = Buffer.from(base64, 'base64')
        const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
        session.pushAudio(new AudioFrame(samples, 24_000, 1, samples.length))
      }),
  }
}

async function next(events: HeardEvents, from = 0): Promise<Generation> {
  return (await events.next('generation', from))['generation']
}

/** All that one generation says. */
async function heard({ messageStream }: Generation): Promise<{ text: string; ms: number }> {
  let text = ''
  let samples = 0
  for await (const { textStream, audioStream } of messageStream) {
    const reading = (async () => {
      for await (const part of textStream) text += typeof part === 'string' ? part : part.text
    })()
    for await (const { data } of audioStream) samples += data.length
    await reading
  }
  return { text, ms: samples / 24 }
}

describeClient(NAME, () => {
  beforeAll(async () => {
    server = await startApp({ key: KEY })
  })
  afterAll(async () => {
    await server?.close()
    await closeEmbedded()
  })

  async function talking(story: (talk: Talk) => Promise<void>): Promise<void> {
    const talk = await connect()
    try {
      await story(talk)
      expect(talk.events.of('error')).toEqual([])
      expect(talk.events.of('wire: error')).toEqual([])
    } finally {
      await talk.session.close()
    }
  }

  test('a spoken turn: words and sound of both sides', () =>
    talking(async ({ events, microphone }) => {
      const mouth = microphone(await human('amiable'))
      const { text, ms } = await heard(await next(events))
      mouth.stop()
      expect(text).toMatch(/^You said: he might even have been made amiable himself/i)
      expect(ms).toBeGreaterThan(2_000)
      const user = await events.next('input_audio_transcription_completed')
      expect(user['transcript']).toMatch(/might even have been made amiable/i)
      expect(JSON.stringify(server.prompts.at(-1))).toContain('Be kind.')
    }))

  test('a text turn, asked for with instructions', () =>
    talking(async ({ session }) => {
      const { text } = await heard(await session.generateReply('Say hello.'))
      expect(text).not.toBe('')
    }))

  test('speech over an answer is told at once, and its words are answered', () =>
    talking(async ({ events, microphone }) => {
      let mouth = microphone(Buffer.concat([await spoken('Tell me a story.'), quiet(300)]))
      await next(events)
      await events.next('wire: response.output_audio.delta')
      mouth.stop()
      const from = events.here
      mouth = microphone(await human('seven-of-clubs'))
      await events.next('input_speech_started', from)
      const user = await events.next('input_audio_transcription_completed', from)
      mouth.stop()
      expect(user['transcript']).toMatch(/clubs/i)
      await next(events, from)
    }))

  test('a tool is called with what was said, and its result is spoken', () =>
    talking(async ({ session, events, microphone }) => {
      const { llm } = await loadClient<Agents>('@livekit/agents')
      const mouth = microphone(Buffer.concat([await spoken('What is the weather in London?'), quiet(300)]))
      const asked = await next(events)
      const calls: { callId: string; name: string; args: string }[] = []
      for await (const call of asked.functionStream) calls.push(call)
      mouth.stop()
      expect(calls.map(({ name, args }) => [name, JSON.parse(args)])).toEqual([
        ['get_weather', { city: 'London' }],
      ])
      const context = session.chatCtx.copy()
      const output = JSON.stringify({ sky: 'cloudy', temperature: 'twelve' })
      context.insert(
        new llm.FunctionCallOutput({ callId: calls[0]!.callId, name: 'get_weather', output, isError: false }),
      )
      await session.updateChatCtx(context)
      const { text } = await heard(await session.generateReply())
      expect(text).toMatch(/cloudy/)
    }))
})
