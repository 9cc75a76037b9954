/** jambonz's calls for tests. Sources: `src/wire/telephony/bridges/jambonz/control.ts`. npm `@jambonz/node-client` drives it in `test/sdks`. */
import { faultsOf, HTTPS, jsonOf, RestDouble, type RestDoubleRequest, type RestReply } from './double.ts'

export const JAMBONZ = { account: 'jambonz-account', key: 'jambonz-key', application: 'jambonz-app' }

export class FakeJambonzRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === `Bearer ${JAMBONZ.key}`
  }

  protected refusal(status: number): RestReply {
    return { status, json: { msg: 'A sentence of its own' } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    const [v1, accounts, account, calls, sid, ...more] = path
    const body = jsonOf(request)
    if (v1 !== 'v1' || accounts !== 'Accounts' || account !== JAMBONZ.account || calls !== 'Calls')
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (!body || more.length > 0) return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (sid === undefined && method === 'POST') return this.#create(body)
    const call = this.active(sid)
    if (!call) return this.refusal(404)
    const hook = body['call_hook'] as { url?: unknown } | undefined
    if (method !== 'PUT') return this.mistaken(method, 404)
    if (body['call_status'] === 'completed' && !hook) call.state = 'over'
    else if (HTTPS.test(String(hook?.url)) && body['call_status'] === undefined)
      call.transferredTo = String(hook?.url)
    else return this.mistaken('what is done with the call')
    return { status: 202 }
  }

  #create(body: Record<string, unknown>): RestReply {
    const faults = faultsOf(
      body,
      ['application_sid', 'from', 'to'],
      ['tag', 'timeout', 'headers', 'call_hook'],
    )
    const to = body['to'] as { type?: unknown; number?: unknown; sipUri?: unknown } | undefined
    const where = to?.type === 'phone' ? to.number : to?.type === 'sip' ? to.sipUri : undefined
    if (typeof where !== 'string') faults.push('to')
    if (body['application_sid'] !== JAMBONZ.application) faults.push('application_sid')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const placed = { to: String(where), from: String(body['from']), placedWith: body['tag'] }
    const { id } = this.place(placed, (n) => `jambonz-call-${n}`)
    return { status: 201, json: { sid: id } }
  }
}
