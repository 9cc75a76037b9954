/** What `parley.yaml` says of who recognises speech. */
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { parseSettings } from '../../../src/config/settings.ts'
import { providersOf } from '../../../src/providers.ts'

async function recognisers(lines: string): Promise<Readonly<Record<string, (model: string) => boolean>>> {
  const settings = parseSettings(lines, '/parley.yaml', { env: {} })
  const made = providersOf(settings, { clock: new VirtualClock(), note: () => {} })
  await Promise.all(made.map((provider) => provider.close()))
  return Object.fromEntries(
    made.map((provider) => [provider.name, (model: string) => provider.stt?.(model) !== undefined]),
  )
}

test('another server recognises in sessions where it is said so, otherwise from files; presets by the names of their models', async () => {
  const by = await recognisers(`providers:
  other: { type: openai, baseUrl: http://127.0.0.1:1/v1, stt: realtime }
  files: { type: openai, baseUrl: http://127.0.0.1:1/v1 }
  groq: { apiKey: some-key }
  openai: { apiKeys: [{ id: one, key: key-number-one }, { id: two, key: key-number-two }] }
  soniox: { apiKey: some-key }
  elevenlabs: { apiKey: some-key }
  speechmatics: { apiKey: some-key }
  gladia: { apiKey: some-key }
`)
  expect(by['other']?.('guide')).toBe(true)
  expect(by['files']?.('guide')).toBe(true)
  expect(by['groq']?.('whisper-large-v3-turbo')).toBe(true)
  expect(by['groq']?.('llama-3.3-70b-versatile')).toBe(false)
  expect(by['openai']?.('gpt-live-transcribe')).toBe(true)
  expect(by['openai']?.('gpt-5')).toBe(false)
  expect(by['soniox']?.('stt-rt-v5')).toBe(true)
  expect(by['elevenlabs']?.('scribe_v2_realtime')).toBe(true)
  expect(by['speechmatics']?.('enhanced')).toBe(true)
  expect(by['gladia']?.('solaria-1')).toBe(true)
})

test('anything else is named', async () => {
  const lines = 'providers: { other: { type: openai, baseUrl: "http://127.0.0.1:1/v1", stt: batch } }'
  await expect(recognisers(lines)).rejects.toThrow('providers.other.stt must be realtime or files')
})
