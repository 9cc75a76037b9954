/** Every recogniser that has a double: a row and a column of the matrix each. */
import type { Clock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createGladia } from '../../src/provider/gladia/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { Connect } from '../../src/provider/socket.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import type { Provider, ProviderDeps } from '../../src/stage/provider.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type SttDoubleOptions, type SttSessionRecord } from '../../src/testing/stt/double.ts'
import { fakeFlux } from '../../src/testing/stt/flux.ts'
import { fakeGladia } from '../../src/testing/stt/gladia.ts'
import { fakeOpenAiRealtime } from '../../src/testing/stt/openai-realtime.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { fakeSpeechmatics } from '../../src/testing/stt/speechmatics.ts'
import { fakeTranscriptions } from '../../src/testing/stt/transcriptions.ts'
import type { Break } from './break.ts'
import { Ear, type Places } from './ear.ts'
import { fileEar } from './file-ear.ts'

/** An adapter behind its double, for one conversation. */
export interface Played {
  readonly provider: Provider
  /** What the double held against its client. */
  mistakes(): readonly string[]
}

export interface Recogniser {
  readonly title: string
  readonly model: string
  play(name: string, broken: Break, clock: Clock): Played
}

type Create = (
  deps: ProviderDeps,
  settings: { readonly name: string; readonly apiKey: string; readonly connect: Connect },
) => Provider
type Double = (options: SttDoubleOptions) => {
  readonly server: DoubleServer
  readonly sessions: readonly SttSessionRecord[]
}

export const RECOGNISERS: readonly Recogniser[] = [
  overSocket('Deepgram', 'nova-3', fakeDeepgram, createDeepgram),
  overSocket('Flux', 'flux-general-en', fakeFlux, createDeepgram, 'in the caller’s'),
  overSocket('AssemblyAI', 'universal-streaming-english', fakeAssemblyAi, createAssemblyAi),
  overSocket('Soniox', 'stt-rt-v5', fakeSoniox, createSoniox),
  overSocket('Scribe', 'scribe_v2_realtime', fakeScribe, createElevenLabs),
  overSocket('Speechmatics', 'enhanced', fakeSpeechmatics, createSpeechmatics),
  gladia(),
  overSocket('OpenAI', 'gpt-4o-transcribe', fakeOpenAiRealtime, createOpenAi),
  overSocket('OpenAI live', 'gpt-realtime-whisper', fakeOpenAiRealtime, createOpenAi),
  files(),
]

const note = () => {}

function overSocket(
  title: string,
  model: string,
  double: Double,
  create: Create,
  places: Places = 'in all audio',
): Recogniser {
  return {
    title,
    model,
    play(name, broken, clock) {
      const { server, sessions } = double({ clock, scriptOf: () => new Ear(broken, places) })
      const { connect } = connectInMemory(server)
      const provider = create({ clock, note }, { name, apiKey: FAKE_KEY, connect })
      return { provider, mistakes: () => sessions.flatMap(({ mistakes }) => mistakes) }
    },
  }
}

/** A request makes the session. */
function gladia(): Recogniser {
  return {
    title: 'Gladia',
    model: 'solaria-1',
    play(name, broken, clock) {
      const { server, http, sessions } = fakeGladia({
        clock,
        scriptOf: () => new Ear(broken, 'in the caller’s'),
      })
      const { connect } = connectInMemory(server)
      const dispatcher = new MemoryDispatcher(http)
      const provider = createGladia({ clock, note }, { name, apiKey: FAKE_KEY, connect, dispatcher })
      return { provider, mistakes: () => sessions.flatMap(({ mistakes }) => mistakes) }
    },
  }
}

/** A request for each pause. */
function files(): Recogniser {
  return {
    title: 'files',
    model: 'whisper-large-v3-turbo',
    play(name, broken, clock) {
      const double = fakeTranscriptions({ clock, scriptOf: () => fileEar(broken) })
      const dispatcher = new MemoryDispatcher(double.http)
      const baseUrl = 'http://files.test/v1'
      const provider = createOpenAi({ clock, note }, { name, baseUrl, apiKey: FAKE_KEY, dispatcher })
      return { provider, mistakes: () => double.mistakes }
    },
  }
}
