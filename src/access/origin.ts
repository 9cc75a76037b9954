/**
 * Who may call a server that needs no key. A web page of another site can make its visitor's browser call
 * 127.0.0.1, by a WebSocket (which knows no same-origin rule) or through a name of its own that it resolves to
 * 127.0.0.1 (DNS rebinding). The `Host` header gives the second away, `Origin` the first; pages can set neither.
 */

export interface OriginRules {
  /** `https://app.example.com`, exact. */
  readonly origins: readonly string[]
  /** The server's own address as the world knows it, or null. */
  readonly publicUrl: string | null
}

/** True when `Host` names this machine, with or without a port. */
export function isLoopbackAuthority(host: string | undefined): boolean {
  if (host === undefined) return false
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host)
}

/** True for a request without `Origin` (no browser), from the server's own pages, or from a configured origin. */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  rules: OriginRules,
): boolean {
  return origin === undefined || isOwnOrigin(origin, host, rules) || rules.origins.includes(origin)
}

/**
 * Own is what has the same host and port as the request itself, by http or https: behind a proxy that ends TLS the
 * server cannot know which it was. Only meaningful once `host` is trusted.
 */
function isOwnOrigin(origin: string, host: string | undefined, rules: OriginRules): boolean {
  if (rules.publicUrl !== null && origin === new URL(rules.publicUrl).origin) return true
  if (host === undefined) return false
  const own = host.toLowerCase()
  return origin === originOf('http', own) || origin === originOf('https', own)
}

function originOf(scheme: string, host: string): string | undefined {
  const text = `${scheme}://${host}`
  return URL.canParse(text) ? new URL(text).origin : undefined
}
