/** `@openai/agents-realtime`, unchanged, over WebSocket against the whole server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human, quiet, spoken } from './embedded.ts'
import { HeardEvents, type WireEvent } from './heard-events.ts'
import { blurt, say } from './microphone.ts'

const KEY = 'pk-for-tests-only'
const asked: string[] = []
const weather = tool({
  name: 'get_weather',
  description: 'Weather of a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    asked.push(city)
    return JSON.stringify({ sky: 'cloudy', temperature: 'twelve' })
  },
})

let server: RunningApp
beforeAll(async () => {
  server = await startApp({ key: KEY })
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

let talk: Talk
beforeEach(async () => {
  talk = await connect(server)
})
afterEach(() => {
  talk.session.close()
  expect(talk.events.of('error')).toEqual([])
  expect(talk.errors).toEqual([])
  // The SDK makes nothing of an event that its schemas refuse, without a word.
  expect(talk.events.all.filter((event) => !fromSdk(event) && !understood(event))).toEqual([])
})

interface Talk {
  readonly session: RealtimeSession
  /** What the socket brought, and as `sdk: …` what the SDK made of it. */
  readonly events: HeardEvents
  readonly errors: unknown[]
}

async function connect(to: RunningApp): Promise<Talk> {
  const agent = new RealtimeAgent({ name: 'Guide', instructions: 'Be kind.', tools: [weather] })
  const session = new RealtimeSession(agent, { transport: 'websocket', model: 'gpt-realtime' })
  const events = new HeardEvents()
  const errors: unknown[] = []
  session.on('error', (error) => errors.push(error))
  session.on('audio_interrupted', () => events.push({ type: 'sdk: interrupted' }))
  session.on('history_updated', (history) =>
    events.push({ type: 'sdk: history', text: JSON.stringify(history) }),
  )
  session.transport.on('*', events.push)
  session.transport.on('connection_change', (state) => state === 'disconnected' && events.end(state))
  await session.connect({ apiKey: KEY, url: `ws://127.0.0.1:${to.port}/v1/realtime` })
  return { session, events, errors }
}

const SCHEMAS = '../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs'
const { parseRealtimeEvent } = await import(/* @vite-ignore */ SCHEMAS)

function understood(event: WireEvent): boolean {
  return !parseRealtimeEvent({ data: JSON.stringify(event) }).isGeneric
}

function fromSdk({ type }: WireEvent): boolean {
  return type.startsWith('sdk: ')
}

function append(base64: string): void {
  talk.session.sendAudio(new Uint8Array(Buffer.from(base64, 'base64')).buffer)
}

test('a spoken turn, with the words of both in the history', async () => {
  const microphone = say(await human('amiable'), append)
  const done = await talk.events.next('response.done')
  microphone.stop()
  expect(done['response'].status).toBe('completed')
  const said = done['response'].output[0].content[0].transcript
  expect(said).toMatch(/^You said: he might even have been made amiable himself/i)
  // The SDK asks for the caller's item once its words are known, and shows them when it got it.
  const has = (words: RegExp) => (event: WireEvent) => words.test(event['text'])
  await talk.events.next('sdk: history', 0, has(/"role":"user".*might even have been made amiable/i))
  await talk.events.next('sdk: history', 0, has(/"role":"assistant".*You said: he might even/i))
  const sound = talk.events.of('response.output_audio.delta').map((e) => Buffer.from(e['delta'], 'base64'))
  expect(Buffer.concat(sound).length / 48).toBeGreaterThan(2_000)
  // Its instructions are the model's.
  expect(JSON.stringify(server.prompts.at(-1))).toContain('Be kind.')
})

test('speech over a playing answer cuts it, here and in what the model remembers', async () => {
  blurt(Buffer.concat([await spoken('Tell me a story.'), quiet(1_500)]), append)
  const told = await talk.events.next('response.done')
  const story = told['response'].output[0].content[0].transcript as string
  expect(story).toContain('speaks with many voices')

  const from = talk.events.here
  const microphone = say(await human('seven-of-clubs'), append)
  await talk.events.next('sdk: interrupted', from)
  const cut = await talk.events.next('conversation.item.truncated', from)
  const answer = await talk.events.next('response.done', from)
  microphone.stop()
  expect(answer['response'].output[0].content[0].transcript).toMatch(/seven of clubs/i)

  const { heard } = await server.turn(told['response'].parley.turnId)
  expect(heard).toMatchObject({ ms: cut['audio_end_ms'], interrupted: true })
  expect(story.startsWith(heard!.text)).toBe(true)
  const remembered = server.prompts.at(-1)!.messages.filter(({ role }) => role === 'assistant')
  expect(JSON.stringify(remembered)).not.toContain('many voices')
})

test('an answer still being made is cancelled by the caller, and the SDK need not ask for it', async () => {
  const chatter = 'Well, there is one more thing to be said. '.repeat(200)
  const llm = new FakeLlm({ answer: () => chatter, tokenMs: 40 })
  const slow = await startApp({ key: KEY, llm })
  talk.session.close()
  talk = await connect(slow)
  try {
    talk.session.sendMessage('Say something.')
    await talk.events.next('response.output_audio.delta')
    const microphone = say(await human('seven-of-clubs'), append)
    await talk.events.next('sdk: interrupted')
    const done = await talk.events.next('response.done')
    microphone.stop()
    expect(done['response']).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
    })
    const delta = talk.events.all.findLastIndex(({ type }) => type === 'response.output_audio.delta')
    expect(delta).toBeLessThan(talk.events.all.indexOf(done))
    expect(llm.aborted).toBe(1)
    talk.session.close()
  } finally {
    await slow.close()
  }
})

test('the agent’s tool is called with what was said, and its result is spoken', async () => {
  blurt(Buffer.concat([await spoken('What is the weather in London?'), quiet(1_500)]), append)
  const isSpoken = (event: WireEvent) =>
    event['response'].output[0]?.type === 'message' && event['response'].output.length === 1
  const told = await talk.events.next('response.done', 0, isSpoken)
  expect(told['response'].output[0].content[0].transcript).toMatch(
    /In London it is cloudy and twelve degrees/i,
  )
  expect(asked).toEqual(['London'])
  const rounds = talk.events.of('response.done').map((event) => event['response'].parley.turnId)
  expect(new Set(rounds).size).toBe(1)
})

test('a tool of the server’s is run by the server; the SDK sees the call and its answer', async () => {
  const desk = createServer((_request, response) => response.end('nine to five'))
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve))
  const { port } = desk.address() as AddressInfo
  const llm = new FakeLlm({
    answer: ({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `We are open ${last.text}.`
      const call = { callId: 'call_1', name: 'hours', arguments: '{}' }
      return [
        { type: 'toolCall', call },
        { type: 'finish', reason: 'tool_calls' },
      ]
    },
  })
  const pipeline = `tools: [{ name: hours, type: http, url: 'http://127.0.0.1:${port}/' }]\n`
  const served = await startApp({ key: KEY, llm, pipeline })
  talk.session.close()
  talk = await connect(served)
  try {
    talk.session.sendMessage('When are you open?')
    const isSpoken = (event: WireEvent) => event['response'].output[0]?.type === 'message'
    const done = await talk.events.next('response.done', 0, isSpoken)
    expect(done['response'].output[0].content[0].transcript.trim()).toBe('We are open nine to five.')
    const items = talk.events.of('conversation.item.done').map((event) => event['item'])
    expect(items.find(({ type }) => type === 'mcp_call')).toMatchObject({
      server_label: 'http',
      name: 'hours',
      output: 'nine to five',
      error: null,
    })
    await talk.events.next('sdk: history', 0, (event) => /nine to five/.test(event['text']))
    talk.session.close()
  } finally {
    await served.close()
    await new Promise((resolve) => desk.close(resolve))
  }
})
