/** Phrases are made ahead of need, and said without asking anybody. */
import { expect, test } from 'vitest'
import { PhraseCache, type PhraseVoice } from '../../src/attempt/phrases.ts'
import { PipelinePhrases } from '../../src/attempt/pipeline-phrases.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import type { Pipeline } from '../../src/config/pipeline.ts'
import { ProviderError } from '../../src/errors.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { TtsAdapter } from '../../src/stage/tts.ts'
import { FakeTts } from '../support/stages.ts'

const speaking = (adapter: TtsAdapter, voice = 'warm'): PhraseVoice => ({ adapter, voice, language: 'en' })

function mute(): TtsAdapter {
  const error = new ProviderError({ provider: 'dead', stage: 'tts', kind: 'auth', message: 'no key' })
  return { id: 'dead/tts', caps: new FakeTts().caps, open: async () => Promise.reject(error) }
}

test('a phrase is made once for each voice, with its words’ times', async () => {
  const tts = new FakeTts({ wordTimes: true })
  const cache = new PhraseCache({ clock: new VirtualClock() })
  await Promise.all([
    cache.prepare(speaking(tts), ['One moment.']),
    cache.prepare(speaking(tts), ['One moment.']),
    cache.prepare(speaking(tts, 'calm'), ['One moment.']),
  ])
  expect(tts.voices).toEqual(['warm', 'calm'])
  expect(cache.get(speaking(tts), 'One moment.')).toMatchObject({
    ms: 550,
    words: [{ text: 'One', startMs: 0 }, { text: 'moment.' }],
  })
  expect(cache.get(speaking(tts), 'Another.')).toBeNull()
})

test('the longest unused leave when there is no room', async () => {
  const tts = new FakeTts()
  // A character is 2,400 bytes: two phrases of ten fit.
  const cache = new PhraseCache({ clock: new VirtualClock(), maxBytes: 50_000 })
  await cache.prepare(speaking(tts), ['aaaaaaaaaa', 'bbbbbbbbbb'])
  cache.get(speaking(tts), 'aaaaaaaaaa')
  await cache.prepare(speaking(tts), ['cccccccccc', 'too long to be kept at all'])
  const kept = ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc'].filter((text) => cache.get(speaking(tts), text))
  expect(kept).toEqual(['aaaaaaaaaa', 'cccccccccc'])
})

test('a voice that fails, or never answers, leaves nothing behind and may be asked again', async () => {
  const clock = new VirtualClock()
  const failed: string[] = []
  const cache = new PhraseCache({ clock, onFailed: (adapter) => failed.push(adapter) })
  await cache.prepare(speaking(mute()), ['One moment.'])
  const silent = {
    ...new FakeTts(),
    id: 'silent/tts',
    caps: new FakeTts().caps,
    open: () => new Promise<never>(() => {}),
  }
  const preparing = cache.prepare(speaking(silent), ['One moment.'])
  await settled()
  await clock.advance(20_000)
  await preparing
  expect(failed).toEqual(['dead/tts', 'silent/tts'])
  expect(clock.pendingTimers).toBe(0)
})

test('a pipeline’s phrases are ready in the first voice that can, and in the session’s own', async () => {
  const [first, second] = [mute(), new FakeTts()]
  const target = (id: string) => ({ id, provider: id.split('/')[0] ?? '', model: 'tts', params: {} })
  const list = {
    type: 'list',
    targets: [target('dead/tts'), target('fake/tts'), target('late/tts')],
    sort: [],
  } as const
  const pipeline = {
    name: 'p',
    voice: 'warm',
    greeting: 'Hello.',
    voices: { warm: { fake: { id: 'f1', byLanguage: {} } } },
    budget: {
      turnMs: 1500,
      ladder: [
        { rung: 'filler', afterMs: 1000, say: ['One moment.'] },
        { rung: 'apology', say: 'Sorry.' },
      ],
    },
    tts: { routes: [{ name: 'any', when: null, use: list, hedge: null }] },
  } as unknown as Pipeline
  const late = new FakeTts()
  Object.assign(late, { id: 'late/tts' })
  const provider = (name: string, tts: TtsAdapter): [string, Provider] => [
    name,
    { name, tts: () => tts, close: async () => {} },
  ]
  const providers = new Map([provider('dead', first), provider('fake', second), provider('late', late)])
  const phrases = new PipelinePhrases(pipeline, providers, new PhraseCache({ clock: new VirtualClock() }))
  const speaker = { target: null, voice: 'alloy', language: 'en' }
  expect(phrases.get('Sorry.', speaker)).toBeNull()
  await phrases.prepare(speaker)
  expect(second.said).toEqual(['One moment.', 'Sorry.', 'Hello.'])
  expect(second.voices).toEqual(['f1', 'f1', 'f1'])
  expect(late.said).toEqual([])
  const own = { ...speaker, target: 'late/tts' }
  expect(phrases.get('Sorry.', own)).not.toBeNull()
  await phrases.prepare(own)
  expect(late.said).toEqual(['One moment.', 'Sorry.', 'Hello.'])
})
