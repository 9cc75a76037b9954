/** Recognisers and voices behind packages of the operator's, which are replaced here by what speaks to their doubles in memory. */
import { createAzureSpeech } from '../../src/provider/azure-speech/index.ts'
import { createGoogleSpeech } from '../../src/provider/google-speech/index.ts'
import { fakeAzureRecogniser } from '../../src/testing/stt/azure.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { fakeGoogleRecogniser } from '../../src/testing/stt/google.ts'
import { AZURE_VOICES_KEY, FakeAzureVoices } from '../../src/testing/tts/azure.ts'
import { FakeGoogleVoices } from '../../src/testing/tts/google.ts'
import { azureInMemory } from '../../test/support/azure-in-memory.ts'
import { GoogleInMemory } from '../../test/support/google-in-memory.ts'
import { Ear } from './ear.ts'
import type { Recogniser } from './recognisers.ts'
import { soundsOf } from './sounds.ts'
import type { Voice } from './voices.ts'

const note = () => {}
const GOOGLE = { project: 'double', location: 'global', credentials: {} }

export const PACKAGED_RECOGNISERS: readonly Recogniser[] = [
  {
    title: 'Google',
    model: 'chirp_3',
    play(name, broken, clock) {
      const double = fakeGoogleRecogniser({ clock, scriptOf: () => new Ear(broken, 'in all audio') })
      const speech = new GoogleInMemory(double.grpc, 'recognise')
      const provider = createGoogleSpeech({ clock, note }, { name, ...GOOGLE }, { speech })
      return { provider, mistakes: () => double.mistakes }
    },
  },
  {
    title: 'Azure',
    model: 'speech',
    play(name, broken, clock) {
      const double = fakeAzureRecogniser({ clock, scriptOf: () => new Ear(broken, 'in all audio') })
      const provider = createAzureSpeech({ clock, note }, name, azureInMemory(double.server, FAKE_KEY))
      return { provider, mistakes: () => double.mistakes }
    },
  },
]

export const PACKAGED_VOICES: readonly Voice[] = [
  {
    title: 'Google',
    model: 'chirp-3-hd',
    voice: 'Charon',
    play(name, broken, clock) {
      const double = new FakeGoogleVoices({ clock, ...soundsOf(broken) })
      const voices = new GoogleInMemory(double.grpc, 'synthesise')
      const provider = createGoogleSpeech({ clock, note }, { name, ...GOOGLE }, { voices })
      return { provider, mistakes: () => double.mistakes }
    },
  },
  {
    title: 'Azure',
    model: 'neural',
    voice: 'en-US-AvaNeural',
    play(name, broken, clock) {
      const double = new FakeAzureVoices({ clock, ...soundsOf(broken) })
      const azure = azureInMemory(double.server, AZURE_VOICES_KEY)
      const provider = createAzureSpeech({ clock, note }, name, azure)
      return { provider, mistakes: () => double.mistakes }
    },
  },
]
