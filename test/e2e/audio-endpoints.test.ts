/** The embedded voice speaks over HTTP, the embedded recogniser reads it back over HTTP, with the official `openai` SDK between them. */
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeWav } from '../../src/audio/wav.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, embedded } from './embedded.ts'

const KEY = 'audio-key-0123456789'
const SENTENCE = 'The train to the city leaves early in the morning.'

let app: RunningApp
let client: OpenAI
beforeAll(async () => {
  app = await startApp({ key: KEY, embedded: await embedded() })
  client = new OpenAI({ apiKey: KEY, baseURL: `${app.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await app.close()
  await closeEmbedded()
})

async function speak(input: string, format: 'wav' | 'opus' | 'pcm'): Promise<Buffer> {
  const answer = await client.audio.speech.create({
    model: 'guide',
    voice: 'alloy',
    input,
    response_format: format,
  })
  return Buffer.from(await answer.arrayBuffer())
}

/** As a file: raw samples are none. */
function fileOf(bytes: Buffer, format: 'wav' | 'opus' | 'pcm') {
  if (format !== 'pcm') return toFile(bytes, `speech.${format === 'opus' ? 'ogg' : 'wav'}`)
  const samples = new Int16Array(new Uint8Array(bytes).buffer)
  return toFile(writeWav(samples, 24_000), 'speech.wav')
}

const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? []

describe('what is spoken is read back', () => {
  test.each(['wav', 'opus', 'pcm'] as const)('as %s', async (format) => {
    const file = await fileOf(await speak(SENTENCE, format), format)
    const { text } = await client.audio.transcriptions.create({ model: 'guide', file })
    expect(words(text)).toEqual(words(SENTENCE))
  })

  test('in subtitles: each sentence of a longer text has its place', async () => {
    const text = `${SENTENCE} It stops at every station on the way. ${'Please have your ticket ready. '.repeat(8)}`
    const file = await fileOf(await speak(text, 'wav'), 'wav')
    const answer = await client.audio.transcriptions.create({
      model: 'guide',
      file,
      response_format: 'verbose_json',
    })
    const { segments = [], duration, language } = answer
    expect(language).toBe('english')
    expect(segments.length).toBeGreaterThan(1)
    let end = 0
    for (const segment of segments) {
      expect(segment.start).toBeGreaterThanOrEqual(end)
      expect(segment.end - segment.start).toBeLessThanOrEqual(10)
      end = segment.end
    }
    expect(end).toBeLessThanOrEqual(duration)
    // The recogniser of 27 MB gets some words wrong; nearly all must be there.
    const heard = words(answer.text)
    expect(heard.slice(0, words(SENTENCE).length)).toEqual(words(SENTENCE))
    expect(heard.filter((word) => word === 'ticket').length).toBeGreaterThanOrEqual(6)
  })
})
