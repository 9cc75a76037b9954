/**
 * `type: openai`: any server that speaks chat completions, OpenAI's own among them. Written from the types of
 * the `openai` package 7.57, which also checks our fake server.
 */
import { chatProvider } from '../../dialect/openai-chat/index.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { httpModel, modelAgent } from '../http-model.ts'
import { openAiEmbedding } from './embedding.ts'
import { endpointOf, type OpenAiSettings } from './settings.ts'

export type { OpenAiSettings } from './settings.ts'

/** Throws an `Error` naming the setting that is wrong. */
export function createOpenAi(_deps: ProviderDeps, settings: OpenAiSettings): Provider {
  const { name, apiKey } = settings
  const { url, headers, maxTokensField } = endpointOf(settings)
  const dispatcher = settings.dispatcher ?? modelAgent()
  const path = `${url.pathname}${url.search}`
  const streamed = { origin: url.origin, path, headers: { ...headers, accept: 'text/event-stream' } }
  const whole = { origin: url.origin, path, headers: { ...headers, accept: 'application/json' } }
  const codec = chatProvider(maxTokensField)
  const llm = (model: string): LlmAdapter =>
    httpModel({
      provider: name,
      model,
      caps: { tools: true, json: true, prefill: false },
      codec,
      dispatcher,
      target: (delivery) => (delivery === 'stream' ? streamed : whole),
      secrets: apiKey === undefined ? [] : [apiKey],
    })
  const embeddings = { ...whole, path: path.replace('/chat/completions', '/embeddings') }
  const embedding = (model: string) =>
    openAiEmbedding({
      provider: name,
      model,
      dispatcher,
      target: embeddings,
      secrets: apiKey === undefined ? [] : [apiKey],
    })
  return { name, llm, embedding, close: () => dispatcher.destroy() }
}
