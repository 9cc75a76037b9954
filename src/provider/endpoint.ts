/** What every cloud provider is told: a key, and perhaps another address. */
import { type Connect, connectWs } from './socket.ts'

export interface CloudSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey: string
  /** `wss:` or `https:` (`ws:` and `http:` for tests and proxies): everything before the provider's own path. */
  readonly baseUrl?: string
  /** For tests: another network. */
  readonly connect?: Connect
}

export interface CloudEndpoint {
  readonly name: string
  readonly apiKey: string
  /** `ws:` or `wss:`, without a slash at its end. */
  readonly baseUrl: string
  readonly connect: Connect
}

/** Throws an `Error` that names the setting, never the key. */
export function cloudEndpoint(settings: CloudSettings, standard: string): CloudEndpoint {
  const { name, apiKey, baseUrl = standard, connect = connectWs } = settings
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error(`providers.${name}.apiKey is empty or holds a character that no HTTP header may hold`)
  }
  let url: URL | undefined
  try {
    url = new URL(baseUrl)
  } catch {}
  if (!url || !/^(ws|http)s?:$/.test(url.protocol)) {
    throw new Error(`providers.${name}.baseUrl must be a wss or https URL`)
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error(`providers.${name}.baseUrl may hold no user, password, query or fragment`)
  }
  url.protocol = url.protocol.replace('http', 'ws')
  return { name, apiKey, baseUrl: url.href.replace(/\/+$/, ''), connect }
}
