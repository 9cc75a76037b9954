/** While the caller speaks, the model and the voice that will answer connect: nothing of the answer waits for a handshake. */
import { expect, test } from 'vitest'
import { MULAW_8K } from '../../src/audio/format.ts'
import type { TtsWarmOptions } from '../../src/stage/tts.ts'
import { FakeLlm, FakeTts, fixedRouter } from '../support/stages.ts'
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

test('the model too: the route’s own guess at first, then the one that answered; again when the caller pauses', async () => {
  const told: string[] = []
  const llm = Object.assign(new FakeLlm(), { warm: () => void told.push('who answered') })
  const call = await Call.open({
    llm,
    router: (lineup, clock) => ({ ...fixedRouter(lineup, clock), warm: () => void told.push('a guess') }),
  })
  await call.speak(400)
  expect(told.splice(0)).toEqual(['a guess'])
  await call.silent(640)
  expect(told.splice(0)).toContain('a guess')
  await call.wait(10_000)
  told.splice(0)
  await call.speak(400)
  expect(told.splice(0)).toEqual(['who answered'])
  await call.silent(640)
  expect(told).toContain('who answered')
  await call.hangUp()
})

test('the model where the answer is written, and not where there will be none', async () => {
  for (const [settings, times] of [
    [{ modality: 'text' }, 1],
    [{ kind: 'transcription' }, 0],
  ] as const) {
    let warmed = 0
    const router = (lineup: Parameters<typeof fixedRouter>[0]) => ({
      ...fixedRouter(lineup),
      warm: () => void warmed++,
    })
    const call = await Call.open({ settings, router })
    await call.speak(400)
    expect(warmed).toBe(times)
    await call.hangUp()
  }
})
