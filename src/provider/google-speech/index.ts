/**
 * `type: google-speech`: Google's recogniser and voices, by Google's SDKs, which are the operator's packages. Evidence:
 * `wire.ts`. Its language models are `gemini` and `vertex`.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { openScope, orAborted } from '../../cancel.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter, SttCaps } from '../../stage/stt.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { CalledVoice } from '../called-voice.ts'
import { CallsSocket, callsProtocol, REPLAY_SPEED } from '../calls-socket.ts'
import { openRecognition } from '../open-recognition.ts'
import { packageEntry } from '../operator-package.ts'
import type { PartHearing } from '../parted-answer.ts'
import type { Connect } from '../socket.ts'
import { SoundLengths } from '../sound-length.ts'
import { checkOpening } from '../voice-opening.ts'
import { type GoogleRpc, sdkRpc } from './sdk.ts'
import type { GoogleSpeechSettings } from './settings.ts'
import { readRecognition, recognitionConfig, soundOf, synthesisConfig } from './wire.ts'

export { type GoogleSpeechSettings, googleSpeechSettings } from './settings.ts'

export const SPEECH_PACKAGE = '@google-cloud/speech'
export const VOICES_PACKAGE = '@google-cloud/text-to-speech'

const STT: SttCaps = {
  languages: 'any',
  inputs: [PCM16_16K, PCM16_24K, MULAW_8K, ALAW_8K],
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
  times: 'none',
  contexts: 1,
  cancel: true,
  languages: 'any',
}
/** Voices of older generations are not streamed. */
const VOICES = /^(chirp-?3-hd|gemini-.*tts)/

export interface Rpcs {
  /** Left out: its package is not installed. */
  readonly speech?: GoogleRpc
  readonly voices?: GoogleRpc
}

/** Where the packages are, as `file:` URLs. */
export interface Entries {
  readonly speech?: string
  readonly voices?: string
}

/** Undefined, and notes that say what to do, where neither package is installed; a note where one is missing. */
export function googleEntries(
  deps: ProviderDeps,
  { name }: GoogleSpeechSettings,
  folders: readonly string[],
): Entries | undefined {
  const speech = packageEntry(deps, { provider: name, package: SPEECH_PACKAGE, folders })
  const voices = packageEntry(deps, { provider: name, package: VOICES_PACKAGE, folders })
  if (speech === undefined && voices === undefined) return undefined
  return { ...(speech !== undefined && { speech }), ...(voices !== undefined && { voices }) }
}

export function googleRpcs(
  { clock }: ProviderDeps,
  settings: GoogleSpeechSettings,
  { speech, voices }: Entries,
): Rpcs {
  const of = (entry: string, service: 'speech' | 'texttospeech') =>
    sdkRpc({ entry, service, settings, clock })
  return {
    ...(speech !== undefined && { speech: of(speech, 'speech') }),
    ...(voices !== undefined && { voices: of(voices, 'texttospeech') }),
  }
}

export function createGoogleSpeech(
  { clock }: ProviderDeps,
  settings: GoogleSpeechSettings,
  { speech, voices }: Rpcs,
): Provider {
  const { name, location } = settings
  const stt = (rpc: GoogleRpc, model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: STT,
    async open({ format, language, hints = [], signal }) {
      signal.throwIfAborted()
      let project = settings.project
      const connect: Connect = async (request) => {
        await rpc.ready(request.signal)
        project ??= await orAborted(rpc.project(), request.signal)
        const config = recognitionConfig({ project, location, model, format, language, hints })
        return new CallsSocket({ rpc, config, format, clock })
      }
      const facts = {
        provider: name,
        protocol: callsProtocol('Google', readRecognition),
        connect,
        format,
        signal,
        clock,
      }
      return openRecognition({ ...facts, url: 'grpc:', headers: {} })
    },
  })
  const answers = new Set<CalledVoice>()
  const lengths = new SoundLengths()
  const scope = openScope()
  const tts = (rpc: GoogleRpc, model: string): TtsAdapter => ({
    id: `${name}/${model}`,
    caps: TTS,
    // One connection for all voices.
    warm: () => void rpc.ready(scope.signal).catch(() => {}),
    async open(opening) {
      checkOpening(name, TTS, opening)
      const { voice, format, language, speed = 1, shortSound, signal } = opening
      const config = synthesisConfig({ model, voice, format, language, speed })
      const line = {
        rpc,
        requests: (text: string) => [config, { input: { text } }],
        read: (response: unknown, hearing: PartHearing) => {
          const audio = soundOf(response)
          if (audio) hearing.audio(audio)
        },
        whole: shortSound === 'kept' ? undefined : lengths.judge({ model, voice, language, speed }),
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
    ...(speech && { stt: (model) => (VOICES.test(model) ? undefined : stt(speech, model)) }),
    ...(voices && { tts: (model) => (VOICES.test(model) ? tts(voices, model) : undefined) }),
    async close() {
      scope.cancel('done')
      for (const answer of [...answers]) answer.stop()
      await Promise.all([speech?.close(), voices?.close()])
    },
  }
}
