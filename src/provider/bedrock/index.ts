/**
 * `type: bedrock`: models on Amazon Bedrock by Converse. Written from the types of `@aws-sdk/client-bedrock-runtime` 3.1164, which also
 * checks our double, its signature included. Never run with real keys.
 */
import type { Dispatcher } from 'undici'
import { bedrockProvider, prefills } from '../../dialect/bedrock/index.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { HttpTarget } from '../http-exchange.ts'
import { httpModel, modelAgent } from '../http-model.ts'
import { type Aws, loadAws } from './aws.ts'
import { EventStreamFraming } from './event-stream.ts'
import { type BedrockSettings, bedrockEndpoint } from './settings.ts'
import { type Sign, signerOf } from './sign.ts'

export type { BedrockSettings } from './settings.ts'

/** Null: there is no key. Throws an `Error` naming the setting that is wrong. */
export function createBedrock(
  { clock }: ProviderDeps,
  settings: BedrockSettings,
  dispatcher: Dispatcher = modelAgent(clock),
): Provider | null {
  const endpoint = bedrockEndpoint(settings)
  if (!endpoint) return null
  const { name } = settings
  const { origin, path, region, auth, secrets } = endpoint
  let aws: Aws | undefined
  let sign: Sign | undefined

  const llm = (model: string): LlmAdapter => {
    // The first caller shall not wait for it; that it cannot be loaded is the request's to tell.
    loadAws().catch(() => {})
    const at = `${path}/model/${encodeURIComponent(model)}`
    const json = { 'content-type': 'application/json' }
    const streamed = { origin, path: `${at}/converse-stream`, headers: { ...json, accept: EVENT_STREAM } }
    const whole = { origin, path: `${at}/converse`, headers: { ...json, accept: 'application/json' } }
    const target = async (wanted: HttpTarget, body: string): Promise<HttpTarget> => {
      aws ??= await loadAws()
      if (auth.type === 'bearer') {
        return { ...wanted, headers: { ...wanted.headers, authorization: `Bearer ${auth.token}` } }
      }
      sign ??= signerOf(aws, region, auth.keys)
      return { ...wanted, headers: await sign(wanted, body, clock.wallMs()) }
    }
    return httpModel({
      provider: name,
      model,
      caps: { tools: true, json: true, prefill: prefills(model) },
      codec: bedrockProvider,
      dispatcher,
      origin,
      target: (delivery, body) => target(delivery === 'stream' ? streamed : whole, body),
      framing: { contentType: EVENT_STREAM_TYPE, open: () => new EventStreamFraming(loaded(aws)) },
      secrets,
    })
  }
  return { name, llm, close: () => dispatcher.destroy() }
}

const EVENT_STREAM = 'application/vnd.amazon.eventstream'
const EVENT_STREAM_TYPE = /^application\/vnd\.amazon\.eventstream\b/i

/** Every request has loaded it before there is an answer to read. */
function loaded(aws: Aws | undefined): Aws {
  if (aws) return aws
  throw new TypeError('an answer before its request')
}
