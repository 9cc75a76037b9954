/** `type: azure-speech`: Azure's recogniser and voices, by Microsoft's SDK, which is the operator's package. Evidence: `wire.ts`. */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { openScope } from '../../cancel.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter, SttCaps } from '../../stage/stt.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { CalledVoice } from '../called-voice.ts'
import { CallsSocket, callsProtocol, REPLAY_SPEED } from '../calls-socket.ts'
import { openRecognition } from '../open-recognition.ts'
import { packageEntry } from '../operator-package.ts'
import type { PartHearing } from '../parted-answer.ts'
import type { Connect } from '../socket.ts'
import { checkOpening } from '../voice-opening.ts'
import type { Azure } from './sdk.ts'
import { localeOf, readHeard, type SpokenEvent, spokenWord, ssmlOf } from './wire.ts'

export { azureSdk } from './sdk.ts'
export { type AzureSpeechSettings, azureSpeechSettings } from './settings.ts'

const PACKAGE = 'microsoft-cognitiveservices-speech-sdk'

const STT: SttCaps = {
  languages: 'any',
  inputs: [PCM16_16K, MULAW_8K, ALAW_8K],
  feed: 'speech',
  endOfTurn: 'vad',
  eager: false,
  wordTimes: true,
  forceFinal: true,
  maxReplaySpeed: REPLAY_SPEED,
}
const TTS: TtsCaps = {
  input: 'whole',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'word',
  contexts: 1,
  cancel: true,
  languages: 'any',
}
const VOICES = /^neural/

/** Where the package is; undefined, and a note that says what to do, where it is not installed. */
export function azureEntry(
  deps: ProviderDeps,
  provider: string,
  folders: readonly string[],
): string | undefined {
  return packageEntry(deps, { provider, package: PACKAGE, folders })
}

export function createAzureSpeech({ clock }: ProviderDeps, name: string, azure: Azure): Provider {
  const stt = (model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: STT,
    async open({ format, language, hints = [], signal }) {
      signal.throwIfAborted()
      const rpc = azure.recognition({ format, locale: localeOf(language), hints })
      const connect: Connect = async (request) => {
        await rpc.ready(request.signal)
        return new CallsSocket({ rpc, config: {}, format, clock })
      }
      const facts = { provider: name, protocol: callsProtocol('Azure', readHeard), connect }
      return openRecognition({ ...facts, url: 'azure:', headers: {}, format, signal, clock })
    },
  })
  const answers = new Set<CalledVoice>()
  const scope = openScope()
  const tts = (model: string): TtsAdapter => ({
    id: `${name}/${model}`,
    caps: TTS,
    // The SDK is loaded; it connects for each sentence.
    warm: ({ format }) =>
      void azure
        .voices(format)
        .ready(scope.signal)
        .catch(() => {}),
    async open(opening) {
      checkOpening(name, TTS, opening)
      const { voice, format, language, speed = 1, signal } = opening
      const line = {
        rpc: azure.voices(format),
        requests: (text: string) => [{ ssml: ssmlOf(text, { voice, language, speed }) }],
        read: (response: unknown, hearing: PartHearing) => hear(response as SpokenEvent, hearing),
      }
      const answer = new CalledVoice({ provider: name, format, signal, clock }, line, () => {
        answers.delete(answer)
      })
      answers.add(answer)
      return answer.connect()
    },
  })
  return {
    name,
    stt: (model) => (model === 'speech' ? stt(model) : undefined),
    tts: (model) => (VOICES.test(model) ? tts(model) : undefined),
    async close() {
      scope.cancel('done')
      for (const answer of [...answers]) answer.stop()
    },
  }
}

function hear(event: SpokenEvent, hearing: PartHearing): void {
  if (event.type === 'audio') return hearing.audio(event.audio)
  const word = spokenWord(event)
  if (word) hearing.words([word], word.endMs)
}
