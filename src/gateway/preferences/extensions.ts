/** Which members of a body are about routing: they are for this server, and no provider gets them. */
import { CREDENTIAL_MEMBERS } from './credentials.ts'
import { type Doc, isDoc } from './values.ts'

export const EXTENSIONS = [
  // OpenRouter
  'models',
  'provider',
  'route',
  'session_id',
  'plugins',
  'transforms',
  'trace',
  'usage',
  'debug',
  // Inworld
  'extra_body',
  'sort',
  'ignore',
  'fallback',
  'web_search',
  'compression',
  // LiteLLM, and Anthropic's `fallbacks`
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'disable_fallbacks',
  'num_retries',
  'timeout',
  'request_timeout',
  'stream_timeout',
  'tags',
  'drop_params',
  'mock_testing_fallbacks',
  // Vercel
  'providerOptions',
  // Ours
  'parley',
  ...CREDENTIAL_MEMBERS,
] as const

const NAMES: ReadonlySet<string> = new Set(EXTENSIONS)

export function isExtension(name: string): boolean {
  return NAMES.has(name)
}

/** What is left of a body for a provider. */
export interface Rest {
  /** The members that were taken out, in the order of the body. */
  readonly extensions: readonly string[]
  readonly body: Doc
}

export function restOf(body: Doc): Rest {
  const extensions = Object.keys(body).filter((name) => isExtension(name) || isForRoutes(name, body[name]))
  // Most requests have none: nothing is copied for them.
  if (extensions.length === 0) return { extensions, body }
  return {
    extensions,
    body: Object.fromEntries(Object.entries(body).filter(([name]) => !extensions.includes(name))),
  }
}

/** OpenAI's and Anthropic's own metadata holds texts; anything else in it was meant for a gateway. */
function isForRoutes(name: string, value: unknown): boolean {
  return name === 'metadata' && isDoc(value) && Object.values(value).some((one) => typeof one !== 'string')
}
