/** Every voice that has a double: a row and a column of the matrix each. */
import type { Clock } from '../../src/clock.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createHume } from '../../src/provider/hume/index.ts'
import { createInworld } from '../../src/provider/inworld/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import { createRime } from '../../src/provider/rime/index.ts'
import type { Connect } from '../../src/provider/socket.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import type { Provider, ProviderDeps } from '../../src/stage/provider.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia } from '../../src/testing/tts/cartesia.ts'
import { FakeSpeak, SPEAK_KEY } from '../../src/testing/tts/deepgram.ts'
import type { SoundOptions } from '../../src/testing/tts/double.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'
import { FakeHume, HUME_KEY } from '../../src/testing/tts/hume.ts'
import { FakeInworld, INWORLD_KEY } from '../../src/testing/tts/inworld.ts'
import { FakeSpeech, SPEECH_KEY } from '../../src/testing/tts/openai.ts'
import { FakeRime, RIME_KEY } from '../../src/testing/tts/rime.ts'
import { FakeSonioxVoices, SONIOX_VOICES_KEY } from '../../src/testing/tts/soniox.ts'
import type { Break } from './break.ts'
import type { Played } from './recognisers.ts'
import { soundsOf } from './sounds.ts'

export interface Voice {
  readonly title: string
  readonly model: string
  /** Of `voices` in a pipeline. */
  readonly voice: string
  play(name: string, broken: Break, clock: Clock): Played
}

type Create = (
  deps: ProviderDeps,
  settings: { readonly name: string; readonly apiKey: string; readonly connect: Connect },
) => Provider
type Double = new (
  options: SoundOptions,
) => { readonly server: DoubleServer; readonly mistakes: readonly string[] }

interface Facts {
  readonly title: string
  readonly model: string
  readonly voice: string
  readonly key: string
}

const note = () => {}

export const VOICES: readonly Voice[] = [
  overSocket(
    { title: 'ElevenLabs', model: 'eleven_flash_v2_5', voice: 'anna', key: ELEVENLABS_KEY },
    FakeElevenLabs,
    createElevenLabs,
  ),
  overSocket(
    { title: 'Cartesia', model: 'sonic-3', voice: 'anna', key: CARTESIA_KEY },
    FakeCartesia,
    createCartesia,
  ),
  overSocket({ title: 'Aura', model: 'aura-2', voice: 'thalia', key: SPEAK_KEY }, FakeSpeak, createDeepgram),
  overSocket(
    { title: 'Flux', model: 'flux-tts', voice: 'thalia', key: SPEAK_KEY },
    FakeSpeak,
    createDeepgram,
  ),
  overSocket({ title: 'Rime', model: 'coda', voice: 'astra', key: RIME_KEY }, FakeRime, createRime),
  overSocket(
    { title: 'Soniox', model: 'tts-rt-v2', voice: 'Adrian', key: SONIOX_VOICES_KEY },
    FakeSonioxVoices,
    createSoniox,
  ),
  overSocket({ title: 'Hume', model: 'octave-2', voice: 'anna', key: HUME_KEY }, FakeHume, createHume),
  {
    title: 'Inworld',
    model: 'inworld-tts-1.5-max',
    voice: 'Ashley',
    play(name, broken, clock) {
      const double = new FakeInworld({ clock, ...soundsOf(broken) })
      const dispatcher = new MemoryDispatcher(double.http)
      const provider = createInworld({ clock, note }, { name, apiKey: INWORLD_KEY, dispatcher })
      return { provider, mistakes: () => double.mistakes }
    },
  },
  {
    title: '/audio/speech',
    model: 'tts-1',
    voice: 'alloy',
    play(name, broken, clock) {
      const double = new FakeSpeech({ clock, ...soundsOf(broken) })
      const dispatcher = new MemoryDispatcher(double.http)
      const baseUrl = 'http://speech.test/v1'
      const provider = createOpenAi({ clock, note }, { name, apiKey: SPEECH_KEY, baseUrl, dispatcher })
      return { provider, mistakes: () => double.mistakes }
    },
  },
]

function overSocket({ key, ...facts }: Facts, Double: Double, create: Create): Voice {
  return {
    ...facts,
    play(name, broken, clock) {
      const double = new Double({ clock, ...soundsOf(broken) })
      const { connect } = connectInMemory(double.server)
      const provider = create({ clock, note }, { name, apiKey: key, connect })
      return { provider, mistakes: () => double.mistakes }
    },
  }
}
