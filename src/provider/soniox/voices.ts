/** Soniox's voices. Evidence: `voice-wire.ts`. The SDK checks our double. */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { canOpen, checkOpening, leaseLine } from '../voice-opening.ts'
import { VoiceAnswer, VoiceLink } from './voice-link.ts'
import { streamFields } from './voice-wire.ts'

export const SONIOX_VOICES_URL = 'wss://tts-rt.soniox.com'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'word',
  contexts: 2,
  cancel: true,
  languages: 'any',
}
/** What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 64

export interface SonioxVoices {
  /** Undefined: no model that speaks. */
  tts(model: string): TtsAdapter | undefined
  close(): Promise<void>
}

/** `settings.baseUrl` may be that of its ears: hosts are called alike. Throws an `Error` naming the setting that is wrong. */
export function sonioxVoices(settings: CloudSettings, clock: Clock): SonioxVoices {
  const { name, apiKey, baseUrl, connect } = cloudEndpoint(settings, SONIOX_VOICES_URL)
  const url = `${baseUrl.replace('//stt-rt.', '//tts-rt.')}/tts-websocket`
  const headers = { authorization: `Bearer ${apiKey}` }
  const links = new LinkPool<VoiceLink>(SOCKETS)
  const tts = (model: string): TtsAdapter | undefined => {
    if (!model.startsWith('tts-')) return undefined
    const open = (onOver: () => void) =>
      new VoiceLink({ connect, url, headers, provider: name, clock, onOver })
    return {
      id: `${name}/${model}`,
      caps: CAPS,
      warm(options) {
        if (canOpen(CAPS, options)) links.warm(url, open)
      },
      async open(opening) {
        checkOpening(name, CAPS, opening)
        const { voice, format, language, speed = 1, signal } = opening
        const lease = (onRoom: () => void) =>
          leaseLine({
            provider: name,
            links,
            key: url,
            open,
            line: (link) => link.lease(onRoom),
            signal,
          })
        const fields = streamFields({ apiKey, model, voice, format, language, speed })
        return new VoiceAnswer({ provider: name, format, signal, clock, lease }, fields).connect()
      },
    }
  }
  return { tts, close: () => links.close() }
}
