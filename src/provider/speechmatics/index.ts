/**
 * `type: speechmatics`: Speechmatics real-time v2. Written from
 * https://docs.speechmatics.com/api-ref/realtime-transcription-websocket and the pages beside it, read on 2026-11-25, the types
 * of `@speechmatics/real-time-client` 8.5.1 and adapters that others ship (evidence: S, P); the pace of replays, and that a
 * forced end without words may stay unanswered, are guesses. The SDK checks our double. Not yet run with real keys.
 */
import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { ProviderError } from '../../errors.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import { REPLAY_SPEED, speechmaticsProtocol } from './stream.ts'

export const SPEECHMATICS_BASE_URL = 'wss://eu2.rt.speechmatics.com'

const SESSION_LIMIT_MS = 48 * 3_600_000

/** Throws an `Error` naming the setting that is wrong. */
export function createSpeechmatics(_deps: ProviderDeps, settings: CloudSettings): Provider {
  const { name, connect, baseUrl, apiKey } = cloudEndpoint(settings, SPEECHMATICS_BASE_URL)
  const stt = (model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: {
      languages: 'any',
      inputs: [PCM16_16K, MULAW_8K, PCM16_24K],
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: true,
      forceFinal: true,
      maxReplaySpeed: REPLAY_SPEED,
      sessionLimitMs: SESSION_LIMIT_MS,
    },
    open: async ({ format, language, hints = [], signal, clock }) => {
      const protocol = speechmaticsProtocol({ model, format, language, hints })
      if (!protocol) {
        const message = `Speechmatics does not take ${format.encoding}`
        throw new ProviderError({ provider: name, stage: 'stt', kind: 'bad_request', message })
      }
      return openRecognition({
        provider: name,
        protocol,
        connect,
        url: `${baseUrl}/v2`,
        headers: { authorization: `Bearer ${apiKey}` },
        format,
        signal,
        clock,
        greeting: 'awaited',
      })
    },
  })
  return { name, stt, close: async () => {} }
}
