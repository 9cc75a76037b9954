/**
 * Members by which other gateways let a client bring a credential, or choose the address that is called. The server's own
 * settings alone say whom it calls and as whom, so these are refused wherever they stand, never passed on and never ignored.
 */
import { refuse } from './error.ts'
import { type Doc, isSaid } from './values.ts'

const CREDENTIALS = ['api_key', 'apiKey', 'virtual_key', 'virtualKey', 'byok']
const ADDRESSES = [
  'custom_host',
  'customHost',
  'api_base',
  'apiBase',
  'base_url',
  'baseURL',
  'baseUrl',
  'extra_headers',
  'user_config',
  'azure_endpoint',
]

/** `unused`: a client's keys are read past, and the server's own used. Addresses are refused either way. */
export type ClientKeys = 'refused' | 'unused'

export function refuseCredentials(doc: Doc, path: string, keys: ClientKeys = 'refused'): void {
  for (const name of Object.keys(doc)) {
    if (!isSaid(doc[name])) continue
    const place = path === '' ? name : `${path}.${name}`
    if (ADDRESSES.includes(name)) refuse(place, "is not taken: the server's settings say where it calls")
    if (keys === 'refused' && CREDENTIALS.includes(name))
      refuse(place, "is not taken: the server calls with its own settings' credentials")
  }
}

export const CREDENTIAL_MEMBERS: readonly string[] = [...CREDENTIALS, ...ADDRESSES]
