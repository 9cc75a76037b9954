/** Our adapter of transcription sessions against our own server: one Parley hears for another. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createConverter } from '../../src/audio/convert.ts'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { SttEvent, SttStream } from '../../src/stage/stt.ts'
import { wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human, quiet } from './embedded.ts'

const KEY = 'pk-of-the-other-parley-5f2c'

let server: RunningApp
beforeAll(async () => {
  server = await startApp({ key: KEY })
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

function hearing(apiKey = KEY) {
  const settings = { name: 'other', baseUrl: `${server.url}/v1`, apiKey, stt: 'realtime' } as const
  const adapter = createOpenAi({ clock: realClock, note: () => {} }, settings).stt!('guide')!
  return (format = PCM16_24K, language = 'en') =>
    adapter.open({ format, language, signal: openScope().signal, clock: realClock })
}

async function next(stream: SttStream, wanted: (event: SttEvent) => boolean): Promise<SttEvent> {
  const events = stream[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the stream ended')
    if (wanted(value)) return value
  }
}

test('a preview, then the same words for good, then a turn of silence', async () => {
  const stream = await hearing()()
  stream.write(await human('ten-of-clubs'))
  stream.preview()
  const preview = await next(stream, (event) => event.type === 'partial' && event.complete)
  expect(wordErrorRate('ten of clubs', 'text' in preview ? preview.text : '')).toBe(0)
  stream.finalize()
  const final = await next(stream, ({ type }) => type === 'final')
  expect(wordErrorRate('ten of clubs', 'text' in final ? final.text : '')).toBe(0)
  stream.write(quiet(600))
  stream.finalize()
  expect(await next(stream, ({ type }) => type === 'final')).toMatchObject({ text: '' })
  await stream.close()
})

test('a telephone’s sound goes as it is', async () => {
  const stream = await hearing()(MULAW_8K)
  const converter = createConverter(PCM16_24K, MULAW_8K)
  stream.write(Buffer.concat([converter.process(await human('ten-of-clubs')), converter.flush()]))
  converter.close()
  stream.finalize()
  const final = await next(stream, ({ type }) => type === 'final')
  // At eight kilohertz the smallest recogniser mistakes the last word.
  expect(wordErrorRate('ten of clubs', 'text' in final ? final.text : '')).toBeLessThan(0.5)
  await stream.close()
})

test('a wrong key is refused', async () => {
  await expect(hearing('pk-wrong')()).rejects.toMatchObject({ kind: 'auth', stage: 'stt' })
})
