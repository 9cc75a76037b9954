/**
 * `type: vertex`: Google's models on Vertex AI. The dialect is that of AI Studio; address and key are others. Written from the types and
 * addresses of `@google/genai` 2.32. Never run with a real key.
 */
import type { Dispatcher } from 'undici'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { modelAgent } from '../http-model.ts'
import { geminiModel } from './model.ts'
import { type Tokens, tokensOf } from './token.ts'
import { type VertexSettings, vertexEndpoint } from './vertex-settings.ts'

export type { VertexSettings } from './vertex-settings.ts'

/** Null: there is no key. Throws an `Error` naming the setting that is wrong. */
export function createVertex(
  { clock }: ProviderDeps,
  settings: VertexSettings,
  dispatcher: Dispatcher = modelAgent(clock),
): Provider | null {
  const endpoint = vertexEndpoint(settings)
  if (!endpoint) return null
  const { name } = settings
  const { origin, path, place, auth } = endpoint
  const tokens: Tokens | null = auth.type === 'account' ? tokensOf(name, auth.account) : null
  const shown =
    auth.type === 'key'
      ? () => ({ 'x-goog-api-key': auth.apiKey })
      : async () => ({ authorization: `Bearer ${await tokens?.get()}` })
  const secrets = auth.type === 'key' ? [auth.apiKey] : []
  return {
    name,
    llm: (model) => {
      // A model of one's own, or of others, has its kind in its name: `endpoints/123`, `publishers/meta/models/…`.
      const named = model.includes('/') ? model : `publishers/google/models/${model}`
      const parts = [place, named].filter((part) => part !== '').flatMap((part) => part.split('/'))
      return geminiModel({
        provider: name,
        model,
        origin,
        path: `${path}/${parts.map(encodeURIComponent).join('/')}`,
        auth: shown,
        secrets,
        dispatcher,
      })
    },
    async close() {
      await Promise.all([dispatcher.destroy(), tokens?.close()])
    },
  }
}
