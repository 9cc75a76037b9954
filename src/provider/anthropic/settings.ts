/** How to reach Anthropic, or a server that speaks its Messages API. */
import type { Dispatcher } from 'undici'

export interface AnthropicSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey: string
  /** Everything before `/v1/messages`, or before `/messages` where it ends in `/v1`; a query string is kept. */
  readonly baseUrl?: string
  /** Added to every request, over ours: `anthropic-beta`, another `anthropic-version`. */
  readonly headers?: Readonly<Record<string, string>>
  /** For tests: another network. Closed with the provider. */
  readonly dispatcher?: Dispatcher
}

export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com'
/** The version after it, 2026-10-21, is the same but for what it refuses: sampling, for every model. */
export const ANTHROPIC_VERSION = '2023-06-01'

export interface Endpoint {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Whether the version still has sampling. */
  readonly sampling: 'as the model' | 'none'
}

/** Throws an `Error` that names the setting, never the key. */
export function endpointOf(settings: AnthropicSettings): Endpoint {
  const { name, apiKey } = settings
  const url = parseBase(settings)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = `${path}${path.endsWith('/v1') ? '' : '/v1'}/messages`
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error(`providers.${name}.apiKey is empty or holds a character that no HTTP header may hold`)
  }
  const more = Object.entries(settings.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value])
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-api-key': apiKey,
    'anthropic-version': ANTHROPIC_VERSION,
    ...Object.fromEntries(more),
  }
  const sampling = headers['anthropic-version'] === ANTHROPIC_VERSION ? 'as the model' : 'none'
  return { url, headers, sampling }
}

function parseBase({ name, baseUrl = ANTHROPIC_BASE_URL }: AnthropicSettings): URL {
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
