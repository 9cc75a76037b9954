/**
 * What the bridges' REST interfaces share: one request over undici, its answer as JSON, its failures as `CallControlError`.
 * Never retries, since a call placed twice rings twice; follows no redirect; tells nothing of a body but its short code.
 */
import { Agent, type Dispatcher } from 'undici'
import { z } from 'zod'
import { CallControlError } from '../bridge.ts'
import { asFields } from './message.ts'

/** For tests: another address, another network. */
export interface RestPlace {
  readonly baseUrl?: string | undefined
  readonly dispatcher?: Dispatcher | undefined
}

/** The `baseUrl` that each bridge's options have. */
export const BASE_URL_OPTION = {
  baseUrl: z
    .string()
    .max(2000)
    .refine(isPlainHttpUrl, 'wants an http or https address without user, query or fragment')
    .optional(),
}

export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the base; its parts are encoded by `pathOf`. May have a query. */
  readonly path: string
  readonly body?: { readonly type: string; readonly text: string }
  readonly signal: AbortSignal
}

/** The JSON of an answer of 2xx, or undefined where it has none. Throws `CallControlError`, or the signal's reason. */
export type Rest = (request: RestRequest) => Promise<unknown>

export interface RestOptions extends RestPlace {
  /** As people write it: it stands in errors. */
  readonly name: string
  readonly standardUrl: string
  /** Called for each request: a token may have its time. */
  readonly authorization: () => string
  /** The bridge's own short code in the body of a refusal. */
  readonly codeOf?: (body: Readonly<Record<string, unknown>>) => unknown
  /** What says that there is no such call any more, beside status 404 and 410. */
  readonly gone?: (status: number, code: string) => boolean
}

const CONNECT_MS = 5_000
/** A bridge that has not answered by then is not waited for: the caller hears silence meanwhile. */
const ANSWER_MS = 15_000
const ANSWER_BYTES = 256 * 1024
/** Short words and numbers; a sentence is never one. */
const CODE = /^[A-Za-z0-9_.:-]{1,40}$/

export function restOf(options: RestOptions): Rest {
  const { name, authorization, codeOf = () => undefined, gone = () => false } = options
  const { origin, pathname } = new URL(options.baseUrl ?? options.standardUrl)
  const base = pathname.replace(/\/+$/, '')
  const dispatcher =
    options.dispatcher ??
    new Agent({ connect: { timeout: CONNECT_MS }, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS })
  return async ({ method, path, body, signal }) => {
    signal.throwIfAborted()
    const headers: Record<string, string> = { accept: 'application/json', authorization: authorization() }
    if (body) headers['content-type'] = body.type
    let status: number
    let json: unknown
    try {
      const request = { origin, path: base + path, method, headers, body: body?.text ?? null, signal }
      const answer = await dispatcher.request(request)
      status = answer.statusCode
      json = await jsonOf(answer.body)
    } catch (error) {
      signal.throwIfAborted()
      throw new CallControlError('unreachable', `${name} could not be reached (${shortOf(error)})`)
    }
    if (status >= 200 && status < 300) return json
    const found = String(codeOf(asFields(json) ?? {}) ?? '')
    const code = CODE.test(found) ? found : ''
    const kind = status === 404 || status === 410 || gone(status, code) ? 'gone' : kindOf(status)
    throw new CallControlError(kind, `${name} did not do it (status ${status}${code && `, ${code}`})`)
  }
}

function kindOf(status: number): CallControlError['kind'] {
  if (status === 401 || status === 403) return 'auth'
  if (status === 429) return 'rate'
  return status >= 500 ? 'unreachable' : 'refused'
}

/** A call that is over already needs no hanging up. */
export async function orGone(hangingUp: Promise<unknown>): Promise<void> {
  try {
    await hangingUp
  } catch (error) {
    if (!(error instanceof CallControlError) || error.kind !== 'gone') throw error
  }
}

/** Of an answer that must name the call it made. Throws `CallControlError`. */
export function callIdOf(name: string, value: unknown): { readonly callId: string } {
  if (typeof value === 'string' && value !== '' && value.length <= 256) return { callId: value }
  throw new CallControlError('refused', `${name} named no call`)
}

export function json(value: unknown): NonNullable<RestRequest['body']> {
  return { type: 'application/json', text: JSON.stringify(value) }
}

export function form(fields: Readonly<Record<string, string>>): NonNullable<RestRequest['body']> {
  return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(fields).toString() }
}

/** `/a/b`, each part encoded: an id of the network cannot climb out of its place. Throws `CallControlError`. */
export function pathOf(...parts: readonly string[]): string {
  if (parts.some((part) => /^\.{0,2}$/.test(part)))
    throw new CallControlError('refused', 'an id that is none')
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('')
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

export function isSip(to: string): boolean {
  return /^sips?:/i.test(to)
}

/** Throws `CallControlError` where a bridge has to be given the address of a document and there is none. */
export function addressOf(name: string, url: string | undefined): string {
  if (url !== undefined) return url
  throw new CallControlError('refused', `${name} asks for the call's document: listen.publicUrl is needed`)
}

async function jsonOf(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length
    if (bytes > ANSWER_BYTES) break
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

function shortOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && CODE.test(code) ? code : 'failed'
}

function isPlainHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, search, hash } = new URL(value)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}
