/** Google's token endpoint for tests: it checks the assertion's signature and claims before it gives the token that the models' double knows. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { type Started, startDouble } from '../../start.ts'
import { type ModelRequest, modelServer } from '../server.ts'
import { GEMINI_TOKEN } from './double.ts'

export interface TokenDouble extends Started {
  readonly requests: readonly ModelRequest[]
  /** The JSON key of its one service account. */
  readonly keyFile: string
  /** The next requests get this instead: a status with an error, or nothing at all. */
  fault(next: 'refuse' | 'unavailable' | 'silent' | null): void
}

const EMAIL = 'parley@test.iam.gserviceaccount.com'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Made once: it takes half a second. */
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

export async function startTokenDouble(expiresInS = 3_600): Promise<TokenDouble> {
  let fault: 'refuse' | 'unavailable' | 'silent' | null = null
  const { http, requests } = modelServer(({ bytes }, response) => {
    if (fault === 'silent') return
    const form = new URLSearchParams(bytes.toString('utf8'))
    const wrong =
      form.get('grant_type') === GRANT ? assertionMistake(form.get('assertion') ?? '', publicKey) : 'grant'
    const status = fault === 'unavailable' ? 503 : fault === 'refuse' || wrong !== null ? 400 : 200
    response.writeHead(status, { 'content-type': 'application/json' })
    const token = { access_token: GEMINI_TOKEN, expires_in: expiresInS, token_type: 'Bearer' }
    const error = { error: 'invalid_grant', error_description: `${wrong} SECRET-IN-MESSAGE` }
    response.end(JSON.stringify(status === 200 ? token : error))
  })
  const double = await startDouble({
    http,
    sessions: requests,
    mistakes: [],
    settingsAt: () => ({ type: 'gemini' }),
  })
  return Object.assign(double, {
    requests,
    keyFile: JSON.stringify({
      type: 'service_account',
      client_email: EMAIL,
      private_key: privateKey,
      token_uri: `${double.url}/token`,
    }),
    fault(next: typeof fault) {
      fault = next
    },
  })
}

function assertionMistake(assertion: string, publicKey: string): string | null {
  const [head = '', claims = '', signature = ''] = assertion.split('.')
  const signed = Buffer.from(signature, 'base64url')
  if (!verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), createPublicKey(publicKey), signed))
    return 'signature'
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>
  if (read['iss'] !== EMAIL) return 'iss'
  if (read['scope'] !== 'https://www.googleapis.com/auth/cloud-platform') return 'scope'
  return Number(read['exp']) - Number(read['iat']) <= 3_600 ? null : 'exp'
}
