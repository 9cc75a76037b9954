/**
 * `type: soniox`: Soniox's real-time WebSocket, speech to text (its voices are in `voices.ts`). Written from
 * https://soniox.com/docs/api-reference/stt/websocket-api, read on 2026-11-25, the types of `@soniox/node` 2.3.0 and
 * adapters that others ship (evidence: S, P); how a wrong key is refused and the pace of replays are guesses. The SDK checks our
 * double. Not yet run with real keys.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import { REPLAY_SPEED, SESSION_LIMIT_MS, sonioxProtocol } from './stream.ts'
import { endpointRules } from './turns.ts'
import { sonioxVoices } from './voices.ts'
import { startMessage, streamUrl } from './wire.ts'

export const SONIOX_BASE_URL = 'wss://stt-rt.soniox.com'

/** Throws an `Error` naming the setting that is wrong. */
export function createSoniox({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const { name, connect, baseUrl, apiKey } = cloudEndpoint(settings, SONIOX_BASE_URL)
  const stt = (model: string): SttAdapter | undefined => {
    if (!model.startsWith('stt-')) return undefined
    return {
      id: `${name}/${model}`,
      caps: {
        languages: 'any',
        inputs: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
        feed: 'speech',
        endOfTurn: 'model',
        eager: false,
        wordTimes: true,
        forceFinal: true,
        maxReplaySpeed: REPLAY_SPEED,
        sessionLimitMs: SESSION_LIMIT_MS,
      },
      open({ format, language, hints = [], signal, clock, ownTurns }) {
        const endpoints = endpointRules(ownTurns, model)
        const hello = startMessage({ model, format, language, hints, endpoints })
        return openRecognition({
          provider: name,
          protocol: sonioxProtocol(hello, ownTurns ? 'own' : 'ours'),
          connect,
          url: streamUrl(baseUrl),
          headers: { authorization: `Bearer ${apiKey}` },
          format,
          signal,
          clock,
        })
      },
    }
  }
  return { name, stt, ...sonioxVoices(settings, clock) }
}
