/** The names of providers and models, of which each has several: which mean the same, and who is asked first. Pure. */

const ALIASES: Readonly<Record<string, string>> = {
  gemini: 'google',
  'google-gla': 'google',
  'google-ai': 'google',
  'google-ai-studio': 'google',
  'google-speech': 'google',
  'google-vertex-ai': 'google-vertex',
  'vertex-ai': 'google-vertex',
  vertex_ai: 'google-vertex',
  vertex: 'google-vertex',
  'x-ai': 'xai',
  grok: 'xai',
  bedrock: 'amazon-bedrock',
  'azure-openai': 'azure',
  'azure-speech': 'azure',
  'together-ai': 'together',
  together_ai: 'together',
  togetherai: 'together',
  'fireworks-ai': 'fireworks',
  fireworks_ai: 'fireworks',
  moonshot: 'moonshotai',
  kimi: 'moonshotai',
  'z-ai': 'zai',
  zhipu: 'zai',
  zhipuai: 'zai',
  mistralai: 'mistral',
  'meta-llama': 'meta',
  llama: 'meta',
  hf: 'huggingface',
  'hugging-face': 'huggingface',
  nim: 'nvidia',
  dashscope: 'alibaba',
  qwen: 'alibaba',
  vercel: 'vercel-ai-gateway',
  'workers-ai': 'cloudflare-workers-ai',
  '11labs': 'elevenlabs',
  'eleven-labs': 'elevenlabs',
  'assembly-ai': 'assemblyai',
}

/** Who makes models and sells their own. */
const MAKERS = new Set(
  `ai21 alibaba ant-ling anthropic cohere deepseek google meta minimax mistral moonshotai openai perplexity stepfun
  voyageai writer xai xiaomi zai`.split(/\s+/),
)
/** Who sells makers' models at the makers' prices, on a cloud of their own. */
const CLOUDS = new Set(['amazon-bedrock', 'azure', 'google-vertex'])
/** Who passes requests on to others. */
const RESELLERS = new Set([
  'cloudflare-ai-gateway',
  'huggingface',
  'opencode',
  'openrouter',
  'vercel-ai-gateway',
])

/** A provider's own name in the catalogue, whichever of its names is given. */
export function canonicalProvider(name: string): string {
  const lower = name.toLowerCase()
  return Object.hasOwn(ALIASES, lower) ? ALIASES[lower]! : lower
}

/** Smaller is asked first: makers, clouds, those who run open weights, those who pass on. */
export function rankOf(provider: string): number {
  if (MAKERS.has(provider)) return 0
  if (CLOUDS.has(provider)) return 1
  return RESELLERS.has(provider) ? 3 : 2
}

const REGION = '(?:(?:us|eu|apac|global|regional|jp|au|us-gov)\\.)?'
const BEDROCK_VENDOR = new RegExp(`^${REGION}[a-z0-9]+\\.(?=[a-z])`)
const DATED = /[-@](?:20\d{2}-\d{2}-\d{2}|20\d{6})$/

/** `claude-sonnet-4-5` of `claude-sonnet-4-5-20250929`: a snapshot costs what its model costs, unless it is listed itself. */
export function withoutDate(id: string): string {
  return id.replace(DATED, '')
}

/**
 * What a model is called wherever it runs: `claude-sonnet-4-5` of `anthropic/claude-sonnet-4.5` at a reseller and of
 * `us.anthropic.claude-sonnet-4-5-20250929-v1:0` at Bedrock. A variant's suffix (`:free`) stays: it is another offer.
 */
export function bareName(id: string, provider = ''): string {
  let name = id.slice(id.lastIndexOf('/') + 1).toLowerCase()
  if (provider === 'amazon-bedrock') name = name.replace(BEDROCK_VENDOR, '').replace(/-v\d+(:\d+)?$/, '')
  return withoutDate(name).replaceAll('.', '-')
}
