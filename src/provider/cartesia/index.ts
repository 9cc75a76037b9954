/** Cartesia, text to speech over its WebSocket. Evidence: `wire.ts`. Not served here: recognition (`ink-…`). */
import { randomUUID } from 'node:crypto'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K, sameFormat } from '../../audio/format.ts'
import { orAborted } from '../../cancel.ts'
import { ProviderError, type ProviderErrorKind } from '../../errors.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { TtsAdapter, TtsCaps } from '../../stage/tts.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { LinkPool } from '../link-pool.ts'
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
  const refusal = (kind: ProviderErrorKind, message: string) =>
    new ProviderError({ provider: name, stage: 'tts', kind, message })

  const lease = async (signal: AbortSignal) => {
    const link = links.take(url, (onOver) => {
      return new CartesiaLink({ connect, url, headers, provider: name, clock, onOver }, randomUUID)
    })
    if (links.closed) throw refusal('cancelled', 'the provider was closed')
    if (!link) throw refusal('rate', `all ${SOCKETS} connections are taken`)
    const line = link.lease()
    try {
      await orAborted(link.ready, signal)
      return line
    } catch (error) {
      line.release()
      throw error
    }
  }

  const tts = (model: string): TtsAdapter | undefined => {
    if (/^ink/.test(model)) return undefined
    return {
      id: `${name}/${model}`,
      caps: CAPS,
      async open({ voice, format, language, speed, signal }) {
        signal.throwIfAborted()
        if (voice === '') throw refusal('bad_request', 'no voice of this provider is named in `voices`')
        if (!CAPS.outputs.some((output) => sameFormat(output, format))) {
          throw refusal('bad_request', `no ${format.encoding} at ${format.sampleRateHz} Hz`)
        }
        const fields = contextFields({
          model,
          voice,
          format,
          ...(language !== undefined && { language }),
          ...(speed !== undefined && { speed }),
        })
        const options = { provider: name, format, signal, clock, lease: () => lease(signal) }
        return new CartesiaStream(options, fields).connect()
      },
    }
  }
  return { name, tts, close: () => links.close() }
}
