/** What `parley.yaml` says of a provider of `type: ai-sdk`. */

export interface AiSdkSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  /** Of npm, as it is installed beside the settings or the server. */
  readonly package: string
  /** The export that makes the provider. Left out: guessed from the names. */
  readonly factory?: string
  /** For the factory, in the package's own words. May hold secrets. */
  readonly options: Readonly<Record<string, unknown>>
  /** Whose `node_modules`, and those above them, are searched; first to last. */
  readonly folders: readonly string[]
}

export interface Written {
  readonly name: string
  readonly apiKey?: string
  readonly baseUrl?: string
  /** The other members, as written. */
  readonly members: Readonly<Record<string, unknown>>
  readonly folders: readonly string[]
}

/** One scope at most, no version, no path, no address: what is named is a folder below `node_modules` and nothing else. */
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const PACKAGE_CHARACTERS = 214
const EXPORT = /^[A-Za-z_$][\w$]{0,127}$/
const MEMBERS = ['package', 'factory', 'options']

/** Throws an `Error` that names the setting, never its value. */
export function aiSdkSettings({ name, apiKey, baseUrl, members, folders }: Written): AiSdkSettings {
  const at = `providers.${name}`
  const { package: packageName, factory, options = {} } = members
  if (
    typeof packageName !== 'string' ||
    packageName.length > PACKAGE_CHARACTERS ||
    !PACKAGE.test(packageName)
  ) {
    throw new Error(`${at}.package must be the name of an npm package, such as "@ai-sdk/xai"`)
  }
  if (factory !== undefined && (typeof factory !== 'string' || !EXPORT.test(factory))) {
    throw new Error(`${at}.factory must be the name of an export, such as createXai`)
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new Error(`${at}.options must be a mapping`)
  }
  const unknown = Object.keys(members).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) {
    throw new Error(`${at}.${unknown} is unknown; what the package itself takes goes into ${at}.options`)
  }
  return {
    name,
    package: packageName,
    ...(factory !== undefined && { factory }),
    options: {
      ...(apiKey !== undefined && { apiKey }),
      ...(baseUrl !== undefined && { baseURL: baseUrl }),
      // The one package that cannot do without a name of its server.
      ...(packageName === '@ai-sdk/openai-compatible' && { name }),
      ...options,
    },
    folders,
  }
}
