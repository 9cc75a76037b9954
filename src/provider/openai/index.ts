/**
 * `type: openai`: any server that speaks chat completions, OpenAI's own among them. Written from the types of
 * the `openai` package 7.57, which also checks our fake server.
 */
import { randomUUID } from 'node:crypto'
import { Agent } from 'undici'
import { encodeChatRequest } from '../../dialect/openai-chat.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { streamChat } from './chat.ts'
import { endpointOf, type OpenAiSettings } from './settings.ts'

export type { OpenAiSettings } from './settings.ts'

/**
 * The last line of defence only: deadlines are the caller's (`attempt/`). A model that reads a long prompt may
 * take a minute to its first byte.
 */
const CONNECT_TIMEOUT_MS = 10_000
const HEADERS_TIMEOUT_MS = 120_000
const BODY_TIMEOUT_MS = 120_000
const KEEP_ALIVE_MS = 30_000
/** Each running answer holds one. */
const CONNECTIONS = 512

/** Throws an `Error` naming the setting that is wrong. */
export function createOpenAi(_deps: ProviderDeps, settings: OpenAiSettings): Provider {
  const endpoint = endpointOf(settings)
  const dispatcher =
    settings.dispatcher ??
    new Agent({
      connections: CONNECTIONS,
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    })
  const { name } = settings

  const llm = (model: string): LlmAdapter => ({
    id: `${name}/${model}`,
    caps: { tools: true, json: true, prefill: false },
    stream: (request, { signal, clock }) => {
      const { maxTokensField } = endpoint
      const body = JSON.stringify(encodeChatRequest(request, { model, maxTokensField }))
      const newCallId = () => `call_${randomUUID()}`
      return streamChat({ provider: name, endpoint, dispatcher, body, signal, clock, newCallId })
    },
  })
  return { name, llm, close: () => dispatcher.destroy() }
}
