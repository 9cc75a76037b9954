/**
 * What a request says of itself for routes to read, and whose it is. Where two sources have the same name the later of this
 * list wins, the body over the headers, as at the other doors: `x-portkey-metadata`, `x-parley-metadata`, `metadata`, `tags`,
 * `extra_body.metadata`. What the key and its backend say wins over all of it elsewhere.
 */
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { type Headers, headerOf, jsonHeader } from './headers.ts'
import { MAX_NAMES, METADATA } from './limits.ts'
import { boundedAt, type Doc, docAt, isSaid, namesAt, own } from './values.ts'

export type Api = 'openai' | 'anthropic'

export interface Told {
  readonly metadata: Doc
  readonly user: string | null
}

export function readMetadata(body: Doc, headers: Headers, api: Api, draft: Draft): Told {
  const gateway = own(own(body, 'providerOptions'), 'gateway')
  const sources: (Doc | undefined)[] = [
    boundedAt(jsonHeader(headers, 'x-portkey-metadata'), 'x-portkey-metadata', METADATA),
    boundedAt(jsonHeader(headers, 'x-parley-metadata'), 'x-parley-metadata', METADATA),
    boundedAt(own(body, 'metadata'), 'metadata', METADATA),
    tagsOf(body, headers, gateway),
    boundedAt(own(own(body, 'extra_body'), 'metadata'), 'extra_body.metadata', METADATA),
  ]
  const metadata = boundedAt(Object.assign(Object.create(null), ...sources), 'metadata', METADATA) ?? {}
  if (isSaid(own(own(body, 'extra_body'), 'metadata'))) draft.spoken('inworld')
  return { metadata: Object.fromEntries(Object.entries(metadata)), user: userOf(body, headers, api) }
}

/** LiteLLM's and Vercel's tags: routes read them as `metadata.tags`. */
function tagsOf(body: Doc, headers: Headers, gateway: unknown): Doc | undefined {
  const header = headerOf(headers, 'x-litellm-tags')
  const listed = header?.split(',').map((tag) => tag.trim())
  const tags =
    namesAt(own(body, 'tags'), 'tags', MAX_NAMES) ??
    namesAt(own(gateway, 'tags'), 'providerOptions.gateway.tags', MAX_NAMES) ??
    namesAt(listed, 'x-litellm-tags', MAX_NAMES)
  return tags && { tags }
}

/** The first that is there. `safety_identifier` and `prompt_cache_key` name no user, but what a provider may group by. */
function userOf(body: Doc, headers: Headers, api: Api): string | null {
  const gateway = docAt(
    own(docAt(own(body, 'providerOptions'), 'providerOptions'), 'gateway'),
    'providerOptions.gateway',
  )
  const portkey = jsonHeader(headers, 'x-portkey-metadata')
  const candidates: readonly (readonly [unknown, string])[] = [
    [own(body, 'user'), 'user'],
    [own(gateway, 'user'), 'providerOptions.gateway.user'],
    ...(api === 'anthropic' ? [[own(own(body, 'metadata'), 'user_id'), 'metadata.user_id'] as const] : []),
    [headerOf(headers, 'x-litellm-customer-id'), 'x-litellm-customer-id'],
    [headerOf(headers, 'x-litellm-end-user-id'), 'x-litellm-end-user-id'],
    [own(portkey, '_user'), 'x-portkey-metadata._user'],
  ]
  const said = candidates.map(([value, path]) => userAt(value, path)).find((user) => user !== null)
  return said ?? null
}

/** OpenAI's own limit is 512 characters; what a user is called may hold blanks. */
const MAX_USER_CHARS = 512

function userAt(value: unknown, path: string): string | null {
  if (!isSaid(value) || value === '') return null
  if (typeof value !== 'string') return refuse(path, 'must be a text')
  return value.length <= MAX_USER_CHARS ? value : refuse(path, `is longer than ${MAX_USER_CHARS} characters`)
}
