/**
 * ElevenLabs, text to speech over `multi-stream-input` (evidence: `wire.ts`) and realtime recognition (`scribe.ts`). Not
 * served: `eleven_v3`, which has no such endpoint, and recognition of files (`scribe_v1`, `scribe_v2`).
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps, TtsWarmOptions } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { canOpen, checkOpening, leaseLine } from '../voice-opening.ts'
import { ElevenLabsLink } from './link.ts'
import { scribeAdapter } from './scribe.ts'
import { ElevenLabsStream } from './stream.ts'
import { urlOf, voiceSettings } from './wire.ts'

export const ELEVENLABS_BASE_URL = 'wss://api.elevenlabs.io'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'word',
  contexts: 2,
  cancel: true,
  languages: 'any',
}
/** With two answers each. What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 64

/** Throws an `Error` naming the setting that is wrong. */
export function createElevenLabs({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const endpoint = cloudEndpoint(settings, ELEVENLABS_BASE_URL)
  const { name, apiKey, baseUrl, connect } = endpoint
  const links = new LinkPool<ElevenLabsLink>(SOCKETS)

  const tts = (model: string): TtsAdapter | undefined => {
    if (/^(scribe|eleven_v3)/.test(model)) return undefined
    const socketOf = ({ voice, format, language, speed }: TtsWarmOptions) => {
      const url = urlOf({ baseUrl, voice, model, format, ...(language !== undefined && { language }) })
      const settings = voiceSettings(speed)
      const open = (onOver: () => void) =>
        new ElevenLabsLink({ connect, url, apiKey, provider: name, settings, clock, onOver })
      return { key: `${settings?.speed ?? ''} ${url}`, open }
    }
    return {
      id: `${name}/${model}`,
      caps: CAPS,
      warm(options) {
        const { key, open } = socketOf(options)
        if (canOpen(CAPS, options)) links.warm(key, open)
      },
      async open(opening) {
        checkOpening(name, CAPS, opening)
        const { format, signal } = opening
        const { key, open } = socketOf(opening)
        const lease = (onRoom: () => void) =>
          leaseLine({
            provider: name,
            links,
            key,
            open,
            line: (link) => link.lease(onRoom),
            signal,
          })
        return new ElevenLabsStream({ provider: name, format, signal, clock, lease }).connect()
      },
    }
  }
  const stt = (model: string) =>
    /^scribe_.*realtime/.test(model) ? scribeAdapter(endpoint, model) : undefined
  return { name, stt, tts, close: () => links.close() }
}
