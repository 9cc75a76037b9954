/** How to reach Bedrock: a region, and either a key pair of AWS or an API key of Bedrock. */
import { type HttpBase, headerText, httpBase } from '../http-base.ts'

export interface BedrockSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  /** An API key of Bedrock; instead of a key pair. */
  readonly apiKey?: string
  /** Everything before `/model/`; left out: AWS's own of the region. */
  readonly baseUrl?: string
  /** The other members, as written. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Endpoint extends HttpBase {
  readonly region: string
  readonly auth:
    | { readonly type: 'bearer'; readonly token: string }
    | { readonly type: 'signed'; readonly keys: KeyPair }
  readonly secrets: readonly string[]
}

/** Null: there is no key at all. Throws an `Error` that names the setting that is wrong, never its value. */
export function bedrockEndpoint({ name, apiKey, baseUrl, options }: BedrockSettings): Endpoint | null {
  const text = (setting: string): string | undefined => {
    const value = options[setting]
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw new Error(`providers.${name}.${setting} must be text`)
    return headerText(name, setting, value)
  }
  const accessKeyId = text('accessKeyId')
  const secretAccessKey = text('secretAccessKey')
  const sessionToken = text('sessionToken')
  const region = text('region')
  if (apiKey === undefined && accessKeyId === undefined && secretAccessKey === undefined) return null
  if (region === undefined || !/^[a-z0-9-]{1,40}$/.test(region)) {
    throw new Error(`providers.${name}.region must name a region of AWS, such as us-east-1`)
  }
  const base = httpBase(name, baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`)
  if (apiKey !== undefined) {
    const token = headerText(name, 'apiKey', apiKey)
    return { ...base, region, auth: { type: 'bearer', token }, secrets: [token] }
  }
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error(`providers.${name} needs both accessKeyId and secretAccessKey, or an apiKey`)
  }
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  return { ...base, region, auth: { type: 'signed', keys }, secrets: Object.values(keys) }
}
