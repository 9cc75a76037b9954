import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { SpeechOutput } from '../../src/provider/speech-output.ts'
import type { TtsEvent } from '../../src/stage/tts.ts'

function output(format = PCM16_24K) {
  const calls = { taken: 0, left: 0 }
  const { signal } = openScope()
  const out = new SpeechOutput({
    provider: 'p',
    format,
    signal,
    onTaken: () => calls.taken++,
    onLeft: () => calls.left++,
  })
  return { out, calls }
}

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('a voice on its way to the reader', () => {
  test('samples that messages cut in two are whole again', async () => {
    const { out, calls } = output()
    for (const part of [[1], [2, 3], [4, 5, 6], [7], [8]]) out.audio(0, Uint8Array.from(part))
    out.done(0)
    out.close()
    const events = await all(out)
    const sound = events.flatMap((event) => (event.type === 'audio' ? [[...event.audio]] : []))
    expect(sound.every((part) => part.length % 2 === 0)).toBe(true)
    expect(sound.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(calls.left).toBe(1)
  })

  test('half a sample at a sentence’s end does not shift the next', async () => {
    const { out } = output()
    out.audio(0, Uint8Array.from([1, 2, 3]))
    out.done(0)
    out.audio(1, Uint8Array.from([4, 5]))
    out.done(1)
    out.close()
    const sound = (await all(out)).flatMap((event) => (event.type === 'audio' ? [...event.audio] : []))
    expect(sound).toEqual([1, 2, 4, 5])
  })

  test.each([
    // Asked for 24 kHz, given 16: the sound lasts two thirds of what its words do.
    [1_000, 1_500, 'wrong'],
    [2_000, 1_000, 'right'],
    // Asked for 8-bit µ-law, given 16-bit samples.
    [6_000, 3_000, 'wrong'],
    [1_200, 1_000, 'right'],
    [1_000, 1_050, 'right'],
    [300, 400, 'right'],
  ])('%i ms of sound for %i ms of words is %s', (soundMs, wordsMs, verdict) => {
    const { out } = output(PCM16_16K)
    out.audio(0, new Uint8Array(soundMs * 32))
    out.words(0, [{ text: 'w', startMs: 0, endMs: wordsMs }], wordsMs)
    const fault = out.done(0)
    expect(fault === undefined ? 'right' : 'wrong').toBe(verdict)
    if (fault) expect(fault).toMatchObject({ kind: 'transient', provider: 'p', stage: 'tts' })
  })

  test('no sound at all is a fault, so that no words are lost', () => {
    const { out } = output()
    expect(out.done(0)?.message).toBe('a sentence came back without sound')
  })

  test('full with thirty seconds unread, and not when some was taken', async () => {
    const { out } = output(MULAW_8K)
    for (let second = 0; second < 30; second++) {
      expect(out.full).toBe(false)
      out.audio(0, new Uint8Array(8_000))
    }
    expect(out.full).toBe(true)
    await out[Symbol.asyncIterator]().next()
    expect(out.full).toBe(false)
  })
})
