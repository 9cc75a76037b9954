/** Cartesia, text to speech over its WebSocket. Evidence: `wire.ts`. Not served here: recognition (`ink-…`). */
import { randomUUID } from 'node:crypto'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { canOpen, checkOpening, leaseLine } from '../voice-opening.ts'
import { CartesiaLink } from './link.ts'
import { CartesiaStream } from './stream.ts'
import { contextFields, urlOf } from './wire.ts'

export const CARTESIA_BASE_URL = 'wss://api.cartesia.ai'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_24K, PCM16_16K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'word',
  contexts: 16,
  cancel: true,
  languages: 'any',
}
/** What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 32

/** Throws an `Error` naming the setting that is wrong. */
export function createCartesia({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const { name, apiKey, baseUrl, connect } = cloudEndpoint(settings, CARTESIA_BASE_URL)
  const url = urlOf(baseUrl)
  const headers = { 'x-api-key': apiKey }
  const links = new LinkPool<CartesiaLink>(SOCKETS)
  const tts = (model: string): TtsAdapter | undefined => {
    if (/^ink/.test(model)) return undefined
    const open = (onOver: () => void) =>
      new CartesiaLink({ connect, url, headers, provider: name, clock, onOver }, randomUUID)
    return {
      id: `${name}/${model}`,
      caps: CAPS,
      warm(options) {
        if (canOpen(CAPS, options)) links.warm(url, open)
      },
      async open(opening) {
        checkOpening(name, CAPS, opening)
        const { voice, format, language, speed, signal } = opening
        const fields = contextFields({
          model,
          voice,
          format,
          ...(language !== undefined && { language }),
          ...(speed !== undefined && { speed }),
        })
        const lease = () =>
          leaseLine({
            provider: name,
            links,
            key: url,
            open,
            line: (link) => link.lease(),
            signal,
          })
        return new CartesiaStream({ provider: name, format, signal, clock, lease }, fields).connect()
      },
    }
  }
  return { name, tts, close: () => links.close() }
}
