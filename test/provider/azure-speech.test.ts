import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import { azureEntry, azureSpeechSettings, createAzureSpeech } from '../../src/provider/azure-speech/index.ts'
import { faultOf, readHeard, spokenWord, ssmlOf } from '../../src/provider/azure-speech/wire.ts'
import { fakeAzureRecogniser } from '../../src/testing/stt/azure.ts'
import type { SttScript } from '../../src/testing/stt/double.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { AZURE_VOICES_KEY, FakeAzureVoices } from '../../src/testing/tts/azure.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { azureInMemory } from '../support/azure-in-memory.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

const make: MakeRig = (script: SttScript) => {
  const clock = new VirtualClock()
  const { server, sessions } = fakeAzureRecogniser({ clock, script })
  const azure = azureInMemory(server, FAKE_KEY)
  const provider = createAzureSpeech({ clock, note }, 'azure-speech', azure)
  return { adapter: provider.stt!('speech')!, clock, open: () => azure.open, sessions }
}

sttContract('azure-speech', make)
sttNetwork('azure-speech', make, {
  force: 'end',
  // Between utterances there is no call that could end.
  keepAlive: () => true,
  refuses: 'with the first audio',
  connects: 'with the first audio',
  untold: ['malformed_json', 'the time to retry'],
  unknown: { path: 'speech.something', body: { New: true } },
  formats: [PCM16_16K, MULAW_8K, ALAW_8K],
})

function bench(): TtsBench {
  const clock = new VirtualClock()
  const double = new FakeAzureVoices({ clock })
  const azure = azureInMemory(double.server, AZURE_VOICES_KEY)
  const provider = createAzureSpeech({ clock, note }, 'azure-speech', azure)
  return {
    adapter: provider.tts!('neural')!,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    connects: 'with the first sentence',
    shares: 'nothing',
    blind: ['duplicate_final', 'malformed_json'],
    untold: 'the time to retry',
    mistakes: () => double.mistakes,
    open: () => azure.open,
    close: () => provider.close(),
  }
}
ttsConformance('Azure', bench)

describe('Azure', () => {
  test('what is said is said, whatever stands in it', () => {
    const voice = 'de-DE-KatjaNeural'
    expect(ssmlOf('Tom & "Jerry" <b>\u0000\uD800', { voice, language: 'en', speed: 9 })).toBe(
      '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="de-DE"><voice name="de-DE-KatjaNeural"><prosody rate="2">Tom &amp; &quot;Jerry&quot; &lt;b&gt;</prosody></voice></speak>',
    )
  })

  test('ticks are milliseconds, and words are written as they are shown', () => {
    const words = [
      { Word: 'hello', Offset: 1_000_000, Duration: 3_000_000 },
      { Word: 'there', Offset: 4_500_000, Duration: 4_500_000 },
    ]
    const json = JSON.stringify({ NBest: [{ Confidence: 0.8, Words: words }] })
    const event = { type: 'recognized', text: 'Hello there.', offset: 1_000_000, duration: 8_000_000, json }
    expect(readHeard(event).results).toEqual([
      {
        text: 'Hello there.',
        isFinal: true,
        endMs: 900,
        words: [
          { text: 'Hello', startMs: 100, endMs: 400 },
          { text: 'there.', startMs: 450, endMs: 900 },
        ],
        confidence: 0.8,
        language: undefined,
      },
    ])
    expect(readHeard({ type: 'speechEnd', offset: 9_000_000 }).speechEndMs).toBe(900)
  })

  test('a mark is no word', () => {
    const mark = { type: 'word', text: '.', offset: 1, duration: 1, boundary: 'PunctuationBoundary' } as const
    expect(spokenWord(mark)).toBeUndefined()
  })

  test.each([
    [4, 'Unexpected server response: 401 wss://x?SECRET', 'auth'],
    [4, 'Unexpected server response: 429', 'rate'],
    [1, 'SECRET', 'auth'],
    [2, undefined, 'bad_request'],
    [4, 'SECRET', 'transient'],
  ] as const)('code %i, %s: %s', (code, details, kind) => {
    const fault = faultOf(code, details)
    expect(fault.kind).toBe(kind)
    expect(fault.message).not.toContain('SECRET')
  })

  test.each([
    [{ members: {} }, 'providers.a.region'],
    [{ members: { region: 'https://x' } }, 'providers.a.region'],
    [{ members: { regions: 'westeurope' } }, 'providers.a.regions'],
    [{ members: {}, baseUrl: 'https://x/y' }, 'providers.a.baseUrl'],
  ])('%o is refused by name', (wrong, says) => {
    expect(() => azureSpeechSettings({ name: 'a', apiKey: 'k', ...wrong })).toThrow(says)
  })

  test('the package is not there: it is said, with what to do', () => {
    const notes: string[] = []
    const deps = { clock: new VirtualClock(), note: (text: string) => notes.push(text) }
    expect(azureEntry(deps, 'a', ['/'])).toBeUndefined()
    expect(notes[0]).toContain('npm install microsoft-cognitiveservices-speech-sdk')
  })
})
