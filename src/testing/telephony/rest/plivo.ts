/** Plivo's calls for tests. Sources: `src/wire/telephony/bridges/plivo/control.ts`. npm `plivo` drives it in `test/sdks`. */
import {
  basicOf,
  faultsOf,
  HTTPS,
  jsonOf,
  RestDouble,
  type RestDoubleRequest,
  type RestReply,
} from './double.ts'

export const PLIVO_ID = 'MAXXXXXXXXXXXXXXXXXX'
export const PLIVO_TOKEN = 'plivo-auth-token'

const CREATE = ['answer_method', 'hangup_url', 'hangup_method', 'time_limit', 'ring_timeout', 'caller_name']

export class FakePlivoRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === basicOf(PLIVO_ID, PLIVO_TOKEN)
  }

  protected refusal(status: number): RestReply {
    return { status, json: { api_id: 'x', error: 'A sentence of its own' } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    // Every path of Plivo's ends with a slash.
    const [v1, account, id, call, uuid, ...rest] = path
    if (v1 !== 'v1' || account !== 'Account' || id !== PLIVO_ID || call !== 'Call' || path.at(-1) !== '')
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (uuid === '' && rest.length === 0 && method === 'POST') return this.#create(jsonOf(request))
    const found = this.active(uuid)
    if (!found) return this.refusal(404)
    if (rest.length === 1 && method === 'DELETE') {
      found.state = 'over'
      return { status: 204 }
    }
    const body = jsonOf(request)
    if (method !== 'POST' || !body) return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (rest[0] === 'DTMF') {
      if (!/^[0-9*#wW]+$/.test(String(body['digits']))) return this.mistaken('digits')
      found.digits += String(body['digits'])
      return { status: 202, json: { api_id: 'x', message: 'digits sent' } }
    }
    const faults = faultsOf(body, ['legs'], ['aleg_url', 'aleg_method', 'bleg_url', 'bleg_method'])
    if (body['legs'] !== 'aleg' || !HTTPS.test(String(body['aleg_url']))) faults.push('aleg_url')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    found.transferredTo = String(body['aleg_url'])
    return { status: 202, json: { api_id: 'x', message: 'call transferred', call_uuids: [found.id] } }
  }

  #create(body: Record<string, unknown> | undefined): RestReply {
    if (!body) return this.mistaken('no JSON')
    const faults = faultsOf(body, ['from', 'to', 'answer_url'], CREATE)
    if (!/^(\d{7,15}|sips?:\S+)$/.test(String(body['to']))) faults.push('to')
    if (!HTTPS.test(String(body['answer_url']))) faults.push('answer_url')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const { to, from, answer_url } = body as { to: string; from: string; answer_url: string }
    const { id } = this.place({ to, from, placedWith: answer_url }, (n) => `plivo-call-${n}`)
    return { status: 201, json: { api_id: 'x', message: 'call fired', request_uuid: id } }
  }
}
