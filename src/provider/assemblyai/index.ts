/**
 * `type: assemblyai`: AssemblyAI Universal-Streaming v3. Written from
 * https://www.assemblyai.com/docs/api-reference/streaming-api, read on 2026-11-22, the types of `assemblyai` 4.41.5
 * and adapters that others ship (evidence: S, P); the pace of replays and what follows a forced end without speech
 * are guesses. The SDK checks our double. Not yet run with real keys.
 */
import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { ProviderError } from '../../errors.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter, SttOpenOptions } from '../../stage/stt.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import { assemblyAiProtocol, REPLAY_SPEED } from './stream.ts'
import { turnRules } from './turns.ts'
import { streamUrl } from './wire.ts'

export const ASSEMBLYAI_BASE_URL = 'wss://streaming.assemblyai.com'

const SESSION_LIMIT_MS = 3 * 3_600_000

/** Throws an `Error` naming the setting that is wrong. */
export function createAssemblyAi(_deps: ProviderDeps, settings: CloudSettings): Provider {
  const { name, connect, baseUrl, apiKey } = cloudEndpoint(settings, ASSEMBLYAI_BASE_URL)

  const open = (model: string, options: SttOpenOptions) => {
    const { format, language, hints = [], signal, clock, ownTurns } = options
    const url = streamUrl(baseUrl, { model, format, language, hints, turns: turnRules(ownTurns) })
    if (url === undefined) {
      const message = `AssemblyAI does not take ${format.encoding}`
      throw new ProviderError({ provider: name, stage: 'stt', kind: 'bad_request', message })
    }
    return openRecognition({
      provider: name,
      protocol: assemblyAiProtocol(clock, ownTurns ? 'own' : 'ours'),
      connect,
      url,
      // The bare key.
      headers: { authorization: apiKey },
      format,
      signal,
      clock,
      greeting: 'awaited',
    })
  }

  const stt = (model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: {
      languages: model === 'universal-streaming-english' ? ['en'] : 'any',
      inputs: [PCM16_16K, MULAW_8K, PCM16_24K],
      feed: 'speech',
      endOfTurn: 'model',
      // By `utterance` (https://assemblyai.com/docs/streaming/universal-streaming/message-sequence); later models have none.
      eager: model.startsWith('universal-streaming'),
      wordTimes: true,
      forceFinal: true,
      maxReplaySpeed: REPLAY_SPEED,
      sessionLimitMs: SESSION_LIMIT_MS,
    },
    open: async (options) => open(model, options),
  })
  return { name, stt, close: async () => {} }
}
