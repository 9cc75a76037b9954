/** Mastra's `OpenAIRealtimeVoice`, unchanged but for its URL, against the whole server. */
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from '../e2e/app.ts'
import { closeEmbedded, human, quiet, spoken } from '../e2e/embedded.ts'
import { HeardEvents, type WireEvent } from '../e2e/heard-events.ts'
import { say } from '../e2e/microphone.ts'
import { describeClient, loadClient } from './installed.ts'

const NAME = '@mastra/voice-openai-realtime'
const KEY = 'pk-for-tests-only'

interface Voice {
  connect(): Promise<void>
  close(): void
  send(audio: NodeJS.ReadableStream | Int16Array): Promise<void>
  answer(options: object): Promise<void>
  addInstructions(instructions: string): void
  addTools(tools: object): void
  on(event: string, heard: (event: WireEvent) => void): void
}

const EVENTS = [
  'response.created',
  'response.done',
  'speaking',
  'speaking.done',
  'writing',
  'tool-call-start',
  'tool-call-result',
  'error',
  'input_audio_buffer.speech_started',
  'conversation.item.input_audio_transcription.completed',
]

interface Talk {
  readonly voice: Voice
  readonly events: HeardEvents
  microphone(audio: Uint8Array): { stop(): void }
}

let server: RunningApp
const asked: unknown[] = []

async function connect(): Promise<Talk> {
  const { OpenAIRealtimeVoice } = await loadClient<{ OpenAIRealtimeVoice: new (options: object) => Voice }>(
    NAME,
  )
  const voice = new OpenAIRealtimeVoice({
    apiKey: KEY,
    url: `ws://127.0.0.1:${server.port}/v1/realtime`,
    model: 'guide',
  })
  const events = new HeardEvents()
  for (const type of EVENTS) voice.on(type, (event) => events.push({ ...event, type }))
  voice.addInstructions('Be kind.')
  voice.addTools({
    get_weather: {
      id: 'get_weather',
      description: 'Weather of a city.',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      execute: async (input: unknown) => {
        asked.push(input)
        return { sky: 'cloudy', temperature: 'twelve' }
      },
    },
  })
  await voice.connect()
  const stream = new PassThrough()
  void voice.send(stream)
  return {
    voice,
    events,
    microphone: (audio) => say(audio, (base64) => stream.write(Buffer.from(base64, 'base64'))),
  }
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
    } finally {
      talk.voice.close()
    }
  }

  test('a spoken turn: words and sound of both sides', () =>
    talking(async ({ events, microphone }) => {
      const mouth = microphone(await human('amiable'))
      const done = await events.next('response.done')
      mouth.stop()
      expect(done['response'].status).toBe('completed')
      const written = events.of('writing')
      const by = (role: string) =>
        written
          .filter((event) => event['role'] === role)
          .map((event) => event['text'])
          .join('')
      expect(by('user')).toMatch(/might even have been made amiable/i)
      expect(by('assistant')).toMatch(/^You said: he might even/i)
      const bytes = events.of('speaking').reduce((sum, event) => sum + Buffer.from(event['audio']).length, 0)
      expect(bytes / 48).toBeGreaterThan(2_000)
      expect(JSON.stringify(server.prompts.at(-1))).toContain('Be kind.')
    }))

  test('speech over a playing answer cuts it', () =>
    talking(async ({ events, microphone }) => {
      let mouth = microphone(Buffer.concat([await spoken('Tell me a story.'), quiet(300)]))
      await events.next('speaking')
      mouth.stop()
      const from = events.here
      mouth = microphone(await human('seven-of-clubs'))
      await events.next('input_audio_buffer.speech_started', from)
      const words = 'conversation.item.input_audio_transcription.completed'
      const { transcript } = await events.next(words, from)
      expect(transcript).toMatch(/clubs/i)
      await events.next('response.created', from)
      mouth.stop()
    }))

  test('its tool is called with what was said, and its result is spoken', () =>
    talking(async ({ events, microphone }) => {
      const mouth = microphone(Buffer.concat([await spoken('What is the weather in London?'), quiet(300)]))
      const isSpoken = ({ response: { output } }: WireEvent) =>
        output[0]?.type === 'message' && output.length === 1
      const done = await events.next('response.done', 0, isSpoken)
      mouth.stop()
      expect(asked.at(-1)).toMatchObject({ city: 'London' })
      expect(done['response'].output[0].content[0].transcript).toMatch(/cloudy/)
    }))

  test('an answer that is asked for', () =>
    talking(async ({ voice, events }) => {
      await voice.answer({ options: { instructions: 'Say hello.' } })
      const done = await events.next('response.done')
      expect(done['response'].status).toBe('completed')
    }))
})
