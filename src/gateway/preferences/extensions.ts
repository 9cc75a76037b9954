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

/** What is left of a body for a provider. */
export interface Rest {
  /** The members that were taken out, in the order of the body. */
  readonly extensions: readonly string[]
  readonly body: Doc
}

export function restOf(body: Doc): Rest {
  const extensions = Object.keys(body).filter((name) => isExtension(name, body[name]))
  const kept = Object.entries(body).filter(([name]) => !extensions.includes(name))
  return { extensions, body: Object.fromEntries(kept) }
}

function isExtension(name: string, value: unknown): boolean {
  if ((EXTENSIONS as readonly string[]).includes(name)) return true
  // OpenAI's and Anthropic's own member holds texts; anything else in it was meant for a gateway.
  return name === 'metadata' && isDoc(value) && Object.values(value).some((one) => typeof one !== 'string')
}
