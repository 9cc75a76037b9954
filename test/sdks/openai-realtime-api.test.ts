/**
 * A client of the retired beta shape as people still run it, unchanged, against the whole server: it asks for that shape by
 * its header, keeps the conversation itself, and throws where an event comes too early or under another name.
 */
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { startApp } from '../e2e/app.ts'
import { closeEmbedded, human, quiet } from '../e2e/embedded.ts'

/** By path: the package can only be imported, which no resolver of CommonJS knows. */
const ENTRY = new URL('node_modules/openai-realtime-api/dist/index.js', import.meta.url)
const SKIPPED = 'skipped: openai-realtime-api is not installed (npm ci --prefix test/sdks)'

interface Item {
  readonly role?: string
  readonly type: string
  readonly formatted: { readonly audio: Int16Array; readonly transcript: string; readonly text: string }
}

interface Client {
  readonly realtime: { on(event: string, listener: (event: { readonly type: string }) => void): void }
  on(event: 'error', listener: (event: unknown) => void): void
  addTool(tool: object, handler: (args: { readonly city: string }) => Promise<object>): void
  connect(): Promise<void>
  waitForSessionCreated(): Promise<void>
  waitForNextCompletedItem(): Promise<Item>
  appendInputAudio(audio: Int16Array): void
  sendUserMessageContent(content: readonly object[]): void
  disconnect(): void
}

interface Package {
  readonly RealtimeClient: new (options: object) => Client
}

const KEY = 'pk-of-an-old-client-31ab'

describe.skipIf(!existsSync(ENTRY))(existsSync(ENTRY) ? 'openai-realtime-api' : SKIPPED, () => {
  afterAll(closeEmbedded)

  test('hears a spoken answer, and calls a tool', async () => {
    const { RealtimeClient } = (await import(pathToFileURL(ENTRY.pathname).href)) as Package
    const server = await startApp({ key: KEY })
    const client = new RealtimeClient({
      apiKey: KEY,
      url: `${server.url.replace('http', 'ws')}/v1/realtime`,
      sessionConfig: {
        instructions: 'Be brief.',
        voice: 'alloy',
        turn_detection: { type: 'server_vad' },
        input_audio_transcription: { model: 'whisper-1' },
      },
    })
    const types: string[] = []
    const errors: unknown[] = []
    client.realtime.on('server.*', ({ type }) => types.push(type))
    client.on('error', (error) => errors.push(error))
    const weather = { type: 'function', name: 'get_weather', description: 'Weather of a city.' }
    const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const asked: string[] = []
    client.addTool({ ...weather, parameters }, async ({ city }) => {
      asked.push(city)
      return { sky: 'cloudy', temperature: 'twelve' }
    })
    await client.connect()
    await client.waitForSessionCreated()

    const audio = Buffer.concat([await human('ten-of-clubs'), quiet(1_000)])
    for (let at = 0; at < audio.length; at += 4_800)
      client.appendInputAudio(new Int16Array(Uint8Array.from(audio.subarray(at, at + 4_800)).buffer))
    expect(await client.waitForNextCompletedItem()).toMatchObject({ role: 'user' })
    const answer = await client.waitForNextCompletedItem()
    expect(answer.formatted.transcript).toMatch(/^You said: ten of clubs/i)
    expect(answer.formatted.audio.length).toBeGreaterThan(24_000)

    client.sendUserMessageContent([{ type: 'input_text', text: 'What is the weather in London?' }])
    let told: Item
    do told = await client.waitForNextCompletedItem()
    while (!/degrees/.test(told.formatted.transcript))
    expect(told.formatted.transcript).toMatch(/cloudy and twelve degrees/)
    expect(asked).toEqual(['London'])
    expect(errors).toEqual([])
    expect(types.filter((type) => /output_(audio|text)|conversation\.item\.(added|done)/.test(type))).toEqual(
      [],
    )
    client.disconnect()
    await server.close()
  })
})
