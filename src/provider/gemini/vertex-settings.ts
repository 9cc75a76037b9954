/** How to reach Vertex AI: a project and a location with a service account, or an API key of its express mode alone. */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isRecord } from '../../dialect/openai-error.ts'
import { type HttpBase, headerText, httpBase } from '../http-base.ts'

export interface VertexSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  /** Of express mode, or of a service account; instead of a service account. */
  readonly apiKey?: string
  /** Everything before `/projects/`; left out: Google's own of the location. */
  readonly baseUrl?: string
  /** The other members, as written. */
  readonly options: Readonly<Record<string, unknown>>
  /** What a key file's path is relative to. */
  readonly folder: string
}

/** What is needed of a service account's key file. */
export interface ServiceAccount {
  readonly email: string
  readonly privateKey: string
  /** Where its tokens are made. */
  readonly tokenUri: string
}

export interface VertexEndpoint extends HttpBase {
  readonly auth:
    | { readonly type: 'key'; readonly apiKey: string }
    | { readonly type: 'account'; readonly account: ServiceAccount }
  /** Before the models' own part, without slashes around it; empty for express mode. */
  readonly place: string
}

/** Locations that are several regions have hosts of another form. */
const MULTI_REGIONS: ReadonlySet<string> = new Set(['us', 'eu'])
const TOKEN_URI = 'https://oauth2.googleapis.com/token'

/** Null: there is no key at all. Throws an `Error` that names the setting that is wrong, never its value. */
export function vertexEndpoint(settings: VertexSettings): VertexEndpoint | null {
  const { name, apiKey, baseUrl, options } = settings
  const { project, location = 'global', credentials, keyFile } = options
  if (apiKey === undefined && credentials === undefined && keyFile === undefined) return null
  const region = named(name, 'location', location)
  const base = httpBase(name, baseUrl ?? `https://${hostOf(region)}/v1beta1`)
  const place =
    apiKey !== undefined && project === undefined
      ? ''
      : `projects/${named(name, 'project', project)}/locations/${region}`
  if (apiKey !== undefined) {
    return { ...base, place, auth: { type: 'key', apiKey: headerText(name, 'apiKey', apiKey) } }
  }
  return { ...base, place, auth: { type: 'account', account: accountOf(settings) } }
}

function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com'
  if (MULTI_REGIONS.has(location)) return `aiplatform.${location}.rep.googleapis.com`
  return `${location}-aiplatform.googleapis.com`
}

/** Old projects have a colon in their name. */
function named(name: string, setting: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-z0-9.:-]{1,100}$/i.test(value)) return value
  throw new Error(`providers.${name}.${setting} must name a ${setting} of Google Cloud`)
}

function accountOf({ name, options, folder }: VertexSettings): ServiceAccount {
  const { credentials, keyFile } = options
  const setting = credentials === undefined ? 'keyFile' : 'credentials'
  const wrong = new Error(`providers.${name}.${setting} must be the JSON key of a service account`)
  let parsed: unknown
  try {
    const text =
      credentials === undefined ? readFileSync(resolve(folder, String(keyFile)), 'utf8') : credentials
    parsed = JSON.parse(String(text))
  } catch {
    throw wrong
  }
  if (!isRecord(parsed)) throw wrong
  const { client_email: email, private_key: privateKey, token_uri: tokenUri = TOKEN_URI } = parsed
  if (typeof email !== 'string' || typeof privateKey !== 'string' || typeof tokenUri !== 'string') throw wrong
  if (!URL.canParse(tokenUri) || !/^https?:$/.test(new URL(tokenUri).protocol)) throw wrong
  try {
    createPrivateKey(privateKey)
  } catch {
    throw wrong
  }
  return { email, privateKey, tokenUri }
}
