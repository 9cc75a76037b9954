/** Telnyx Call Control v2 for tests. Sources: `src/wire/telephony/bridges/telnyx/control.ts`. npm `telnyx` drives it in `test/sdks`. */
import { E164, faultsOf, jsonOf, RestDouble, type RestDoubleRequest, type RestReply } from './double.ts'

export const TELNYX_KEY = 'telnyx-api-key'

const DIAL = [
  'stream_url',
  'stream_track',
  'stream_codec',
  'stream_bidirectional_mode',
  'stream_bidirectional_codec',
  'stream_bidirectional_sampling_rate',
  'stream_auth_token',
  'client_state',
  'command_id',
]

export class FakeTelnyxRest extends RestDouble {
  protected admits(authorization: string): boolean {
    return authorization === `Bearer ${TELNYX_KEY}`
  }

  protected refusal(status: number, code = '10015'): RestReply {
    return { status, json: { errors: [{ code, title: 'A sentence of its own', detail: 'Another' }] } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { method, path } = request
    const body = jsonOf(request)
    if (method !== 'POST' || path[0] !== 'v2' || path[1] !== 'calls' || !body)
      return this.mistaken(`${method} ${path.join('/')}`, 404)
    if (path.length === 2) return this.#dial(body)
    if (path.length !== 5 || path[3] !== 'actions') return this.mistaken(`POST ${path.join('/')}`, 404)
    const call = this.active(path[2])
    if (!call) return this.refusal(422, '90018')
    switch (path[4]) {
      case 'hangup': {
        const faults = faultsOf(body, [], ['client_state', 'command_id'])
        if (faults.length > 0) return this.mistaken(faults.join(', '), 422)
        call.state = 'over'
        break
      }
      case 'transfer': {
        const { to } = body
        if (typeof to !== 'string' || !/^(\+\d+|sips?:\S+)$/.test(to)) return this.mistaken('to', 422)
        call.transferredTo = to
        break
      }
      case 'send_dtmf':
        if (typeof body['digits'] !== 'string' || !/^[0-9A-D*#wW]+$/.test(body['digits']))
          return this.mistaken('digits', 422)
        call.digits += body['digits']
        break
      default:
        return this.mistaken(`action ${path[4]}`, 404)
    }
    return { status: 200, json: { data: { result: 'ok' } } }
  }

  #dial(body: Record<string, unknown>): RestReply {
    const faults = faultsOf(body, ['connection_id', 'to', 'from'], DIAL)
    if (!E164.test(String(body['to'])) || !E164.test(String(body['from']))) faults.push('numbers')
    if (!/^wss:\/\/[^?]+$/.test(String(body['stream_url']))) faults.push('stream_url')
    if (body['stream_bidirectional_mode'] !== 'rtp') faults.push('our sound would not be played')
    if (!['PCMU', 'PCMA', 'L16'].includes(String(body['stream_bidirectional_codec']))) faults.push('codec')
    if (![8000, 16000, 24000].includes(Number(body['stream_bidirectional_sampling_rate'])))
      faults.push('rate')
    if (faults.length > 0) return this.mistaken(faults.join(', '), 422)
    const { to, from } = body as { to: string; from: string }
    const { id } = this.place({ to, from, placedWith: body }, (n) => `v3:call/${n}+x==`)
    const data = { call_control_id: id, call_leg_id: 'leg', call_session_id: 'session', is_alive: false }
    return { status: 200, json: { data: { record_type: 'call', ...data } } }
  }
}
