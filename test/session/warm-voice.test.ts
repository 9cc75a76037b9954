/** While the caller speaks, the voice that will answer connects: no first sentence waits for a handshake. */
import { expect, test } from 'vitest'
import { MULAW_8K } from '../../src/audio/format.ts'
import type { TtsWarmOptions } from '../../src/stage/tts.ts'
import { FakeTts } from '../support/stages.ts'
import { Call, formatted } from './call.ts'

async function warmed(settings: object): Promise<TtsWarmOptions[]> {
  const asked: TtsWarmOptions[] = []
  const tts = Object.assign(new FakeTts(), { warm: (options: TtsWarmOptions) => asked.push(options) })
  const call = await Call.open({ tts, settings })
  expect(asked).toEqual([])
  await call.speak(400)
  const atSpeech = [...asked]
  await call.silent(640)
  await call.wait(3_000)
  await call.hangUp()
  return atSpeech
}

test('at the first sound of speech, with the voice and in the codec that the answer will want', async () => {
  expect(await warmed({ language: 'de', speed: 1.1 })).toEqual([
    {
      voice: 'fake-warm',
      format: expect.objectContaining({ encoding: 'pcm16' }),
      language: 'de',
      speed: 1.1,
    },
  ])
  const [telephone] = await warmed(formatted(MULAW_8K))
  expect(new FakeTts().caps.outputs).toContainEqual(telephone?.format)
})

test('not where nothing will be said', async () => {
  expect(await warmed({ modality: 'text' })).toEqual([])
  expect(await warmed({ kind: 'transcription' })).toEqual([])
})
