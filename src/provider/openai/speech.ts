/**
 * Voices of any server with OpenAI's `/v1/audio/speech`: OpenAI itself, and those that offer Kokoro, Piper or Orpheus.
 * Written from the types of the `openai` package 7.57 and https://developers.openai.com/api/docs/guides/text-to-speech,
 * read on 2026-11-25 (S); that servers of others send WAV only, or at another rate, from what they document (D).
 * The SDK checks our double. Not yet run with real keys.
 *
 *     ─► POST {model, input, voice, response_format, speed?}      a sentence
 *     ◄─ 200, samples as they are made
 */
import type { Dispatcher } from 'undici'
import { type AudioFormat, sameFormat } from '../../audio/format.ts'
import { WavStream } from '../../audio/wav-stream.ts'
import { errorOfStatus, isRecord } from '../../dialect/openai-error.ts'
import { ProviderError } from '../../errors.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import type { HttpTarget } from '../http-exchange.ts'
import { HttpSpeech, refuseNoSound, type SoundReader } from '../http-speech.ts'
import type { PartHearing } from '../parted-answer.ts'
import { getReady } from '../ready-agent.ts'
import type { SoundLengths } from '../sound-length.ts'

/** What a server's voices sound in; nothing in an answer without a header tells. */
export interface SpeechSettings {
  readonly format: 'pcm' | 'wav'
  readonly sampleRateHz: number
}

/** OpenAI's own. */
const SPEECH: SpeechSettings = { format: 'pcm', sampleRateHz: 24_000 }
/** Beyond these the server refuses. */
const SPEED = { min: 0.25, max: 4 }

export interface OpenAiSpeech {
  readonly provider: string
  readonly model: string
  readonly dispatcher: Dispatcher
  readonly target: HttpTarget
  /** Of the provider. */
  readonly lengths: SoundLengths
  readonly speech?: SpeechSettings
}

/** Of the settings, as written. Throws an `Error` that names what is wrong. */
export function speechOf(name: string, speech: unknown): SpeechSettings {
  if (speech === undefined) return SPEECH
  const where = `providers.${name}.speech`
  if (!isRecord(speech)) throw new Error(`${where} must be { format, sampleRateHz }`)
  const unknown = Object.keys(speech).find((member) => !(member in SPEECH))
  if (unknown !== undefined) throw new Error(`${where}.${unknown} is unknown`)
  const { format = SPEECH.format, sampleRateHz = SPEECH.sampleRateHz } = speech
  if (format !== 'pcm' && format !== 'wav') throw new Error(`${where}.format must be pcm or wav`)
  const hz = Number.isInteger(sampleRateHz) ? (sampleRateHz as number) : 0
  if (hz < 8_000 || hz > 48_000) throw new Error(`${where}.sampleRateHz must be 8000 to 48000`)
  return { format, sampleRateHz: hz }
}

export function openAiSpeech({
  provider,
  model,
  dispatcher,
  target,
  lengths,
  speech = SPEECH,
}: OpenAiSpeech): TtsAdapter {
  const sound: AudioFormat = { encoding: 'pcm16', sampleRateHz: speech.sampleRateHz }
  const caps: TtsCaps = {
    input: 'whole',
    outputs: [sound],
    times: 'none',
    contexts: 1,
    cancel: true,
    languages: 'any',
  }
  const refusal = (message: string) =>
    new ProviderError({ provider, stage: 'tts', kind: 'bad_request', message })
  return {
    id: `${provider}/${model}`,
    caps,
    warm({ voice, format }) {
      if (voice !== '' && sameFormat(sound, format)) getReady(dispatcher, target.origin, 'tts')
    },
    async open({ voice, format, language, speed = 1, shortSound, signal, clock }) {
      signal.throwIfAborted()
      if (voice === '') throw refusal('no voice of this provider is named in `voices`')
      if (!sameFormat(sound, format)) throw refusal(`no ${format.encoding} at ${format.sampleRateHz} Hz`)
      const pace = speed === 1 ? {} : { speed: Math.min(SPEED.max, Math.max(SPEED.min, speed)) }
      const server = {
        dispatcher,
        target,
        errorOf: errorOfStatus,
        whole: shortSound === 'kept' ? undefined : lengths.judge({ model, voice, language, speed }),
        bodyOf: (input: string) =>
          JSON.stringify({ model, input, voice, response_format: speech.format, ...pace }),
        reader: (hearing: PartHearing, contentType: string) => samplesOf(hearing, contentType, sound),
      }
      return new HttpSpeech({ provider, format, signal, clock }, server).connect()
    },
  }
}

/** A server asked for samples may send a WAV all the same. */
function samplesOf(hearing: PartHearing, contentType: string, sound: AudioFormat): SoundReader {
  refuseNoSound(contentType)
  const wav = new WavStream(sound)
  const tell = (samples: Uint8Array) => {
    if (samples.length > 0) hearing.audio(samples)
  }
  return { push: (bytes) => tell(wav.push(bytes)), end: () => tell(wav.end()) }
}
