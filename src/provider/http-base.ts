/** The address of a provider that is asked over HTTP, out of its settings. */

export interface HttpBase {
  readonly origin: string
  /** Without a slash at its end. */
  readonly path: string
}

/** Throws an `Error` that names the setting, never its value. */
export function httpBase(name: string, baseUrl: string): HttpBase {
  let url: URL | undefined
  try {
    url = new URL(baseUrl)
  } catch {}
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error(`providers.${name}.baseUrl must be an http or https URL`)
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error(`providers.${name}.baseUrl may hold no user, password, query or fragment`)
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') }
}

/** Throws an `Error` that names the setting, never its value. */
export function headerText(name: string, setting: string, value: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value
  throw new Error(`providers.${name}.${setting} is empty or holds a character that no HTTP header may hold`)
}
