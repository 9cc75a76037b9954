/** What `parley.yaml` says of a provider of `type: google-speech`. */
import { resolve } from 'node:path'
import { isRecord } from '../../dialect/openai-error.ts'

export interface Written {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey?: string
  readonly baseUrl?: string
  /** The other members, as written. */
  readonly members: Readonly<Record<string, unknown>>
  /** What a key file's path is relative to. */
  readonly folder: string
}

export interface GoogleSpeechSettings {
  readonly name: string
  /** Left out: the SDK asks its credentials. */
  readonly project?: string
  readonly location: string
  /** Instead of Google's own; without TLS for tests and proxies. */
  readonly endpoint?: { readonly host: string; readonly port: number; readonly tls: 'on' | 'off' }
  /** For the SDK, in its own words; empty: it looks for the machine's. */
  readonly credentials: Readonly<Record<string, unknown>>
}

const MEMBERS = ['project', 'location', 'credentials', 'keyFile', 'headers']

/** Throws an `Error` that names the setting, never its value. */
export function googleSpeechSettings(written: Written): GoogleSpeechSettings {
  const { name, apiKey, baseUrl, members, folder } = written
  const unknown = Object.keys(members).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) throw new Error(`providers.${name}.${unknown} is unknown`)
  const { project, location = 'global', credentials, keyFile } = members
  const own =
    apiKey !== undefined
      ? { apiKey }
      : credentials !== undefined
        ? { credentials: accountOf(name, credentials) }
        : keyFile !== undefined
          ? { keyFilename: resolve(folder, text(name, 'keyFile', keyFile)) }
          : {}
  return {
    name,
    ...(project !== undefined && { project: named(name, 'project', project) }),
    location: named(name, 'location', location),
    ...(baseUrl !== undefined && { endpoint: endpointOf(name, baseUrl) }),
    credentials: own,
  }
}

/** `service` is `speech` or `texttospeech`. */
export function hostOf(service: string, location: string): string {
  return `${location === 'global' ? '' : `${location}-`}${service}.googleapis.com`
}

function endpointOf(name: string, baseUrl: string): NonNullable<GoogleSpeechSettings['endpoint']> {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username || url.search) {
    throw new Error(`providers.${name}.baseUrl must be an https URL of a host, without a path`)
  }
  const tls = url.protocol === 'https:' ? 'on' : 'off'
  const port = url.port === '' ? (tls === 'on' ? 443 : 80) : Number(url.port)
  return { host: url.hostname, port, tls }
}

/** Old projects have a colon in their name. */
function named(name: string, setting: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-z0-9.:-]{1,100}$/i.test(value)) return value
  throw new Error(`providers.${name}.${setting} must name a ${setting} of Google Cloud`)
}

function text(name: string, setting: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new Error(`providers.${name}.${setting} must be a text`)
}

function accountOf(name: string, written: unknown): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(String(written))
    if (isRecord(parsed)) return parsed
  } catch {}
  throw new Error(`providers.${name}.credentials must be the JSON key of a service account`)
}
