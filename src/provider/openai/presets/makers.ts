/** Servers of those who make the models, and of the clouds that sell them under contract. */
import { type Preset, preset } from './preset.ts'

const AZURE = {
  keyHeader: 'api-key',
  maxTokens: 'either',
  developer: 'kept',
  embeddings: 'served',
  barePath: '/openai/v1',
} as const

export const MAKERS: Readonly<Record<string, Preset>> = {
  openai: preset('https://api.openai.com/v1', ['S', 'openai 7.57'], {
    maxTokens: 'either',
    developer: 'kept',
    embeddings: 'served',
  }),
  /** The v1 API; with `apiVersion` the older one, a deployment in each path. */
  azure: preset(
    'https://{resource}.openai.azure.com/openai/v1',
    ['S', 'openai 7.57, Microsoft’s v1 API page (D)'],
    {
      ...AZURE,
      dated: { baseUrl: 'https://{resource}.openai.azure.com/openai', barePath: '/openai' },
    },
  ),
  'azure-ai': preset('https://{resource}.services.ai.azure.com/openai/v1', ['P', 'pydantic-ai 2.68'], AZURE),
  ai21: preset('https://api.ai21.com/studio/v1', ['P', 'litellm 1.110']),
  alibaba: preset('https://dashscope-intl.aliyuncs.com/compatible-mode/v1', ['P', 'pydantic-ai 2.68'], {
    embeddings: 'served',
  }),
  cohere: preset('https://api.cohere.ai/compatibility/v1', ['D', 'docs.cohere.com/docs/compatibility-api'], {
    embeddings: 'served',
    refuses: [
      'store',
      'metadata',
      'logit_bias',
      'modalities',
      'prediction',
      'service_tier',
      'parallel_tool_calls',
    ],
    refusals: { mark: '?', from: 'said to be unsupported; refused or ignored is not known' },
  }),
  deepseek: preset('https://api.deepseek.com/v1', ['P', 'pydantic-ai 2.68, litellm 1.110'], {
    refusals: { mark: 'R', from: 'earendil-works/pi#1048: no role developer' },
  }),
  /** `type: gemini` is Google's own interface. */
  'google-openai': preset(
    'https://generativelanguage.googleapis.com/v1beta/openai',
    ['R', 'addresses in these reports'],
    {
      embeddings: 'served',
      refuses: ['store', 'metadata', 'web_search_options', 'frequency_penalty'],
      refusals: { mark: 'R', from: 'zammad/zammad#5981, ed-donner/agents#45, FuzzAnything/PromptFuzz#42' },
    },
  ),
  inception: preset('https://api.inceptionlabs.ai/v1', ['P', 'litellm 1.110']),
  meta: preset('https://api.meta.ai/v1', ['P', 'pydantic-ai 2.68, litellm 1.110']),
  minimax: preset('https://api.minimax.io/v1', ['P', 'litellm 1.110']),
  mistral: preset('https://api.mistral.ai/v1', ['S', '@mistralai/mistralai 2.7'], {
    embeddings: 'served',
    // It refuses each member it does not know. Usage comes unasked.
    refuses: [
      'store',
      'user',
      'stream_options',
      'logit_bias',
      'verbosity',
      'safety_identifier',
      'prompt_cache_retention',
      'modalities',
      'audio',
      'web_search_options',
      'messages[].name',
      'messages[].refusal',
      'messages[].annotations',
      'messages[].audio',
      'messages[].reasoning_content',
    ],
    renames: { seed: 'random_seed' },
    refusals: { mark: 'S', from: 'not in its types; openclaude#739, charmbracelet/crush#1590 (R)' },
  }),
  moonshotai: preset('https://api.moonshot.ai/v1', ['P', 'pydantic-ai 2.68, litellm 1.110']),
  perplexity: preset('https://api.perplexity.ai', ['P', 'litellm 1.110'], {
    caps: { tools: false, json: true, prefill: false },
  }),
  xai: preset('https://api.x.ai/v1', ['P', 'litellm 1.110']),
  zai: preset('https://api.z.ai/api/paas/v4', ['P', 'pydantic-ai 2.68, litellm 1.110']),
}
