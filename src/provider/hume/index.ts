/** `type: hume`: Hume's Octave voices over their WebSocket. Evidence: `wire.ts`. */
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
import { QueuedAnswer } from '../queued-link.ts'
import { canOpen, checkOpening, leaseLine } from '../voice-opening.ts'
import { HumeLink, type HumeVoice } from './stream.ts'
import { humeUrl, versionOf } from './wire.ts'

export const HUME_BASE_URL = 'wss://api.hume.ai'

const CAPS: TtsCaps = {
  input: 'incremental',
  // Nothing else is offered: what a wire wants is made of it.
  outputs: [{ encoding: 'pcm16', sampleRateHz: 48_000 }],
  times: 'word',
  contexts: 1,
  cancel: true,
  languages: 'any',
}
/** One answer each. What a plan allows at once is less, and its refusal comes as `rate`. */
const SOCKETS = 128

/** Throws an `Error` naming the setting that is wrong. */
export function createHume({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const { name, apiKey, baseUrl, connect } = cloudEndpoint(settings, HUME_BASE_URL)
  const links = new LinkPool<HumeLink>(SOCKETS)
  const headers = { 'x-hume-api-key': apiKey }
  const tts = (model: string): TtsAdapter | undefined => {
    const version = versionOf(model)
    if (version === undefined) return undefined
    const url = humeUrl(baseUrl, version)
    const caps: TtsCaps = version === '2' ? CAPS : { ...CAPS, times: 'none' }
    const keyOf = ({ voice, speed }: HumeVoice) => JSON.stringify([model, voice, speed])
    const opener = (spoken: HumeVoice) => (onOver: () => void) =>
      new HumeLink({ connect, url, headers, provider: name, clock, onOver }, spoken)
    return {
      id: `${name}/${model}`,
      caps,
      warm({ voice, format, speed = 1 }) {
        const spoken = { voice, speed }
        if (canOpen(caps, { voice, format })) links.warm(keyOf(spoken), opener(spoken))
      },
      async open(opening) {
        checkOpening(name, caps, opening)
        const { voice, format, speed = 1, signal } = opening
        const lease = () =>
          leaseLine({
            provider: name,
            links,
            key: keyOf({ voice, speed }),
            open: opener({ voice, speed }),
            line: (one) => one.lease(),
            signal,
          })
        return new QueuedAnswer({ provider: name, format, signal, clock, lease }).connect()
      },
    }
  }
  return { name, tts, close: () => links.close() }
}
