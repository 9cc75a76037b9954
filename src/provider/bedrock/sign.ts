/** A request to Bedrock with AWS's signature (version 4) over its path, its headers and its body. */
import type { HttpTarget } from '../http-exchange.ts'
import type { Aws } from './aws.ts'
import type { KeyPair } from './settings.ts'

/** `wallMs`: Unix time. Resolves with the request's headers. */
export type Sign = (
  target: HttpTarget,
  body: string,
  wallMs: number,
) => Promise<Readonly<Record<string, string>>>

export function signerOf({ SignatureV4, Sha256 }: Aws, region: string, keys: KeyPair): Sign {
  const signer = new SignatureV4({ service: 'bedrock', region, credentials: keys, sha256: Sha256 })
  return async ({ origin, path, headers }, body, wallMs) => {
    const { protocol, host, hostname, port } = new URL(origin)
    const request = {
      method: 'POST',
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      path,
      headers: { ...headers, host },
      body,
    }
    const signed = await signer.sign(request, { signingDate: new Date(wallMs) })
    return signed.headers
  }
}
