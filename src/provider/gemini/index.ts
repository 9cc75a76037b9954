/**
 * `type: gemini`: Google's models by an API key of AI Studio. Written from the types of `@google/genai` 2.32, which also checks our
 * double. Never run with a real key.
 */
import type { Dispatcher } from 'undici'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { headerText, httpBase } from '../http-base.ts'
import { modelAgent } from '../http-model.ts'
import { geminiModel } from './model.ts'

export interface GeminiSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey: string
  /** Everything before `/models/`. */
  readonly baseUrl?: string
  /** For tests: another network. Closed with the provider. */
  readonly dispatcher?: Dispatcher
}

export const GEMINI_BASE_URL = 'https://generativelanguage.googleapis.com/v1beta'

/** Throws an `Error` naming the setting that is wrong. */
export function createGemini({ clock }: ProviderDeps, settings: GeminiSettings): Provider {
  const { name, baseUrl = GEMINI_BASE_URL, dispatcher = modelAgent(clock) } = settings
  const { origin, path } = httpBase(name, baseUrl)
  const apiKey = headerText(name, 'apiKey', settings.apiKey)
  const auth = { 'x-goog-api-key': apiKey }
  return {
    name,
    llm: (model) =>
      geminiModel({
        provider: name,
        model,
        origin,
        // A model of one's own has its kind in its name: `tunedModels/mine`.
        path: `${path}/${model.includes('/') ? '' : 'models/'}${model.split('/').map(encodeURIComponent).join('/')}`,
        auth: () => auth,
        secrets: [apiKey],
        dispatcher,
      }),
    close: () => dispatcher.destroy(),
  }
}
