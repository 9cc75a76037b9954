/**
 * `type: gladia`: Gladia v2 live. Written from https://docs.gladia.io/api-reference/v2/live/init and the pages beside it, read on
 * 2026-11-25, the types of `@gladiaio/sdk` 2.1.0 and adapters that others ship (evidence: S, P); the pace of replays, what close
 * codes mean, and that what was settled is followed by silence where no speech was told of, are guesses. The SDK checks our
 * double. Not yet run with real keys.
 */
import type { Dispatcher } from 'undici'
import { ALAW_8K, MULAW_8K, PCM16_16K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { failure } from '../http-exchange.ts'
import { modelAgent } from '../http-model.ts'
import { CONNECT_MS, openRecognition } from '../open-recognition.ts'
import { newSession } from './session.ts'
import { gladiaProtocol, REPLAY_SPEED } from './stream.ts'
import { sessionBody } from './wire.ts'

export const GLADIA_BASE_URL = 'wss://api.gladia.io'

export interface GladiaSettings extends CloudSettings {
  /** For tests: another network for the request before the connection. Closed with the provider. */
  readonly dispatcher?: Dispatcher
}

/** It takes these rates and no others. */
const RATES_HZ = [8_000, 16_000, 32_000, 44_100, 48_000]

/** Throws an `Error` naming the setting that is wrong. */
export function createGladia(deps: ProviderDeps, settings: GladiaSettings): Provider {
  const { name, connect, baseUrl, apiKey } = cloudEndpoint(settings, GLADIA_BASE_URL)
  const dispatcher = settings.dispatcher ?? modelAgent(deps.clock)
  const stt = (model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: {
      languages: 'any',
      findsLanguages: 'any',
      inputs: [PCM16_16K, MULAW_8K, ALAW_8K],
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: true,
      forceFinal: true,
      maxReplaySpeed: REPLAY_SPEED,
    },
    open: async ({ format, language, hints = [], signal, clock }) => {
      if (!RATES_HZ.includes(format.sampleRateHz)) {
        const facts = { provider: name, stage: 'stt' } as const
        throw failure(facts, 'bad_request', `Gladia does not take ${format.sampleRateHz} Hz`)
      }
      const until = clock.now() + CONNECT_MS
      const body = sessionBody({ model, format, language, hints })
      const asked = { provider: name, dispatcher, baseUrl, apiKey, body, signal, clock }
      const url = await newSession({ ...asked, withinMs: CONNECT_MS })
      return openRecognition({
        provider: name,
        protocol: gladiaProtocol(),
        connect,
        // Its token is all it asks for.
        url,
        headers: {},
        format,
        signal,
        clock,
        until,
      })
    },
  })
  return { name, stt, close: () => dispatcher.destroy() }
}
