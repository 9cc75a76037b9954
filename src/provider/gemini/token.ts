/**
 * The token of a service account, by Google's own library, which the first request loads: made once, kept until shortly before it ends,
 * one request for all who wait for it.
 */
import type { JWT } from 'google-auth-library'
import { Agent, fetch as request } from 'undici'
import { ProviderError } from '../../errors.ts'
import type { ServiceAccount } from './vertex-settings.ts'

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
/** A token takes a tenth of a second; a request that waits longer is better asked elsewhere. */
const TOKEN_MS = 10_000

export interface Tokens {
  /** Throws `ProviderError`. */
  get(): Promise<string>
  close(): Promise<void>
}

export function tokensOf(provider: string, { email, privateKey, tokenUri }: ServiceAccount): Tokens {
  const dispatcher = new Agent({
    connect: { timeout: TOKEN_MS },
    headersTimeout: TOKEN_MS,
    bodyTimeout: TOKEN_MS,
  })
  // The library knows one address; a key file may name another.
  const ask = (_url: unknown, init: unknown) =>
    request(tokenUri, { ...(init as Parameters<typeof request>[1]), dispatcher, redirect: 'error' })
  let client: Promise<JWT> | undefined
  const load = async (): Promise<JWT> => {
    const { JWT } = await import('google-auth-library')
    return new JWT({
      email,
      key: privateKey,
      scopes: [SCOPE],
      transporterOptions: { fetchImplementation: ask as unknown as typeof fetch, retryConfig: { retry: 0 } },
    })
  }
  return {
    async get() {
      client ??= load()
      try {
        const { token } = await (await client).getAccessToken()
        if (token) return token
      } catch (error) {
        throw failed(provider, error)
      }
      throw failed(provider, undefined)
    },
    close: () => dispatcher.destroy(),
  }
}

/** Google's own sentence stays behind. */
function failed(provider: string, error: unknown): ProviderError {
  const response = (error as { response?: { status?: unknown } } | undefined)?.response
  const status = typeof response?.status === 'number' ? response.status : undefined
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 429 && status !== 408
  return new ProviderError({
    provider,
    stage: 'llm',
    kind: refused ? 'auth' : 'transient',
    message: `the service account was given no token${status === undefined ? '' : ` (HTTP ${status})`}`,
    cause: error,
  })
}
