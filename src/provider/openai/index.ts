/**
 * `type: openai`: any server that speaks chat completions or `/v1/responses`, OpenAI's own among them. Written from the types of
 * the `openai` package 7.57, which also checks our fake servers.
 */
import { chatProvider } from '../../dialect/openai-chat/index.ts'
import { responsesProvider } from '../../dialect/openai-responses/index.ts'
import { SseParser } from '../../dialect/sse.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { httpModel, modelAgent } from '../http-model.ts'
import { openAiEmbedding } from './embedding.ts'
import { endpointOf, type OpenAiSettings } from './settings.ts'

export { apiOf, type OpenAiSettings } from './settings.ts'

/** The last event holds the whole answer, images made by tools in it, and the request's tools and instructions once more. */
const RESPONSES_EVENT_CHARACTERS = 16_000_000
const RESPONSES_FRAMING = {
  contentType: /^text\/event-stream\b/i,
  open: () => new SseParser(RESPONSES_EVENT_CHARACTERS),
}

/** Throws an `Error` naming the setting that is wrong. */
export function createOpenAi(_deps: ProviderDeps, settings: OpenAiSettings): Provider {
  const { name, apiKey } = settings
  const { url, headers, maxTokensField } = endpointOf(settings)
  const dispatcher = settings.dispatcher ?? modelAgent()
  const path = `${url.pathname}${url.search}`
  const streamed = { origin: url.origin, path, headers: { ...headers, accept: 'text/event-stream' } }
  const whole = { origin: url.origin, path, headers: { ...headers, accept: 'application/json' } }
  const spoken =
    settings.api === 'responses'
      ? { codec: responsesProvider, framing: RESPONSES_FRAMING }
      : { codec: chatProvider(maxTokensField) }
  const llm = (model: string): LlmAdapter =>
    httpModel({
      provider: name,
      model,
      caps: { tools: true, json: true, prefill: false },
      ...spoken,
      dispatcher,
      target: (delivery) => (delivery === 'stream' ? streamed : whole),
      secrets: apiKey === undefined ? [] : [apiKey],
    })
  const embeddings = {
    ...whole,
    path: path.replace(/\/(chat\/completions|responses)(?=\?|$)/, '/embeddings'),
  }
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
