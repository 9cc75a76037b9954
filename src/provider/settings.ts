/** What every speech provider is configured with, and its base address checked. */
import type { Connect } from './socket.ts'

export interface SpeechSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey: string
  /** `ws:`, `wss:`, `http:` or `https:`; a path is kept. */
  readonly baseUrl?: string
  /** Tests replace it. */
  readonly connect?: Connect
}

/** Throws an `Error` that names the setting, never the key. */
export function socketBase({ name, apiKey, baseUrl }: SpeechSettings, ownUrl: string): URL {
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new Error(`providers.${name}.apiKey is empty or holds a character that no HTTP header may hold`)
  }
  let url: URL | undefined
  try {
    url = new URL((baseUrl ?? ownUrl).replace(/^http(s?):/i, 'ws$1:'))
  } catch {}
  if (url?.protocol !== 'ws:' && url?.protocol !== 'wss:') {
    throw new Error(`providers.${name}.baseUrl must be a ws, wss, http or https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`providers.${name}.baseUrl may hold no user or password; use apiKey`)
  }
  return url
}
