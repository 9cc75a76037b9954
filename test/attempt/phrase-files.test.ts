/** Phrases outlive the process that made them: the next one says them although no voice answers. */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headOf, phraseOf } from '../../src/attempt/phrase-head.ts'
import { PhraseCache, type PhraseVoice } from '../../src/attempt/phrases.ts'
import { SentenceCache } from '../../src/attempt/sentence-cache.ts'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { ProviderError } from '../../src/errors.ts'
import type { TtsAdapter } from '../../src/stage/tts.ts'
import { AudioFiles } from '../../src/store/audio-files.ts'
import { FakeTts } from '../support/stages.ts'

const speaking = (adapter: TtsAdapter, more: Partial<PhraseVoice> = {}): PhraseVoice => ({
  adapter,
  voice: 'warm',
  language: 'en',
  ...more,
})
const dead: TtsAdapter = {
  id: 'fake/tts',
  caps: new FakeTts().caps,
  open: async () => {
    throw new ProviderError({ provider: 'fake', stage: 'tts', kind: 'transient', message: 'down' })
  },
}
const folder = () => mkdtempSync(join(tmpdir(), 'parley-phrases-'))
const open = (dir: string) =>
  new PhraseCache({
    clock: realClock,
    files: new AudioFiles({ dir, maxBytes: 10_000_000, clock: realClock, note: () => {} }),
  })

test('a phrase that another process made is there when every voice is down', async () => {
  const dir = folder()
  const tts = Object.assign(new FakeTts({ wordTimes: true }), { id: 'fake/tts' })
  const before = open(dir)
  await before.prepare(speaking(tts), ['Sorry, one moment.'])
  const made = before.get(speaking(tts), 'Sorry, one moment.')!
  await before.close()
  const after = open(dir)
  await after.prepare(speaking(dead), ['Sorry, one moment.'])
  expect(after.get(speaking(dead), 'Sorry, one moment.')).toEqual({ ...made, audio: Buffer.from(made.audio) })
  expect(after.figures).toMatchObject({ made: 0, fromDisk: 1, entries: 1 })
  await after.close()
})

test('another voice, language, format or pace is another phrase', async () => {
  const dir = folder()
  const tts = new FakeTts()
  const cache = open(dir)
  await cache.prepare(speaking(tts), ['Hello.'])
  for (const other of [{ voice: 'calm' }, { language: 'de' }, { format: MULAW_8K }, { speed: 1.2 }]) {
    expect(cache.get(speaking(tts, other), 'Hello.')).toBeNull()
  }
  expect(cache.get(speaking(tts, { speed: 1, format: tts.caps.outputs[0]! }), 'Hello.')).not.toBeNull()
  await cache.close()
  expect(readdirSync(dir)).toHaveLength(1)
})

test('sentences of answers stay in memory, unless the operator wants them on disk', async () => {
  for (const keep of ['memory', 'disk'] as const) {
    const dir = folder()
    const cache = open(dir)
    const sentences = new SentenceCache({ cache, after: 1, keep })
    const voice = speaking(new FakeTts(), { format: PCM16_24K })
    const gathering = sentences.said(voice, PCM16_24K, 'Your name is Ann.')
    gathering?.audio(new Uint8Array(4_800))
    gathering?.done()
    expect(sentences.find(voice, 'Your name is Ann.')).toMatchObject({ ms: 100 })
    await cache.close()
    expect(readdirSync(dir)).toHaveLength(keep === 'disk' ? 1 : 0)
    if (keep === 'memory') continue
    const later = open(dir)
    const known = new SentenceCache({ cache: later, after: 3, keep })
    known.said(voice, PCM16_24K, 'Your name is Ann.')
    await expect.poll(() => known.find(voice, 'Your name is Ann.')).toMatchObject({ ms: 100 })
    await later.close()
  }
})

describe('a sentence is kept', () => {
  test('when it is said for the third time; of those before nothing is', () => {
    const cache = new PhraseCache({ clock: realClock })
    const sentences = new SentenceCache({ cache, after: 3, keep: 'memory' })
    const voice = speaking(new FakeTts(), { format: PCM16_24K })
    const times = [1, 2, 3, 4].map(() => {
      const gathering = sentences.said(voice, PCM16_24K, 'What is your name?')
      gathering?.audio(new Uint8Array(480))
      gathering?.done()
      return gathering === null ? 'not' : 'gathered'
    })
    expect(times).toEqual(['not', 'not', 'gathered', 'not'])
    expect(cache.figures).toMatchObject({ entries: 1, bytes: 480 })
  })

  test('among tens of thousands that are said once, with bounded memory', () => {
    const cache = new PhraseCache({ clock: realClock })
    const sentences = new SentenceCache({ cache, after: 2, keep: 'memory' })
    const voice = speaking(new FakeTts(), { format: PCM16_24K })
    expect(sentences.said(voice, PCM16_24K, 'The first.')).toBeNull()
    for (let i = 0; i < 4_000; i++) sentences.said(voice, PCM16_24K, `Number ${i}.`)
    expect(sentences.said(voice, PCM16_24K, 'The first.')).not.toBeNull()
    for (let i = 0; i < 20_000; i++) sentences.said(voice, PCM16_24K, `Once ${i}.`)
    expect(sentences.said(voice, PCM16_24K, 'Number 0.')).toBeNull()
  })
})

test('whatever a file says of its sound, it is a phrase or nothing', () => {
  const phrase = {
    text: 'Hello.',
    target: 'a/b',
    format: PCM16_24K,
    audio: new Uint8Array(480),
    ms: 10,
    words: [],
  }
  expect(phraseOf({ head: headOf(phrase), audio: phrase.audio }, 'Hello.')).toEqual(phrase)
  expect(phraseOf({ head: headOf(phrase), audio: phrase.audio }, 'Bye.')).toBeNull()
  expect(phraseOf({ head: headOf(phrase), audio: new Uint8Array(481) }, 'Hello.')).toBeNull()
  fc.assert(
    fc.property(fc.jsonValue(), fc.uint8Array({ maxLength: 9 }), (head, audio) => {
      expect(phraseOf({ head, audio }, 'Hello.')).toBeNull()
    }),
  )
})
