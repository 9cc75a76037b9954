/** `type: rime`: Rime's voices over its WebSocket. Evidence: `wire.ts`. */
import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { QueuedAnswer } from '../queued-link.ts'
import { canOpen, checkOpening, leaseLine } from '../voice-opening.ts'
import { RimeLink } from './stream.ts'
import { voiceUrl } from './wire.ts'

export const RIME_BASE_URL = 'wss://users-ws.rime.ai'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K],
  times: 'word',
  contexts: 1,
  cancel: true,
  languages: ['en', 'es', 'fr', 'pt', 'de', 'ja', 'hi'],
}
/** One answer each. What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 128

/** Throws an `Error` naming the setting that is wrong. */
export function createRime({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const { name, apiKey, baseUrl, connect } = cloudEndpoint(settings, RIME_BASE_URL)
  const links = new LinkPool<RimeLink>(SOCKETS)
  const headers = { authorization: `Bearer ${apiKey}` }
  const openAt = (url: string) => (onOver: () => void) =>
    new RimeLink({ connect, url, headers, provider: name, clock, onOver })
  const tts = (model: string): TtsAdapter => ({
    id: `${name}/${model}`,
    caps: CAPS,
    warm({ voice, format, language, speed = 1 }) {
      const url = voiceUrl(baseUrl, { model, voice, format, language, speed })
      if (canOpen(CAPS, { voice, format })) links.warm(url, openAt(url))
    },
    async open(opening) {
      checkOpening(name, CAPS, opening)
      const { voice, format, language, speed = 1, signal } = opening
      const url = voiceUrl(baseUrl, { model, voice, format, language, speed })
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
  })
  return { name, tts, close: () => links.close() }
}
