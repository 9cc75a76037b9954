/** Every adapter of `bench:speech`: how it is made, and the double that it speaks to. Those that speak through a package of the operator's have none. */
import type { Dispatcher } from 'undici'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createGladia } from '../../src/provider/gladia/index.ts'
import { createHume } from '../../src/provider/hume/index.ts'
import { createInworld } from '../../src/provider/inworld/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import { createRime } from '../../src/provider/rime/index.ts'
import type { Connect } from '../../src/provider/socket.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import type { Provider, ProviderDeps } from '../../src/stage/provider.ts'
import {
  type Double,
  fakeAssemblyAi,
  fakeCartesia,
  fakeDeepgram,
  fakeElevenLabs,
  fakeFlux,
  fakeGladia,
  fakeHume,
  fakeInworld,
  fakeOpenAiRealtime,
  fakeRime,
  fakeScribe,
  fakeSoniox,
  fakeSonioxVoices,
  fakeSpeak,
  fakeSpeech,
  fakeSpeechmatics,
  fakeTranscriptions,
  type HeardWord,
} from '../../src/testing/index.ts'

type Create = (
  deps: ProviderDeps,
  settings: {
    readonly name: string
    readonly apiKey: string
    readonly baseUrl: string
    readonly stt?: 'realtime'
    readonly connect: Connect
    readonly dispatcher: Dispatcher
  },
) => Provider

interface Maker {
  readonly title: string
  readonly model: string
  readonly create: Create
  readonly double: () => Double
}

export type Subject = Maker & ({ readonly stage: 'stt' } | { readonly stage: 'tts'; readonly voice: string })

/** Said in each stream of a recogniser. */
export const STREAM_MS = 2_000

const WORDS: readonly HeardWord[] = Array.from({ length: STREAM_MS / 500 }, (_, n) => ({
  text: `word${n}`,
  startMs: n * 500 + 50,
  endMs: n * 500 + 350,
}))
const script = { words: WORDS }
/** Thirty times as fast as it sounds; each chunk is a message of its own, as providers send them. */
const sounds = { msPerChar: 50, chunkMs: 100, firstAudioMs: 3, everyMs: 3 }

const EARS: readonly Maker[] = [
  { title: 'Deepgram', model: 'nova-3', create: createDeepgram, double: () => fakeDeepgram({ script }) },
  { title: 'Flux', model: 'flux-general-en', create: createDeepgram, double: () => fakeFlux({ script }) },
  {
    title: 'AssemblyAI',
    model: 'universal-streaming-english',
    create: createAssemblyAi,
    double: () => fakeAssemblyAi({ script }),
  },
  { title: 'Soniox', model: 'stt-rt-v5', create: createSoniox, double: () => fakeSoniox({ script }) },
  {
    title: 'Scribe',
    model: 'scribe_v2_realtime',
    create: createElevenLabs,
    double: () => fakeScribe({ script }),
  },
  {
    title: 'Speechmatics',
    model: 'enhanced',
    create: createSpeechmatics,
    double: () => fakeSpeechmatics({ script }),
  },
  { title: 'Gladia', model: 'solaria-1', create: createGladia, double: () => fakeGladia({ script }) },
  {
    title: 'OpenAI',
    model: 'gpt-4o-transcribe',
    create: createOpenAi,
    double: () => fakeOpenAiRealtime({ script }),
  },
  {
    title: 'OpenAI live',
    model: 'gpt-realtime-whisper',
    create: createOpenAi,
    double: () => fakeOpenAiRealtime({ script }),
  },
  {
    title: 'files',
    model: 'whisper-large-v3-turbo',
    create: createOpenAi,
    double: () => fakeTranscriptions({ script: { hear: () => WORDS } }),
  },
]

const VOICES: readonly (Maker & { readonly voice: string })[] = [
  {
    title: 'ElevenLabs voices',
    model: 'eleven_flash_v2_5',
    voice: 'anna',
    create: createElevenLabs,
    double: () => fakeElevenLabs(sounds),
  },
  {
    title: 'Cartesia',
    model: 'sonic-3',
    voice: 'anna',
    create: createCartesia,
    double: () => fakeCartesia(sounds),
  },
  {
    title: 'Aura',
    model: 'aura-2',
    voice: 'thalia',
    create: createDeepgram,
    double: () => fakeSpeak(sounds),
  },
  {
    title: 'Flux voices',
    model: 'flux-tts',
    voice: 'thalia',
    create: createDeepgram,
    double: () => fakeSpeak(sounds),
  },
  { title: 'Rime', model: 'coda', voice: 'astra', create: createRime, double: () => fakeRime(sounds) },
  {
    title: 'Soniox voices',
    model: 'tts-rt-v2',
    voice: 'Adrian',
    create: createSoniox,
    double: () => fakeSonioxVoices(sounds),
  },
  { title: 'Hume', model: 'octave-2', voice: 'anna', create: createHume, double: () => fakeHume(sounds) },
  {
    title: 'Inworld',
    model: 'inworld-tts-1.5-max',
    voice: 'Ashley',
    create: createInworld,
    double: () => fakeInworld(sounds),
  },
  {
    title: '/audio/speech',
    model: 'tts-1',
    voice: 'alloy',
    create: createOpenAi,
    double: () => fakeSpeech(sounds),
  },
]

export const SUBJECTS: readonly Subject[] = [
  ...EARS.map((maker) => ({ ...maker, stage: 'stt' as const })),
  ...VOICES.map((maker) => ({ ...maker, stage: 'tts' as const })),
]

/** Throws when there is none of that title. */
export function subjectOf(title: string): Subject {
  const found = SUBJECTS.find((subject) => subject.title === title)
  if (!found) throw new Error(`${title} is none of ${SUBJECTS.map((one) => one.title).join(', ')}`)
  return found
}
