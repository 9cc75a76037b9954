/**
 * A server of `/v1/responses` for tests. It validates what it is sent as the real one does and refuses what is wrong; its answers, and
 * its faults, are data. The `openai` SDK is run against it in its own test, so that what adapters are tested with is what a real client
 * understands.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mistakeIn } from './mistakes.ts'
import { eventsOf, responseOf, type Script } from './script.ts'

export type DoubleFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'server_error'
  | 'hang_on_connect'
  /** After the items, nothing more comes and nothing closes. */
  | 'silent'
  /** In the middle of the last item. */
  | 'drop_mid_stream'
  | 'close_clean_early'
  | 'half_event'
  | 'malformed_json'
  /** As the types have it. */
  | 'error_event'
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
  readonly framing?: 'lf' | 'crlf' | 'cr' | 'byteByByte' | 'unnamed' | 'done'
}

export interface DoubleRequest {
  readonly body: Record<string, unknown>
  readonly headers: IncomingMessage['headers']
  /** Resolves when the connection of this request closed; true when the client closed it before the answer's end. */
  readonly closed: Promise<boolean>
}

export interface ResponsesDouble {
  readonly baseUrl: string
  readonly requests: readonly DoubleRequest[]
  answer(next: DoubleAnswer): void
  close(): Promise<void>
}

export const DOUBLE_KEY = 'sk-double-0123456789'

export async function startResponsesDouble(): Promise<ResponsesDouble> {
  const requests: DoubleRequest[] = []
  const stored = new Set<string>()
  let answer: DoubleAnswer = {}
  let made = 0
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const closed = new Promise<boolean>((resolve) => {
        response.on('close', () => resolve(!response.writableFinished))
      })
      requests.push({ body, headers: request.headers, closed })
      if (!admitted(request, body, answer, stored, response)) return
      const id = `resp_${++made}`
      if (body['store'] !== false) stored.add(id)
      if (body['stream'] === true) return stream(id, body, answer, response)
      response.writeHead(200, { 'content-type': 'application/json' })
      const failed = { status: 'failed', error: { code: 'server_error', message: SECRET } }
      const whole = { ...responseOf(id, body, answer), ...(answer.fault === 'failed' && failed) }
      response.end(JSON.stringify(whole))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    answer(next) {
      answer = next
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The real one quotes the caller's key and words in its messages: adapters must not pass them on. */
const SECRET = 'SECRET-IN-MESSAGE'

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return {}
  }
}

function admitted(
  request: IncomingMessage,
  body: Record<string, unknown>,
  { fault, retryAfter }: DoubleAnswer,
  stored: ReadonlySet<string>,
  response: ServerResponse,
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
  if (fault === 'server_error') return refuse(503, 'server_error', null)
  if (!/^application\/json/.test(request.headers['content-type'] ?? ''))
    return refuse(415, 'invalid_request_error', null, 'content type')
  const mistake = mistakeIn(body, stored)
  if (mistake)
    return refuse(
      mistake.status ?? 400,
      'invalid_request_error',
      'invalid_value',
      mistake.message,
      mistake.param,
    )
  if (fault === 'wrong_content_type') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>')
    return false
  }
  return true
}

function stream(
  id: string,
  body: Record<string, unknown>,
  answer: DoubleAnswer,
  response: ServerResponse,
): void {
  const { fault, framing = 'lf' } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const write = writer(response, framing)
  let sequence = 0
  const send = (event: Record<string, unknown>) =>
    write(String(event['type']), JSON.stringify({ ...event, sequence_number: sequence++ }))
  const events = [...eventsOf(id, body, answer)]
  const last = events.pop() as Record<string, unknown>
  // Before the items' texts are done, or before their end.
  const upTo = events.findLastIndex(({ type }) => String(type).endsWith('.delta'))
  const cut = fault !== undefined && fault !== 'silent' && upTo >= 0 ? upTo + 1 : events.length
  for (const event of events.slice(0, cut)) send(event)
  switch (fault) {
    case undefined:
      break
    case 'silent':
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
    case 'error_event':
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
  send(last)
  if (framing === 'done') write('message', '[DONE]')
  response.end()
}

function writer(
  response: ServerResponse,
  framing: NonNullable<DoubleAnswer['framing']>,
): (name: string, data: string) => void {
  const end = framing === 'crlf' ? '\r\n' : framing === 'cr' ? '\r' : '\n'
  return (name, data) => {
    const named = framing === 'unnamed' || name === 'message' ? '' : `event: ${name}${end}`
    const bytes = Buffer.from(`${named}data: ${data}${end}${end}`)
    if (framing !== 'byteByByte') return void response.write(bytes)
    for (const byte of bytes) response.write(Buffer.of(byte))
  }
}
