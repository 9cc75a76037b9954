/** What a cloud provider behind HTTP is told: a key, and perhaps another address. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import { type CloudSettings, cloudEndpoint } from './endpoint.ts'
import { modelAgent } from './http-model.ts'

export interface HttpCloudSettings extends Omit<CloudSettings, 'connect'> {
  /** For tests: another network. Closed with the provider. */
  readonly dispatcher?: Dispatcher
}

export interface HttpEndpoint {
  readonly name: string
  readonly apiKey: string
  readonly origin: string
  /** What stands before the provider's own path; without a slash at its end. */
  readonly path: string
  readonly dispatcher: Dispatcher
}

/** Throws an `Error` that names the setting, never the key. */
export function httpEndpoint(settings: HttpCloudSettings, standard: string, clock: Clock): HttpEndpoint {
  const { name, apiKey, baseUrl } = cloudEndpoint(settings, standard)
  const { origin, pathname } = new URL(baseUrl.replace(/^ws/, 'http'))
  const path = pathname.replace(/\/+$/, '')
  return { name, apiKey, origin, path, dispatcher: settings.dispatcher ?? modelAgent(clock) }
}
