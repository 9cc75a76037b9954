/**
 * `type: inworld`: Inworld's voices, streamed over HTTP. Written from `@inworld/tts` 1.1.1, the official SDK, and
 * https://docs.inworld.ai/tts/synthesize-speech-streaming, read on 2026-11-25 (S; what an error line looks like: D). The
 * SDK checks our double. Not yet run with real keys. Why not its WebSocket: no official client speaks it, and a request
 * a sentence over a warm connection needs no context to be created first.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { WavStream } from '../../audio/wav-stream.ts'
import { StreamFault } from '../../dialect/faults.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps, TtsOpenOptions } from '../../stage/tts.ts'
import { type HttpCloudSettings, httpEndpoint } from '../http-endpoint.ts'
import { HttpSpeech, refuseNoSound, type SoundReader } from '../http-speech.ts'
import { JsonLines } from '../json-lines.ts'
import type { Fields } from '../message.ts'
import type { PartHearing } from '../parted-answer.ts'
import { getReady } from '../ready-agent.ts'
import { SoundLengths } from '../sound-length.ts'
import { canOpen, checkOpening } from '../voice-opening.ts'
import { RisingWords } from '../word-clock.ts'
import { errorOfAnswer, INWORLD_PATH, readLine, speechBody } from './wire.ts'

export const INWORLD_BASE_URL = 'https://api.inworld.ai'

const CAPS: TtsCaps = {
  input: 'whole',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'word',
  contexts: 1,
  cancel: true,
  languages: 'any',
}

/** Voices remembered for having given times. */
const TIMED_VOICES = 256

/** Throws an `Error` naming the setting that is wrong. */
export function createInworld(deps: ProviderDeps, settings: HttpCloudSettings): Provider {
  const { name, apiKey, origin, path, dispatcher } = httpEndpoint(settings, INWORLD_BASE_URL, deps.clock)
  // Its keys are in base64 as they are given out.
  const headers = { 'content-type': 'application/json', authorization: `Basic ${apiKey}` }
  const target = { origin, path: `${path}${INWORLD_PATH}`, headers }
  /** Voices, each in a model and a language, that gave times of words: one that gives none then was cut off before them. */
  const timed = new Set<string>()
  const lengths = new SoundLengths()
  const tts = (model: string): TtsAdapter => ({
    id: `${name}/${model}`,
    caps: CAPS,
    warm(options) {
      if (canOpen(CAPS, options)) getReady(dispatcher, origin, 'tts')
    },
    async open(opening: TtsOpenOptions) {
      checkOpening(name, CAPS, opening)
      const { voice, format, language, speed = 1, shortSound, signal, clock } = opening
      const request = { model, voice, format, speed, ...(language !== undefined && { language }) }
      const spoken = JSON.stringify([model, voice, language])
      const ended = (times: 'given' | 'none') => {
        if (times === 'none' && timed.has(spoken)) {
          throw new StreamFault('transient', 'the answer ended before the times of its words')
        }
        if (times === 'given' && timed.size < TIMED_VOICES) timed.add(spoken)
      }
      const server = {
        dispatcher,
        target,
        errorOf: errorOfAnswer,
        whole: shortSound === 'kept' ? undefined : lengths.judge({ model, voice, language, speed }),
        bodyOf: (text: string) => speechBody(text, request),
        reader: (hearing: PartHearing, contentType: string) => {
          // It answers lines of JSON as `application/json`.
          if (!contentType.includes('json')) refuseNoSound(contentType)
          return linesOf(hearing, format.encoding === 'pcm16' ? new WavStream(format) : undefined, ended)
        },
      }
      return new HttpSpeech({ provider: name, format, signal, clock }, server).connect()
    },
  })
  return { name, tts, close: () => dispatcher.destroy() }
}

/** `wav`: takes off the header that chunks of samples may begin with. `ended` is told at the end of all lines, and throws where more was due. */
function linesOf(
  hearing: PartHearing,
  wav: WavStream | undefined,
  ended: (times: 'given' | 'none') => void,
): SoundReader {
  const lines = new JsonLines()
  const words = new RisingWords()
  const sound = (bytes: Uint8Array) => {
    if (bytes.length > 0) hearing.audio(bytes)
  }
  const tell = (all: readonly Fields[]) => {
    for (const line of all.map(readLine)) {
      if (line.type === 'error') throw new StreamFault(line.facts.kind, line.facts.message)
      if (line.audio) sound(wav ? wav.push(line.audio) : line.audio)
      if (line.words.length > 0) hearing.words(words.rise(line.words), words.endMs)
    }
  }
  return {
    push: (bytes) => tell(lines.push(bytes)),
    end: () => {
      tell(lines.end())
      if (wav) sound(wav.end())
      ended(words.endMs > 0 ? 'given' : 'none')
    },
  }
}
