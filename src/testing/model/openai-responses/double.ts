/**
 * A server of `/v1/responses` for tests. It validates what it is sent as the real one does and refuses what is wrong; its answers, and
 * its faults, are data. The `openai` SDK is run against it in its own test, so that what adapters are tested with is what a real client
 * understands.
 */
import { eventWriter, type Framing } from '../events.ts'
import {
  type ModelDouble,
  type ModelDoubleOptions,
  type ModelRequest,
  type ModelResponse,
  modelDouble,
  type StartedModel,
  signIn,
  startModel,
} from '../server.ts'
import { mistakeIn } from './mistakes.ts'
import { eventsOf, responseOf, type Script } from './script.ts'

export type DoubleFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'refuse_503'
  | 'slow_drip'
  | 'duplicate_final'
  | 'no_final'
  | 'hang_on_connect'
  /** After the items, nothing more comes and nothing closes. */
  | 'silent_after_ms'
  /** In the middle of the last item. */
  | 'drop_mid_stream'
  | 'close_clean_early'
  | 'half_event'
  | 'malformed_json'
  /** As the types have it. */
  | 'error_without_context'
  /** As servers send it. */
  | 'error_event_nested'
  | 'failed'
  /** The prompt is longer than the model's context, which is found when the stream has begun. */
  | 'too_long'
  | 'wrong_content_type'
  | 'huge_event'

export interface DoubleAnswer extends Script {
  readonly fault?: DoubleFault
  readonly retryAfter?: string
  /** How the bytes go out. */
  readonly framing?: Framing | 'unnamed' | 'done'
}

export type ResponsesDouble = StartedModel<DoubleAnswer>

export const DOUBLE_KEY = 'sk-double-0123456789'

export function fakeResponses(options: ModelDoubleOptions<DoubleAnswer> = {}): ModelDouble<DoubleAnswer> {
  const stored = new Set<string>()
  let made = 0
  return modelDouble({
    options,
    usual: {},
    settingsAt: (url) => ({ type: 'openai', api: 'responses', apiKey: DOUBLE_KEY, baseUrl: `${url}/v1` }),
    serve(request, answer, response, mistakes) {
      const { body } = request
      if (!admitted(request, answer, { stored, mistakes }, response)) return
      const id = `resp_${++made}`
      if (body['store'] !== false) stored.add(id)
      if (answer.fault === 'slow_drip') response.drip()
      if (body['stream'] === true) return stream(id, body, answer, response)
      response.writeHead(200, { 'content-type': 'application/json' })
      const failed = { status: 'failed', error: { code: 'server_error', message: SECRET } }
      const whole = { ...responseOf(id, body, answer), ...(answer.fault === 'failed' && failed) }
      response.end(JSON.stringify(whole))
    },
  })
}

/** With answers that may change. */
export function startResponsesDouble(): Promise<ResponsesDouble> {
  return startModel(fakeResponses())
}

/** The real one quotes the caller's key and words in its messages: adapters must not pass them on. */
const SECRET = 'SECRET-IN-MESSAGE'

function admitted(
  request: ModelRequest,
  { fault, retryAfter }: DoubleAnswer,
  { stored, mistakes }: { readonly stored: ReadonlySet<string>; readonly mistakes: string[] },
  response: ModelResponse,
): boolean {
  if (fault === 'hang_on_connect') return false
  const refuse = (
    status: number,
    type: string,
    code: string | null,
    message = '',
    param: string | null = null,
  ) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    })
    response.end(JSON.stringify({ error: { message: `${message} ${SECRET}`, type, param, code } }))
    return false
  }
  if (request.method !== 'POST' || request.url !== '/v1/responses')
    return refuse(404, 'invalid_request_error', 'unknown_url')
  if (fault === 'refuse_auth' || request.headers.authorization !== `Bearer ${DOUBLE_KEY}`)
    return refuse(401, 'invalid_request_error', 'invalid_api_key')
  if (fault === 'refuse_429') return refuse(429, 'requests', 'rate_limit_exceeded')
  if (fault === 'refuse_quota') return refuse(429, 'insufficient_quota', 'insufficient_quota')
  if (fault === 'refuse_503') return refuse(503, 'server_error', null)
  if (!/^application\/json/.test(request.headers['content-type'] ?? ''))
    return refuse(415, 'invalid_request_error', null, 'content type')
  const mistake = mistakeIn(request.body, stored)
  if (mistake) {
    mistakes.push(mistake.message)
    return refuse(
      mistake.status ?? 400,
      'invalid_request_error',
      'invalid_value',
      mistake.message,
      mistake.param,
    )
  }
  if (fault === 'wrong_content_type') {
    signIn(response)
    return false
  }
  return true
}

/** Faults that leave all items whole. */
const WHOLE: readonly DoubleFault[] = ['silent_after_ms', 'slow_drip', 'duplicate_final', 'no_final']

function stream(
  id: string,
  body: Record<string, unknown>,
  answer: DoubleAnswer,
  response: ModelResponse,
): void {
  const { fault, framing = 'lf' } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const named = framing !== 'unnamed'
  const writeEvent = eventWriter(response, framing === 'unnamed' || framing === 'done' ? 'lf' : framing)
  const write = (name: string, data: string) => writeEvent(data, named ? name : undefined)
  let sequence = 0
  const send = (event: Record<string, unknown>) =>
    write(String(event['type']), JSON.stringify({ ...event, sequence_number: sequence++ }))
  const events = [...eventsOf(id, body, answer)]
  const last = events.pop() as Record<string, unknown>
  // Before the items' texts are done, or before their end.
  const upTo = events.findLastIndex(({ type }) => String(type).endsWith('.delta'))
  const cut = fault !== undefined && !WHOLE.includes(fault) && upTo >= 0 ? upTo + 1 : events.length
  for (const event of events.slice(0, cut)) send(event)
  switch (fault) {
    case undefined:
      break
    case 'silent_after_ms':
      return
    case 'drop_mid_stream':
      return void response.write('', () => response.destroy())
    case 'close_clean_early':
      return void response.end()
    case 'half_event':
      return void response.write('event: response.output_text.delta\ndata: {"type":"respo', () =>
        response.destroy(),
      )
    case 'malformed_json':
      write('response.output_text.delta', `{"type":"response.output_text.delta","delta":"${SECRET}`)
      return void response.end()
    case 'error_without_context':
      send({ type: 'error', code: 'server_error', message: SECRET, param: null })
      return void response.end()
    case 'error_event_nested':
      send({
        type: 'error',
        error: { type: 'tokens', code: 'rate_limit_exceeded', message: SECRET, param: null },
      })
      return void response.end()
    case 'failed':
    case 'too_long': {
      const error = { code: fault === 'failed' ? 'server_error' : 'context_length_exceeded', message: SECRET }
      send({
        type: 'response.failed',
        response: { ...(last['response'] as object), status: 'failed', error },
      })
      return void response.end()
    }
    case 'huge_event':
      write('response.output_text.delta', JSON.stringify({ padding: 'x'.repeat(17_000_000) }))
      break
    default:
      break
  }
  if (fault !== 'no_final') send(last)
  if (fault === 'duplicate_final') send(last)
  if (framing === 'done') writeEvent('[DONE]')
  response.end()
}
