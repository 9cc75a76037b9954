/**
 * Twilio's call resource for tests, and SignalWire's, which is the same under another path and wants the address of the document.
 * Sources: `src/wire/telephony/bridges/twilio/control.ts`. npm `twilio` drives it in `test/sdks`.
 */
import {
  basicOf,
  E164,
  faultsOf,
  formOf,
  HTTPS,
  RestDouble,
  type RestDoubleRequest,
  type RestReply,
} from './double.ts'

export const TWILIO_SID = `AC${'0'.repeat(31)}1`
export const TWILIO_TOKEN = 'twilio-auth-token'

export interface FakeCallResourceOptions {
  readonly account: string
  readonly password: string
  /** Before `2010-04-01`. */
  readonly base: readonly string[]
  /** Whether a document may stand in the request. */
  readonly documents: 'inline' | 'by address'
}

const TWILIO: FakeCallResourceOptions = {
  account: TWILIO_SID,
  password: TWILIO_TOKEN,
  base: [],
  documents: 'inline',
}
export const SIGNALWIRE: FakeCallResourceOptions = {
  account: 'project-1',
  password: 'signalwire-api-token',
  base: ['api', 'laml'],
  documents: 'by address',
}

export class FakeCallResource extends RestDouble {
  readonly options: FakeCallResourceOptions

  constructor(options = TWILIO) {
    super()
    this.options = options
  }

  protected admits(authorization: string): boolean {
    return authorization === basicOf(this.options.account, this.options.password)
  }

  protected refusal(status: number): RestReply {
    const codes: Readonly<Record<number, number>> = { 401: 20003, 404: 20404, 400: 21211 }
    return { status, json: { code: codes[status] ?? 20001, message: 'A sentence of its own', status } }
  }

  protected respond(request: RestDoubleRequest): RestReply {
    const { account, base } = this.options
    const head = [...base, '2010-04-01', 'Accounts', account]
    const rest = request.path.slice(head.length)
    if (request.path.slice(0, head.length).join('/') !== head.join('/') || request.method !== 'POST')
      return this.mistaken(`${request.method} ${request.path.join('/')}`, 404)
    const fields = formOf(request)
    if (!fields) return this.mistaken('no form')
    if (rest.length === 1 && rest[0] === 'Calls.json') return this.#create(fields)
    const id =
      rest.length === 2 && rest[0] === 'Calls' ? rest[1]?.match(/^(CA\d{32})\.json$/)?.[1] : undefined
    return id === undefined ? this.mistaken(`POST ${rest.join('/')}`, 404) : this.#update(id, fields)
  }

  #create(fields: Record<string, string>): RestReply {
    const faults = faultsOf(fields, ['To', 'From', this.#document], ['Method', 'Timeout', 'MachineDetection'])
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const { To = '', From = '' } = fields
    if (!E164.test(To) || !E164.test(From)) return this.mistaken('numbers that are none')
    if (!this.#readable(fields)) return this.mistaken('a document that is none')
    const placed = { to: To, from: From, placedWith: fields[this.#document] }
    const { id } = this.place(placed, (n) => `CA${String(n).padStart(32, '0')}`)
    return { status: 201, json: { sid: id, status: 'queued', to: To, from: From } }
  }

  #update(id: string, fields: Record<string, string>): RestReply {
    const faults = faultsOf(fields, [], ['Status', this.#document, 'Method'])
    if (faults.length > 0) return this.mistaken(faults.join(', '))
    const call = this.active(id)
    if (!call) return this.refusal(404)
    if (fields['Status'] !== undefined && fields[this.#document] !== undefined)
      return this.mistaken('a status and a document')
    if (fields['Status'] === 'completed') call.state = 'over'
    else if (this.#readable(fields)) call.transferredTo = fields[this.#document]!
    else return this.mistaken('nothing that can be done')
    return { status: 200, json: { sid: id, status: call.state === 'over' ? 'completed' : 'in-progress' } }
  }

  get #document(): 'Twiml' | 'Url' {
    return this.options.documents === 'inline' ? 'Twiml' : 'Url'
  }

  #readable(fields: Record<string, string>): boolean {
    const document = fields[this.#document] ?? ''
    return this.#document === 'Url'
      ? HTTPS.test(document)
      : /^<\?xml[^>]*\?>\s*<Response>.+<\/Response>$/s.test(document) && document.length <= 4000
  }
}
