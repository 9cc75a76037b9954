import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import {
  createGoogleSpeech,
  googleEntries,
  googleSpeechSettings,
} from '../../src/provider/google-speech/index.ts'
import { hostOf } from '../../src/provider/google-speech/settings.ts'
import { durationMs, kindOfFault, synthesisConfig } from '../../src/provider/google-speech/wire.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import type { SttScript } from '../../src/testing/stt/double.ts'
import { type FakeGoogleRecogniserOptions, fakeGoogleRecogniser } from '../../src/testing/stt/google.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { FakeGoogleVoices } from '../../src/testing/tts/google.ts'
import { GoogleInMemory } from '../support/google-in-memory.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}
const SETTINGS = { name: 'google-speech', project: 'p', location: 'eu', credentials: {} }

function rigOf(script: SttScript, more: FakeGoogleRecogniserOptions = {}) {
  const clock = new VirtualClock()
  const double = fakeGoogleRecogniser({ clock, script, ...more })
  const speech = new GoogleInMemory(double.grpc, 'recognise')
  const provider = createGoogleSpeech({ clock, note }, SETTINGS, { speech })
  const { sessions } = double
  return { adapter: provider.stt!('chirp_3')!, clock, double, open: () => speech.open, sessions }
}
const make: MakeRig = (script) => rigOf(script)

sttContract('google-speech', make)
sttNetwork('google-speech', make, {
  force: 'end',
  // Between utterances there is no call that could end.
  keepAlive: () => true,
  refuses: 'with the first audio',
  unknown: { results: [], speechEventType: 99 },
  formats: [PCM16_16K, PCM16_24K, MULAW_8K, ALAW_8K],
})

function voices() {
  const clock = new VirtualClock()
  const double = new FakeGoogleVoices({ clock })
  const rpcs = {
    speech: new GoogleInMemory(fakeGoogleRecogniser({ clock }).grpc, 'recognise'),
    voices: new GoogleInMemory(double.grpc, 'synthesise'),
  }
  return { clock, double, rpcs, provider: createGoogleSpeech({ clock, note }, SETTINGS, rpcs) }
}

function bench(): TtsBench {
  const { clock, double, rpcs, provider } = voices()
  return {
    adapter: provider.tts!('chirp-3-hd')!,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    connects: 'with the first sentence',
    shares: 'nothing',
    blind: ['duplicate_final', 'wrong_sample_rate', 'close_clean_early'],
    mistakes: () => double.mistakes,
    open: () => rpcs.voices.open,
    close: () => provider.close(),
  }
}
ttsConformance('Google', bench)

async function listen(script: SttScript, more: FakeGoogleRecogniserOptions = {}) {
  const rig = rigOf(script, more)
  const { clock } = rig
  const { signal } = openScope()
  const stream = await rig.adapter.open({
    format: PCM16_16K,
    language: 'de',
    hints: ['Parley'],
    signal,
    clock,
  })
  const events: SttEvent[] = []
  let failure: unknown
  void (async () => {
    for await (const event of stream) events.push(event)
  })().catch((error) => {
    failure = error
  })
  const hear = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_16K, 20, 'speech'))
      await clock.advance(20)
    }
  }
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
  return { ...rig, stream, events, hear, finals, failure: () => failure }
}

describe("Google's recogniser", () => {
  test('what is asked for is in the first message', async () => {
    const { double, hear, stream } = await listen({})
    await hear(40)
    expect(double.configs).toEqual([
      {
        recognizer: 'projects/p/locations/eu/recognizers/_',
        streamingConfig: {
          config: {
            explicitDecodingConfig: { encoding: 'LINEAR16', sampleRateHertz: 16_000, audioChannelCount: 1 },
            model: 'chirp_3',
            languageCodes: ['de-DE'],
            features: { enableWordTimeOffsets: true, enableAutomaticPunctuation: true },
            adaptation: { phraseSets: [{ inlinePhraseSet: { phrases: [{ value: 'Parley' }] } }] },
          },
          streamingFeatures: { interimResults: true, enableVoiceActivityEvents: true },
        },
      },
    ])
    await stream.close()
  })

  test('no call is open while nobody speaks, so none is ended by Google', async () => {
    const words = [{ text: 'Hello.', startMs: 100, endMs: 400 }]
    const { clock, open, hear, finals, stream, failure, double } = await listen({ words, answerMs: 50 })
    await hear(600)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual(['Hello.'])
    expect(open()).toBe(0)
    await clock.advance(30_000)
    await hear(600)
    // The caller's line fell silent in the middle of it.
    await clock.advance(8_500)
    expect(open()).toBe(0)
    expect(failure()).toBeUndefined()
    expect(double.configs.length).toBe(2)
    await stream.close()
  })

  test('somebody speaks for ten minutes: three calls, no word lost, none twice', async () => {
    const words = Array.from({ length: 590 }, (_, i) => ({
      text: `w${i}`,
      startMs: i * 1_000 + 100,
      endMs: i * 1_000 + 800,
    }))
    const { clock, hear, finals, stream, failure, double } = await listen({ words }, { callLimitMs: 300_000 })
    await hear(600_000)
    stream.finalize()
    await clock.advance(500)
    expect(failure()).toBeUndefined()
    expect(finals()).toEqual([words.map((word) => word.text).join(' ')])
    expect(double.configs.length).toBe(3)
    await stream.close()
  })

  test('its own end of a call is planned: no mark against its health', async () => {
    const { clock, hear, failure } = await listen({}, { callLimitMs: 1_000 })
    await hear(1_500)
    await clock.advance(100)
    expect(failure()).toMatchObject({ kind: 'expired', stage: 'stt' })
  })

  test('a pause is told as the end of voice activity', async () => {
    const words = [{ text: 'Hello.', startMs: 100, endMs: 400 }]
    const { hear, events, stream } = await listen({ words })
    await hear(1_600)
    expect(events.at(-1)).toEqual({ type: 'endOfTurn', text: 'Hello.' })
    await stream.close()
  })
})

describe("Google's voices", () => {
  test.each([
    ['chirp-3-hd', 'Charon', 'de', { languageCode: 'de-DE', name: 'de-DE-Chirp3-HD-Charon' }],
    ['chirp-3-hd', 'en-GB-Chirp3-HD-Kore', 'de', { languageCode: 'en-GB', name: 'en-GB-Chirp3-HD-Kore' }],
    [
      'gemini-2.5-flash-tts',
      'Kore',
      undefined,
      { languageCode: 'en-US', name: 'Kore', modelName: 'gemini-2.5-flash-tts' },
    ],
  ])('%s, %s, %s', (model, voice, language, asked) => {
    expect(synthesisConfig({ model, voice, format: MULAW_8K, language, speed: 4 })).toEqual({
      streamingConfig: {
        voice: asked,
        streamingAudioConfig: { audioEncoding: 'MULAW', sampleRateHertz: 8_000, speakingRate: 2 },
      },
    })
  })

  test('a voice is no recogniser, and voices that do not stream are neither', () => {
    const { provider } = voices()
    expect(provider.stt!('chirp-3-hd')).toBeUndefined()
    expect(provider.tts!('chirp_3')).toBeUndefined()
    expect(provider.tts!('neural2')).toBeUndefined()
  })
})

describe('settings of google-speech', () => {
  const read = { name: 'g', members: {}, folder: '/etc/parley' }

  test('a key, a key file, or the credentials of the machine', () => {
    expect(googleSpeechSettings({ ...read, apiKey: 'k' }).credentials).toEqual({ apiKey: 'k' })
    expect(googleSpeechSettings({ ...read, members: { keyFile: 'key.json' } }).credentials).toEqual({
      keyFilename: '/etc/parley/key.json',
    })
    expect(googleSpeechSettings(read)).toEqual({ name: 'g', location: 'global', credentials: {} })
  })

  test.each([
    [{ members: { projekt: 'p' } }, 'providers.g.projekt'],
    [{ members: { location: 'eu/..' } }, 'providers.g.location'],
    [{ members: { credentials: 'SECRET' } }, 'providers.g.credentials'],
    [{ baseUrl: 'https://x/y' }, 'providers.g.baseUrl'],
  ])('%o is refused by name', (wrong, says) => {
    let message = ''
    try {
      googleSpeechSettings({ ...read, ...wrong })
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain(says)
    expect(message).not.toContain('SECRET')
  })

  test('the packages are not there: it is said, with what to do', () => {
    const notes: string[] = []
    const deps = { clock: new VirtualClock(), note: (text: string) => notes.push(text) }
    expect(googleEntries(deps, googleSpeechSettings(read), ['/'])).toBeUndefined()
    expect(notes).toEqual([
      'providers.g: the package @google-cloud/speech is not installed (npm install @google-cloud/speech): its targets are skipped',
      'providers.g: the package @google-cloud/text-to-speech is not installed (npm install @google-cloud/text-to-speech): its targets are skipped',
    ])
  })

  test('units, hosts and errors', () => {
    expect(durationMs({ seconds: '3', nanos: 250_000_000 })).toBe(3_250)
    expect(durationMs(null)).toBe(0)
    expect(hostOf('speech', 'global')).toBe('speech.googleapis.com')
    expect(hostOf('texttospeech', 'eu')).toBe('eu-texttospeech.googleapis.com')
    expect(kindOfFault({ code: 3, reason: 'API_KEY_INVALID' })).toBe('auth')
    expect(kindOfFault({ code: 11, reason: undefined })).toBe('expired')
    expect(kindOfFault({ code: 14, reason: undefined })).toBe('transient')
  })
})
