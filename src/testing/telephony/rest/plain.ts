/**
 * The REST interfaces of Exotel, Infobip and Asterisk for tests, as far as `control.ts` of each uses them. None has an SDK in
 * JavaScript of its maker's: they stand on documents alone.
 */
import {
  basicOf,
  E164,
  faultsOf,
  formOf,
  jsonOf,
  RestDouble,
  type RestDoubleRequest,
  type RestReply,
} from './double.ts'

export const EXOTEL = { account: 'exo-1', key: 'exo-key', token: 'exo-token', flow: '4242' }

export class FakeExotelRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === basicOf(EXOTEL.key, EXOTEL.token)
  }

  protected refusal(status: number): RestReply {
    return {
      status,
      json: { RestException: { Status: status, Message: 'A sentence of its own', Code: 34001 } },
    }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    const fields = formOf(request)
    if (method !== 'POST' || path.join('/') !== `v1/Accounts/${EXOTEL.account}/Calls/connect.json` || !fields)
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    const faults = faultsOf(
      fields,
      ['From', 'CallerId', 'Url'],
      ['CallType', 'TimeLimit', 'TimeOut', 'CustomField'],
    )
    const { From = '', CallerId = '', Url = '' } = fields
    if (!E164.test(From)) faults.push('From')
    if (Url !== `http://my.exotel.com/${EXOTEL.account}/exoml/start_voice/${EXOTEL.flow}`) faults.push('Url')
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const placed = { to: From, from: CallerId, placedWith: fields['CustomField'] }
    const { id } = this.place(placed, (n) => `exotel${n}`)
    return { status: 200, json: { Call: { Sid: id, Status: 'in-progress' } } }
  }
}

export const INFOBIP_KEY = 'infobip-key'

export class FakeInfobipRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === `App ${INFOBIP_KEY}`
  }

  protected refusal(status: number): RestReply {
    const serviceException = {
      messageId: status === 401 ? 'UNAUTHORIZED' : 'BAD_REQUEST',
      text: 'A sentence',
    }
    return { status, json: { requestError: { serviceException } } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    const [calls, one, again, id, hangup] = path
    const right = calls === 'calls' && one === '1' && again === 'calls' && hangup === 'hangup'
    if (!right || method !== 'POST' || !jsonOf(request))
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    const call = this.active(id)
    if (!call) return this.refusal(404)
    call.state = 'over'
    return { status: 200, json: { id: call.id, state: 'FINISHED' } }
  }
}

export const ARI = { user: 'parley', password: 'ari-password' }

export class FakeAri extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === basicOf(ARI.user, ARI.password)
  }

  protected refusal(status: number): RestReply {
    return { status, json: { message: 'A sentence of its own' } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path, query } = request
    if (path[0] !== 'ari' || path[1] !== 'channels') return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (path.length === 2 && method === 'POST') {
      const asked = Object.fromEntries(query)
      const faults = faultsOf(
        asked,
        ['endpoint', 'context', 'extension', 'priority'],
        ['callerId', 'timeout'],
      )
      const variables = jsonOf(request)?.['variables']
      if (typeof variables !== 'object') faults.push('variables')
      if (faults.length > 0) return this.mistaken(faults.join(', '))
      const placed = { to: asked['endpoint']!, from: asked['callerId'] ?? '', placedWith: variables }
      const { id } = this.place(placed, (n) => `1795333587.${n}`)
      return { status: 200, json: { id, name: 'PJSIP/trunk-00000001', state: 'Down' } }
    }
    if (path.length !== 3 || method !== 'DELETE') return this.mistaken(`${method} ${path.join('/')}`, 404)
    const call = this.active(path[2])
    if (!call) return this.refusal(404)
    call.state = 'over'
    return { status: 204 }
  }
}
