/**
 * `type: deepgram`, its voices: Aura over v1 `speak`, Flux TTS over v2. Evidence: `speak-wire.ts`. The SDK checks our
 * double.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import type { CloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { QueuedAnswer } from '../queued-link.ts'
import { canOpen, checkOpening, leaseLine, refusal } from '../voice-opening.ts'
import { SpeakLink } from './speak-link.ts'
import { speakModel, speakUrl, speakVersion } from './speak-wire.ts'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'none',
  contexts: 1,
  cancel: true,
  languages: 'any',
}
/** One answer each. What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 128

export interface Voices {
  /** Undefined: no voice of Deepgram's has this name. */
  tts(model: string): TtsAdapter | undefined
  close(): Promise<void>
}

export function deepgramVoices({ name, connect, baseUrl, apiKey }: CloudEndpoint, clock: Clock): Voices {
  const links = new LinkPool<SpeakLink>(SOCKETS)
  const headers = { authorization: `Token ${apiKey}` }

  const tts = (model: string): TtsAdapter | undefined => {
    const version = speakVersion(model)
    if (!version) return undefined
    const openAt = (url: string) => (onOver: () => void) =>
      new SpeakLink({ connect, url, headers, provider: name, clock, onOver }, version)
    return {
      id: `${name}/${model}`,
      caps: CAPS,
      warm({ voice, format, language, speed = 1 }) {
        const named = speakModel(model, voice, language)
        if (named === undefined || speakVersion(named) !== version) return
        const url = speakUrl(baseUrl, { version, model: named, format, speed })
        if (canOpen(CAPS, { voice: named, format })) links.warm(url, openAt(url))
      },
      async open(opening) {
        const { voice, format, language, speed = 1, signal } = opening
        const named = speakModel(model, voice, language)
        checkOpening(name, CAPS, { ...opening, voice: named ?? '' })
        if (named === undefined || speakVersion(named) !== version) {
          throw refusal(name, 'bad_request', 'the voice is of another model')
        }
        const url = speakUrl(baseUrl, { version, model: named, format, speed })
        const lease = () =>
          leaseLine({
            provider: name,
            links,
            key: url,
            open: openAt(url),
            line: (link) => link.lease(),
            signal,
          })
        return new QueuedAnswer({ provider: name, format, signal, clock, lease }).connect()
      },
    }
  }
  return { tts, close: () => links.close() }
}
