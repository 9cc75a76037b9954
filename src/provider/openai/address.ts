/** Where an OpenAI-compatible server is, and how it is shown a key: out of its preset and the settings. Pure. */
import { type Preset, presetOf } from './presets/index.ts'
import type { OpenAiSettings } from './settings.ts'

/** What is asked there. */
export type Interface =
  | 'chat/completions'
  | 'responses'
  | 'embeddings'
  | 'realtime'
  | 'audio/transcriptions'
  | 'audio/speech'

export interface Address {
  readonly origin: string
  /** With the query. */
  readonly path: (what: Interface, model: string) => string
  readonly headers: Readonly<Record<string, string>>
  /** As requests of our own spell it. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

/** `type: openai`, which is any server that has no preset as well. */
export const ANY_SERVER = presetOf('openai') as Preset

/** Throws an `Error` that names the setting, never the key. */
export function addressOf(settings: OpenAiSettings): Address {
  const { name, apiKey, preset = ANY_SERVER } = settings
  const version = apiVersionOf(settings)
  const form = version === undefined ? preset : { ...preset, ...preset.dated }
  const url = parseBase(settings, form)
  const base = url.pathname.replace(/\/+$/, '')
  if (version !== undefined) url.searchParams.set('api-version', version)
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error(`providers.${name}.apiKey holds a character that no HTTP header may hold`)
  }
  return {
    origin: url.origin,
    path: (what, model) => {
      // A dated address names the deployment, but where a message has it.
      const isNamed = version !== undefined && what !== 'responses' && what !== 'realtime'
      const deployment = isNamed ? `/deployments/${encodeURIComponent(model)}` : ''
      return `${base}${deployment}/${what}${url.search}`
    },
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && keyHeader(preset, apiKey)),
      ...settings.headers,
    },
    maxTokensField: settings.maxTokensField ?? maxTokensField(preset, url),
  }
}

function keyHeader({ keyHeader: header }: Preset, apiKey: string): Record<string, string> {
  return header === 'authorization' ? { authorization: `Bearer ${apiKey}` } : { [header]: apiKey }
}

/** OpenAI itself wants the newer name; a server that is only known by its address, the older. */
function maxTokensField(preset: Preset, { hostname }: URL): Address['maxTokensField'] {
  if (preset.maxTokens !== 'either') return preset.maxTokens
  return preset === ANY_SERVER && hostname !== 'api.openai.com' ? 'max_tokens' : 'max_completion_tokens'
}

function apiVersionOf({ name, preset = ANY_SERVER, members = {} }: OpenAiSettings): string | undefined {
  const version = members['apiVersion']
  if (version === undefined) return undefined
  if (!preset.dated) throw new Error(`providers.${name}.apiVersion: this type has no versions`)
  if (typeof version === 'string' && /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version)) return version
  throw new Error(`providers.${name}.apiVersion must be a date such as 2024-10-21, in quotes`)
}

function parseBase(
  { name, baseUrl, members = {} }: OpenAiSettings,
  { baseUrl: usual, barePath = '' }: Pick<Preset, 'baseUrl' | 'barePath'>,
): URL {
  let url: URL | undefined
  try {
    url = new URL(baseUrl ?? filled(usual, name, members))
  } catch (error) {
    if (error instanceof TypeError === false) throw error
  }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error(`providers.${name}.baseUrl must be an http or https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`providers.${name}.baseUrl may hold no user or password; use apiKey or headers`)
  }
  if (url.pathname === '/') url.pathname = barePath
  return url
}

/** Of a name in an address: nothing that could lead elsewhere. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/

function filled(template: string, name: string, members: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_, member: string) => {
    const value = members[member]
    if (typeof value === 'string' && NAME.test(value)) return value
    throw new Error(
      value === undefined
        ? `providers.${name} needs ${member} (or a baseUrl)`
        : `providers.${name}.${member} must be a name`,
    )
  })
}
