/** Servers of those who run others' models, and of those who pass requests on. */
import { type Preset, preset } from './preset.ts'

const served = { embeddings: 'served' } as const

export const HOSTS: Readonly<Record<string, Preset>> = {
  baseten: preset('https://inference.baseten.co/v1', ['P', 'litellm 1.110']),
  cerebras: preset('https://api.cerebras.ai/v1', ['S', '@cerebras/cerebras_cloud_sdk 1.91'], {
    maxTokens: 'either',
    refuses: [
      'store',
      'metadata',
      'verbosity',
      'safety_identifier',
      'prompt_cache_retention',
      'modalities',
      'audio',
      'web_search_options',
    ],
    refusals: { mark: 'S', from: 'not in its types; openclaude#740, openclaw#51058 (R)' },
  }),
  chutes: preset('https://llm.chutes.ai/v1', ['P', 'litellm 1.110']),
  'cloudflare-workers-ai': preset(
    'https://api.cloudflare.com/client/v4/accounts/{accountId}/ai/v1',
    ['P', 'litellm 1.110'],
    served,
  ),
  crusoe: preset('https://api.inference.crusoecloud.com/v1', ['P', 'pydantic-ai 2.68, litellm 1.110']),
  databricks: preset('https://{workspace}/serving-endpoints', ['P', 'litellm 1.110'], served),
  deepinfra: preset('https://api.deepinfra.com/v1/openai', ['P', 'litellm 1.110'], {
    ...served,
    refusals: { mark: 'R', from: 'earendil-works/pi#1578: no role developer' },
  }),
  featherless: preset('https://api.featherless.ai/v1', ['P', 'litellm 1.110']),
  fireworks: preset('https://api.fireworks.ai/inference/v1', ['P', 'pydantic-ai 2.68, litellm 1.110'], {
    ...served,
    refuses: ['store'],
    refusals: { mark: '?', from: 'not among the parameters litellm 1.110 sends' },
  }),
  friendli: preset('https://api.friendli.ai/serverless/v1', ['P', 'litellm 1.110']),
  'github-models': preset('https://models.github.ai/inference', ['P', 'pydantic-ai 2.68'], served),
  gmi: preset('https://api.gmi-serving.com/v1', ['P', 'litellm 1.110']),
  groq: preset('https://api.groq.com/openai/v1', ['S', 'groq-sdk 1.6'], {
    ...served,
    maxTokens: 'either',
    refuses: [
      'store',
      'metadata',
      'logit_bias',
      'verbosity',
      'safety_identifier',
      'prompt_cache_key',
      'prompt_cache_retention',
      'modalities',
      'audio',
      'prediction',
      'web_search_options',
    ],
    refusals: { mark: 'S', from: '“not supported” in its types, or not in them; fanenr/chatbot#21 (R)' },
  }),
  heroku: preset('https://us.inference.heroku.com/v1', ['P', 'pydantic-ai 2.68, litellm 1.110'], served),
  huggingface: preset('https://router.huggingface.co/v1', ['P', 'litellm 1.110']),
  hyperbolic: preset('https://api.hyperbolic.xyz/v1', ['P', 'litellm 1.110']),
  lambda: preset('https://api.lambda.ai/v1', ['P', 'litellm 1.110']),
  nebius: preset('https://api.studio.nebius.com/v1', ['P', 'pydantic-ai 2.68'], served),
  novita: preset('https://api.novita.ai/v3/openai', ['P', 'litellm 1.110']),
  nscale: preset('https://inference.api.nscale.com/v1', ['P', 'litellm 1.110']),
  nvidia: preset('https://integrate.api.nvidia.com/v1', ['P', 'litellm 1.110'], {
    ...served,
    // Usage is not told then, and costs are reckoned by characters.
    refuses: ['stream_options', 'prompt_cache_key', 'store', 'metadata'],
    refusals: { mark: 'R', from: 'HKUDS/DeepTutor#420, OmniRoute#848; store and metadata are guessed (?)' },
  }),
  openrouter: preset('https://openrouter.ai/api/v1', ['P', 'litellm 1.110'], {
    ...served,
    maxTokens: 'either',
    developer: 'kept',
  }),
  ovhcloud: preset(
    'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
    ['P', 'pydantic-ai 2.68, litellm 1.110'],
    served,
  ),
  parasail: preset('https://api.parasail.io/v1', ['P', 'litellm 1.110']),
  poe: preset('https://api.poe.com/v1', ['P', 'litellm 1.110']),
  sambanova: preset('https://api.sambanova.ai/v1', ['P', 'pydantic-ai 2.68, litellm 1.110'], served),
  scaleway: preset('https://api.scaleway.ai/v1', ['P', 'litellm 1.110'], served),
  snowflake: preset('https://{account}.snowflakecomputing.com/api/v2/cortex/v1', ['P', 'pydantic-ai 2.68']),
  together: preset('https://api.together.ai/v1', ['S', 'together-ai 0.52'], served),
  venice: preset('https://api.venice.ai/api/v1', ['P', 'litellm 1.110']),
  'vercel-ai-gateway': preset('https://ai-gateway.vercel.sh/v1', ['P', 'pydantic-ai 2.68, litellm 1.110'], {
    ...served,
    developer: 'kept',
  }),
  volcengine: preset('https://ark.cn-beijing.volces.com/api/v3', ['P', 'litellm 1.110'], served),
  wandb: preset('https://api.inference.wandb.ai/v1', ['P', 'litellm 1.110']),
}
