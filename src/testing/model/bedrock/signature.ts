/** AWS's signature, version 4, computed again from what came, with nothing of AWS's own code. Null: it is right. */
import { createHash, createHmac } from 'node:crypto'
import type { ModelRequest } from '../server.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly region: string
}

const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
const escaped = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

export function signatureMistake(request: ModelRequest, keys: Keys): string | null {
  const { headers, url, method, bytes } = request
  const shown = String(headers.authorization ?? '')
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
    shown,
  )
  if (!found) return 'Missing Authentication Token'
  const [, credential = '', signedHeaders = '', signature] = found
  const date = String(headers['x-amz-date'])
  const scope = `${date.slice(0, 8)}/${keys.region}/bedrock/aws4_request`
  if (credential !== `${keys.accessKeyId}/${scope}`)
    return 'The security token included in the request is invalid'
  const token = headers['x-amz-security-token']
  if (token !== keys.sessionToken) return 'The security token included in the request is invalid'
  const names = signedHeaders.split(';')
  for (const name of ['host', 'x-amz-date', ...(token === undefined ? [] : ['x-amz-security-token'])]) {
    if (!names.includes(name)) return `${name} must be signed`
  }
  const [path = '', query = ''] = url.split('?')
  const canonical = [
    method,
    // Escaped once more than on the wire.
    path.split('/').map(escaped).join('/'),
    query,
    ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    sha(bytes),
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<Buffer | string>((made, part) => hmac(made, part), `AWS4${keys.secretAccessKey}`)
  return hmac(key, toSign).toString('hex') === signature
    ? null
    : 'The request signature we calculated does not match'
}
