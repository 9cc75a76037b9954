/**
 * `type: anthropic`: Claude models by the Messages API, for voice and for the gateway. Written from the types of `@anthropic-ai/sdk` 1.13,
 * which also checks our double; what each model accepts from platform.claude.com, read 2026-11-25. Never run with a real key.
 */
import { ANTHROPIC_MAX_TOKENS } from '../../config/defaults.ts'
import { anthropicProvider, fitBody, type ModelTraits, traitsOf } from '../../dialect/anthropic/index.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { httpModel, modelAgent } from '../http-model.ts'
import { type AnthropicSettings, endpointOf } from './settings.ts'

export type { AnthropicSettings } from './settings.ts'

/** Throws an `Error` naming the setting that is wrong. */
export function createAnthropic({ clock }: ProviderDeps, settings: AnthropicSettings): Provider {
  const { name, apiKey } = settings
  const { url, headers, sampling } = endpointOf(settings)
  const dispatcher = settings.dispatcher ?? modelAgent(clock)
  const path = `${url.pathname}${url.search}`
  const streamed = { origin: url.origin, path, headers: { ...headers, accept: 'text/event-stream' } }
  const whole = { origin: url.origin, path, headers: { ...headers, accept: 'application/json' } }
  const traits = (model: string): ModelTraits =>
    sampling === 'none' ? { ...traitsOf(model), sampling } : traitsOf(model)
  const codec = anthropicProvider({ maxTokens: ANTHROPIC_MAX_TOKENS, traits })
  const llm = (model: string): LlmAdapter =>
    httpModel({
      provider: name,
      model,
      caps: { tools: true, json: true, prefill: traits(model).prefill },
      codec,
      dispatcher,
      origin: url.origin,
      target: (delivery) => (delivery === 'stream' ? streamed : whole),
      fit: (body) => fitBody(body, traits(model)),
      secrets: [apiKey],
    })
  return { name, llm, close: () => dispatcher.destroy() }
}
