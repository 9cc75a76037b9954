/** How to reach an OpenAI-compatible server. */
import type { Dispatcher } from 'undici'

export interface OpenAiSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  /** Everything before `/chat/completions` or `/responses`; a query string is kept. */
  readonly baseUrl?: string
  /** Which of its interfaces is spoken. Left out: `chat`, chat completions. */
  readonly api?: 'chat' | 'responses'
  readonly apiKey?: string
  /** Added to every request, over ours. */
  readonly headers?: Readonly<Record<string, string>>
  /** Left out: the newer name for OpenAI itself, the older for every other server. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** For tests: another network. Closed with the provider. */
  readonly dispatcher?: Dispatcher
}

export const OPENAI_BASE_URL = 'https://api.openai.com/v1'

export interface Endpoint {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

const PATHS = { chat: '/chat/completions', responses: '/responses' } as const

/** Of the settings, as written. Throws an `Error` that names it. */
export function apiOf(name: string, api: unknown): 'chat' | 'responses' {
  if (api === undefined || api === 'chat') return 'chat'
  if (api === 'responses') return api
  throw new Error(`providers.${name}.api must be chat or responses`)
}

/** Throws an `Error` that names the setting, never the key. */
export function endpointOf(settings: OpenAiSettings): Endpoint {
  const url = parseBase(settings)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${PATHS[settings.api ?? 'chat']}`
  const { apiKey } = settings
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error(`providers.${settings.name}.apiKey holds a character that no HTTP header may hold`)
  }
  return {
    url,
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...settings.headers,
    },
    maxTokensField:
      settings.maxTokensField ?? (url.hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens'),
  }
}

function parseBase({ name, baseUrl = OPENAI_BASE_URL }: OpenAiSettings): URL {
  let url: URL | undefined
  try {
    url = new URL(baseUrl)
  } catch {}
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error(`providers.${name}.baseUrl must be an http or https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`providers.${name}.baseUrl may hold no user or password; use apiKey or headers`)
  }
  return url
}
