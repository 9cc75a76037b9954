/**
 * Vonage's Voice API for tests: it checks the token's signature, age and claims with the public key. Sources:
 * `src/wire/telephony/bridges/vonage/control.ts`. npm `@vonage/voice` drives it in `test/sdks`.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import type { Clock } from '../../../clock.ts'
import { faultsOf, jsonOf, RestDouble, type RestDoubleRequest, type RestReply } from './double.ts'

export const VONAGE_APPLICATION = '11111111-2222-3333-4444-555555555555'

type Fields = Record<string, unknown>

export class FakeVonageRest extends RestDouble {
  /** PEM, for whoever asks. */
  readonly privateKey: string
  readonly #publicKey: KeyObject
  readonly #clock: Clock

  constructor(clock: Clock) {
    super()
    this.#clock = clock
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    this.#publicKey = createPublicKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }

  protected admits(authorization: string): boolean {
    const [head = '', claims = '', signature = ''] = authorization.replace(/^Bearer /, '').split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Fields
    try {
      const { alg } = read(head)
      const { application_id, iat, exp, jti } = read(claims)
      const now = this.#clock.wallMs() / 1000
      return (
        alg === 'RS256' &&
        application_id === VONAGE_APPLICATION &&
        typeof jti === 'string' &&
        Number(iat) <= now + 1 &&
        Number(exp) > now &&
        Number(exp) - Number(iat) <= 86_400 &&
        verify(
          'RSA-SHA256',
          Buffer.from(`${head}.${claims}`),
          this.#publicKey,
          Buffer.from(signature, 'base64url'),
        )
      )
    } catch {
      return false
    }
  }

  protected refusal(status: number): RestReply {
    return { status, json: { type: 'https://example.com/errors', title: 'Refused', detail: 'A sentence' } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    const body = jsonOf(request)
    if (path[0] !== 'v1' || path[1] !== 'calls' || !body)
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (path.length === 2 && method === 'POST') return this.#create(body)
    const call = this.active(path[2])
    if (!call) return this.refusal(404)
    if (method !== 'PUT') return this.mistaken(method, 404)
    if (path[3] === 'dtmf') {
      if (!/^[0-9*#p]+$/.test(String(body['digits']))) return this.mistaken('digits')
      call.digits += String(body['digits'])
      return { status: 200, json: { message: 'DTMF sent', uuid: call.id } }
    }
    if (body['action'] === 'hangup') {
      call.state = 'over'
      return { status: 204 }
    }
    const destination = body['destination'] as Fields | undefined
    const endpoint = destination?.['type'] === 'ncco' ? firstEndpoint(destination['ncco']) : undefined
    if (body['action'] !== 'transfer' || !endpoint) return this.mistaken('what is done with the call')
    const where = endpoint['type'] === 'phone' ? endpoint['number'] : endpoint['uri']
    if (typeof where !== 'string' || (endpoint['type'] === 'phone' && !/^\d+$/.test(where)))
      return this.mistaken('where the call goes')
    call.transferredTo = where
    return { status: 204 }
  }

  #create(body: Fields): RestReply {
    const faults = faultsOf(body, ['to', 'from', 'ncco'], ['answer_url', 'event_url', 'length_timer'])
    const to = (body['to'] as Fields[] | undefined)?.[0]
    const from = body['from'] as Fields | undefined
    if (to?.['type'] !== 'phone' || !/^\d{7,15}$/.test(String(to['number']))) faults.push('to')
    if (from?.['type'] !== 'phone' || !/^\d{7,15}$/.test(String(from['number']))) faults.push('from')
    const endpoint = firstEndpoint(body['ncco'])
    if (endpoint?.['type'] !== 'websocket' || !/^wss:\/\//.test(String(endpoint['uri']))) faults.push('uri')
    if (!/^audio\/l16;rate=(8000|16000|24000)$/.test(String(endpoint?.['content-type'])))
      faults.push('content-type')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const placed = { to: String(to?.['number']), from: String(from?.['number']), placedWith: endpoint }
    const { id } = this.place(placed, (n) => `vonage-call-${n}`)
    const conversation = { conversation_uuid: 'CON-1', direction: 'outbound' }
    return { status: 201, json: { uuid: id, status: 'started', ...conversation } }
  }
}

function firstEndpoint(ncco: unknown): Fields | undefined {
  const action = Array.isArray(ncco) ? (ncco[0] as Fields | undefined) : undefined
  const endpoints = action?.['action'] === 'connect' ? action['endpoint'] : undefined
  return Array.isArray(endpoints) ? (endpoints[0] as Fields) : undefined
}
