/** What `parley.yaml` says of a provider of `type: azure-speech`. */

export interface Written {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  readonly apiKey: string
  readonly baseUrl?: string
  /** The other members, as written. */
  readonly members: Readonly<Record<string, unknown>>
}

export interface AzureSpeechSettings {
  readonly name: string
  readonly apiKey: string
  /** Its region, or the host of a container or proxy that serves recognition and voices. */
  readonly place: { readonly region: string } | { readonly host: URL }
}

/** Throws an `Error` that names the setting, never its value. */
export function azureSpeechSettings({ name, apiKey, baseUrl, members }: Written): AzureSpeechSettings {
  const unknown = Object.keys(members).find((member) => member !== 'region')
  if (unknown !== undefined) throw new Error(`providers.${name}.${unknown} is unknown`)
  if (baseUrl !== undefined) return { name, apiKey, place: { host: hostOf(name, baseUrl) } }
  const { region } = members
  if (typeof region === 'string' && /^[a-z0-9]{2,40}$/.test(region))
    return { name, apiKey, place: { region } }
  throw new Error(`providers.${name}.region must name a region of Azure, such as westeurope`)
}

function hostOf(name: string, baseUrl: string): URL {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (!url || !/^(http|ws)s?:$/.test(url.protocol) || url.pathname !== '/' || url.username || url.search) {
    throw new Error(`providers.${name}.baseUrl must be an https or wss URL of a host, without a path`)
  }
  return new URL(url.href.replace(/^http/, 'ws'))
}
