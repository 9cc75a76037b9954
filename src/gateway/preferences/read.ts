/**
 * What a request says about its own routing, read from its body and headers in whatever dialects it is said. Throws
 * `PreferenceError` and nothing else, whatever it is given; looks at no more than the limits allow.
 */
import { type ClientKeys, refuseCredentials } from './credentials.ts'
import { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { isExtension, type Rest, restOf } from './extensions.ts'
import { type Headers, headerOf } from './headers.ts'
import { readInworld, refuseCompression } from './inworld.ts'
import { readLitellm } from './litellm.ts'
import { type Api, readMetadata } from './metadata.ts'
import { readOpenrouter } from './openrouter.ts'
import { readParley } from './parley.ts'
import { readPortkey } from './portkey.ts'
import type { Plan, Preferences, Wish } from './preferences.ts'
import { type Doc, docAt, nameAt, own, present } from './values.ts'
import { readVercel } from './vercel.ts'
import { firstOf, wishOf } from './wish.ts'

export interface ReadOptions {
  /** In whose shape the body is; left out: OpenAI's. */
  readonly api?: Api
  /** What becomes of credentials in a client's Portkey config; left out: refused. They are never used. */
  readonly clientKeys?: ClientKeys
}

export interface Read {
  readonly preferences: Preferences
  /** What of the body a provider may get, and what was taken out of it. */
  readonly rest: Rest
}

/** `headers` by lower-case names, as Node gives them. */
export function readPreferences(body: unknown, headers: Headers, options: ReadOptions = {}): Read {
  const { api = 'openai', clientKeys = 'refused' } = options
  const doc = present(docAt(body, 'body'), 'body')
  const draft = new Draft()
  const model = nameAt(own(doc, 'model'), 'model') ?? null
  const asked = model === null ? null : wishOf(model, 'model')
  refuseCompression(own(doc, 'messages'))
  if (saysSomething(doc, headers)) {
    refuseCredentials(doc, '')
    readParley(doc, headers, draft)
    readOpenrouter(doc, headers, draft)
    readInworld(doc, draft)
    readLitellm(doc, headers, asked?.name ?? null, draft)
    readVercel(doc, draft)
    readPortkey(headers, model, clientKeys, draft)
  }
  const told = readMetadata(doc, headers, api, draft)
  const auto = asked?.name === 'auto' && draft.plan === null && draft.first === null
  if (auto || asked?.name.startsWith('inworld/')) draft.spoken('inworld')
  // A pool is sorted as a whole, so the suffix is for all of it.
  if (auto && asked?.sort) draft.say('sort', [asked.sort], 'model')
  const preferences = draft.preferences({
    plan: planOf(asked, auto, draft),
    auto,
    metadata: told.metadata,
    user: told.user,
    tellsRouting: tellsRouting(headers, draft),
  })
  return { preferences, rest: restOf(doc) }
}

const HEADERS = /^x-(parley-|portkey-|litellm-|session-id$|openrouter-)/

/** Most requests say nothing, and are not searched for it. */
function saysSomething(body: Doc, headers: Headers): boolean {
  return Object.keys(body).some(isExtension) || Object.keys(headers).some((name) => HEADERS.test(name))
}

function planOf(asked: Wish | null, auto: boolean, draft: Draft): Plan | null {
  const { plan, models } = draft
  if (plan) return models.length > 0 ? refuse('models', 'cannot go with a config in the headers') : plan
  if (auto && models.length > 0) return firstOf(models)
  const first = draft.first ?? asked
  return firstOf([...(first ? [first] : []), ...models])
}

/** OpenRouter's name for the header, and its former one. Any value but `enabled` is none, as there. */
function tellsRouting(headers: Headers, draft: Draft): boolean {
  const names = ['x-openrouter-metadata', 'x-openrouter-experimental-metadata']
  const asked = names.some((name) => headerOf(headers, name)?.toLowerCase() === 'enabled')
  if (asked) draft.spoken('openrouter')
  return asked
}
