/** Bandwidth's Voice API v2 for tests. Sources: `src/wire/telephony/bridges/bandwidth/control.ts`. npm `bandwidth-sdk` drives it in `test/sdks`. */
import {
  basicOf,
  E164,
  faultsOf,
  HTTPS,
  jsonOf,
  RestDouble,
  type RestDoubleRequest,
  type RestReply,
} from './double.ts'

export const BANDWIDTH = {
  account: '9900000',
  user: 'api-user',
  password: 'api-password',
  application: 'app-1',
}

const CREATE = ['answerMethod', 'tag', 'callTimeout', 'disconnectUrl', 'disconnectMethod', 'displayName']

export class FakeBandwidthRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === basicOf(BANDWIDTH.user, BANDWIDTH.password)
  }

  protected refusal(status: number): RestReply {
    return { status, json: { type: 'validation', description: 'A sentence of its own', id: 'x' } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    // Below `/api/v2` in life, whose place a base address takes here.
    const [accounts, account, calls, id, bxml] = path.slice(path.indexOf('accounts'))
    if (accounts !== 'accounts' || account !== BANDWIDTH.account || calls !== 'calls')
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (id === undefined && method === 'POST') return this.#create(jsonOf(request))
    const call = this.active(id)
    if (!call) return this.refusal(404)
    if (bxml === 'bxml' && method === 'PUT') {
      const to = /<Response><Transfer><(?:PhoneNumber|SipUri)>([^<]+)</.exec(request.body)?.[1]
      if (request.type !== 'application/xml' || to === undefined) return this.mistaken('BXML')
      call.transferredTo = to
      return { status: 204 }
    }
    const body = jsonOf(request)
    if (method !== 'POST' || bxml !== undefined || body?.['state'] !== 'completed')
      return this.mistaken('state')
    call.state = 'over'
    return { status: 200 }
  }

  #create(body: Record<string, unknown> | undefined): RestReply {
    if (!body) return this.mistaken('no JSON')
    const faults = faultsOf(body, ['to', 'from', 'applicationId', 'answerUrl'], CREATE)
    if (!E164.test(String(body['to'])) || !E164.test(String(body['from']))) faults.push('numbers')
    if (body['applicationId'] !== BANDWIDTH.application) faults.push('applicationId')
    if (!HTTPS.test(String(body['answerUrl']))) faults.push('answerUrl')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const { to, from, answerUrl } = body as { to: string; from: string; answerUrl: string }
    const { id } = this.place({ to, from, placedWith: answerUrl }, (n) => `c-${n}`)
    return { status: 201, json: { callId: id, applicationId: BANDWIDTH.application, to, from, answerUrl } }
  }
}
