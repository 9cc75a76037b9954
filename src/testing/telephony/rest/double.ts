/**
 * What the doubles of the bridges' REST interfaces share: requests taken apart, calls kept, mistakes noted. Each double checks
 * what its bridge's SDK or documents have, and refuses the rest as its bridge does.
 */
import type { HttpDoubleAnswer, HttpDoubleRequest, HttpDoubleServer } from '../../carrier/http.ts'

export interface RestDoubleCall {
  readonly id: string
  readonly to: string
  readonly from: string
  state: 'active' | 'over'
  /** Where it was sent, or the address of the document that says so. */
  transferredTo?: string
  digits: string
  /** The document, address or stream it was placed with. */
  readonly placedWith: unknown
}

export interface RestReply {
  readonly status: number
  /** Left out: an empty body. */
  readonly json?: unknown
}

export type RestFault = RestReply | 'drop' | 'hang'

/** A request whose credentials are right. */
export interface RestDoubleRequest {
  readonly method: string
  /** Parts of the path, decoded. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly type: string
  readonly body: string
}

export abstract class RestDouble {
  readonly mistakes: string[] = []
  readonly calls = new Map<string, RestDoubleCall>()
  readonly requests: RestDoubleRequest[] = []
  /** Instead of the next answer. */
  fault: RestFault | undefined
  #placed = 0

  /** The right `Authorization`, judged by the double. */
  protected abstract admits(authorization: string): boolean
  protected abstract refusal(status: number): RestReply
  protected abstract respond(request: RestDoubleRequest): RestReply

  readonly server: HttpDoubleServer = (request, answer) => {
    const fault = this.fault
    this.fault = undefined
    if (fault === 'drop') answer.drop()
    else if (fault !== 'hang') send(answer, fault ?? this.#reply(request))
    return () => {}
  }

  /** Places a call as the bridge would number it. */
  place(
    facts: Pick<RestDoubleCall, 'to' | 'from' | 'placedWith'>,
    idOf: (n: number) => string,
  ): RestDoubleCall {
    const call: RestDoubleCall = { ...facts, id: idOf(++this.#placed), state: 'active', digits: '' }
    this.calls.set(call.id, call)
    return call
  }

  protected active(id: string | undefined): RestDoubleCall | undefined {
    const call = this.calls.get(id ?? '')
    return call?.state === 'active' ? call : undefined
  }

  /** Notes a mistake; the reply is the bridge's for a bad request. */
  protected mistaken(what: string, status = 400): RestReply {
    this.mistakes.push(what)
    return this.refusal(status)
  }

  #reply(request: HttpDoubleRequest): RestReply {
    if (!this.admits(request.headers['authorization'] ?? '')) return this.refusal(401)
    const asked: RestDoubleRequest = {
      method: request.method,
      path: request.url.pathname.split('/').slice(1).map(decodeURIComponent),
      query: request.url.searchParams,
      type: (request.headers['content-type'] ?? '').replace(/;.*/, ''),
      body: request.body,
    }
    this.requests.push(asked)
    return this.respond(asked)
  }
}

/** The fields of a form, or undefined where it is none. */
export function formOf({ type, body }: RestDoubleRequest): Record<string, string> | undefined {
  if (type !== 'application/x-www-form-urlencoded') return undefined
  return Object.fromEntries(new URLSearchParams(body))
}

/** The members of a JSON object, or undefined where it is none. */
export function jsonOf({ type, body }: RestDoubleRequest): Record<string, unknown> | undefined {
  if (type !== 'application/json') return undefined
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Members that `known` has not, or that are missing of `needed`. */
export function faultsOf(
  given: Readonly<Record<string, unknown>>,
  needed: readonly string[],
  known: readonly string[] = [],
): string[] {
  const all = [...needed, ...known]
  return [
    ...Object.keys(given).flatMap((name) => (all.includes(name) ? [] : [`unknown ${name}`])),
    ...needed.flatMap((name) => (given[name] === undefined ? [`no ${name}`] : [])),
  ]
}

export function basicOf(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

export const E164 = /^\+[1-9]\d{6,14}$/
export const HTTPS = /^https:\/\/\S+$/

function send(answer: HttpDoubleAnswer, { status, json }: RestReply): void {
  answer.head(status, json === undefined ? {} : { 'content-type': 'application/json' })
  if (json !== undefined) answer.write(JSON.stringify(json))
  answer.end()
}
