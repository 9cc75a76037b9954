/**
 * A Messages server for tests. It validates what it is sent as the real one does and refuses what is wrong; its answers, and its faults,
 * are data. `@anthropic-ai/sdk` is run against it in its own test, so that what adapters are tested with is what a real client understands.
 */
import { messagesMistakes, SIGNATURE } from './anthropic-mistakes.ts'
import { eventWriter, type Framing } from './events.ts'
import {
  endWhole,
  type ModelDouble,
  type ModelDoubleOptions,
  type ModelRequest,
  type ModelResponse,
  modelDouble,
  type StartedModel,
  signIn,
  startModel,
} from './server.ts'

export type AnthropicFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_spend'
  | 'refuse_billing'
  | 'refuse_too_long'
  | 'overloaded'
  | 'refuse_503'
  | 'hang_on_connect'
  | 'slow_drip'
  | 'duplicate_final'
  /** After the pieces, nothing more comes and nothing closes. */
  | 'silent_after_ms'
  | 'drop_mid_stream'
  | 'close_clean_early'
  | 'half_event'
  | 'malformed_json'
  | 'error_without_context'
  | 'wrong_content_type'
  | 'huge_event'
  /** The reason and the usage come, the last event does not. */
  | 'no_final'
  /** All is said, but the connection stays open. */
  | 'never_closes'

export interface AnthropicAnswer {
  readonly thought?: string
  readonly sealed?: string
  readonly pieces?: readonly string[]
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: object }[]
  readonly stop?: string
  readonly stopSequence?: string
  readonly fault?: AnthropicFault
  readonly retryAfter?: string
  /** How the bytes go out. */
  readonly framing?: Framing
  /** More members of the message. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export type FakeAnthropic = StartedModel<AnthropicAnswer>

export const ANTHROPIC_KEY = 'sk-ant-fake-0123456789'
const USAGE = { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 }

export function fakeAnthropic(
  options: ModelDoubleOptions<AnthropicAnswer> = {},
): ModelDouble<AnthropicAnswer> {
  return modelDouble({
    options,
    usual: { pieces: ['Hello'] },
    settingsAt: (baseUrl) => ({ type: 'anthropic', apiKey: ANTHROPIC_KEY, baseUrl }),
    serve,
  })
}

/** With answers that may change. */
export function startFakeAnthropic(): Promise<FakeAnthropic> {
  return startModel(fakeAnthropic())
}

function serve(
  request: ModelRequest,
  answer: AnthropicAnswer,
  response: ModelResponse,
  told: string[],
): void {
  const { body } = request
  const { fault, retryAfter } = answer
  const { 'x-api-key': key, authorization } = request.headers
  if (fault === 'hang_on_connect') return
  if (request.method !== 'POST' || request.url !== '/v1/messages')
    return refuse(response, 404, 'not_found_error')
  if (fault === 'refuse_auth' || (key ?? authorization?.replace('Bearer ', '')) !== ANTHROPIC_KEY)
    return refuse(response, 401, 'authentication_error')
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  switch (fault) {
    case 'refuse_429':
      return refuse(response, 429, 'rate_limit_error')
    case 'refuse_spend':
      return refuse(response, 429, 'rate_limit_error', 'spent', 'enforced_spend_limit_reached')
    case 'refuse_billing':
      return refuse(response, 402, 'billing_error')
    case 'refuse_too_long':
      return refuse(response, 400, 'invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum')
    case 'overloaded':
      return refuse(response, 529, 'overloaded_error')
    case 'refuse_503':
      return refuse(response, 500, 'api_error')
    case 'wrong_content_type':
      return signIn(response)
  }
  const mistakes = messagesMistakes(body, request.headers)
  told.push(...mistakes)
  if (mistakes.length > 0) return refuse(response, 400, 'invalid_request_error', mistakes.join('; '))
  if (fault === 'slow_drip') response.drip()
  if (body['stream'] === true) stream(body, answer, response)
  else whole(body, answer, response)
}

function refuse(
  response: ModelResponse,
  status: number,
  type: string,
  why = 'refused',
  error_code?: string,
): void {
  // The real one may quote the caller's words in its message: adapters must not write it down.
  const error = { type, message: `${why}: SECRET-IN-MESSAGE`, ...(error_code && { details: { error_code } }) }
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_fake' })
  response.end(JSON.stringify({ type: 'error', error, request_id: 'req_fake' }))
}

function messageOf(body: Record<string, unknown>, { extra }: AnthropicAnswer, content: readonly object[]) {
  return {
    id: 'msg_fake',
    type: 'message',
    role: 'assistant',
    model: body['model'],
    content,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: { ...USAGE, output_tokens: 1, service_tier: 'standard' },
    ...extra,
  }
}

/** Each block, whole. */
function blocksOf({ thought, sealed, pieces = [], calls = [] }: AnthropicAnswer): Record<string, unknown>[] {
  const caller = { type: 'direct' }
  return [
    ...(thought === undefined ? [] : [{ type: 'thinking', thinking: thought, signature: SIGNATURE }]),
    ...(sealed === undefined ? [] : [{ type: 'redacted_thinking', data: sealed }]),
    ...(pieces.length === 0 ? [] : [{ type: 'text', text: pieces.join(''), citations: null }]),
    ...calls.map((call) => ({ type: 'tool_use', ...call, caller })),
  ]
}

function endOf({ stop, stopSequence, calls = [] }: AnthropicAnswer): Record<string, unknown> {
  const stop_reason = stop ?? (calls.length > 0 ? 'tool_use' : 'end_turn')
  return { stop_reason, stop_sequence: stopSequence ?? null, stop_details: null, container: null }
}

function usageOf({ thought }: AnthropicAnswer): Record<string, unknown> {
  const details = { output_tokens_details: thought === undefined ? null : { thinking_tokens: 2 } }
  return { ...USAGE, output_tokens: 5, server_tool_use: null, ...details }
}

function whole(body: Record<string, unknown>, answer: AnthropicAnswer, response: ModelResponse): void {
  const message = messageOf(body, answer, blocksOf(answer))
  const text = JSON.stringify({
    ...{ ...message, ...endOf(answer), usage: { ...message.usage, ...usageOf(answer) } },
  })
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_fake' })
  endWhole(response, text, answer.fault)
}

function stream(body: Record<string, unknown>, answer: AnthropicAnswer, response: ModelResponse): void {
  const { fault, pieces = [] } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_fake' })
  const write = eventWriter(response, answer.framing ?? 'lf')
  const send = (type: string, members: object) => write(JSON.stringify({ type, ...members }), type)

  send('message_start', { message: messageOf(body, answer, []) })
  send('ping', {})
  for (const [index, block] of blocksOf(answer).entries()) {
    const delta = (type: string, members: object) =>
      send('content_block_delta', { index, delta: { type, ...members } })
    send('content_block_start', { index, content_block: emptied(block) })
    if (block['type'] === 'text') for (const text of pieces) delta('text_delta', { text })
    if (block['type'] === 'thinking') {
      for (const thinking of cut(String(block['thinking']))) delta('thinking_delta', { thinking })
      delta('signature_delta', { signature: block['signature'] })
    }
    if (block['type'] === 'tool_use') {
      for (const partial_json of ['', ...cut(JSON.stringify(block['input']))])
        delta('input_json_delta', { partial_json })
    }
    if (isBroken(fault, write, response)) return
    send('content_block_stop', { index })
  }
  if (fault === 'error_without_context') {
    send('error', { error: { type: 'overloaded_error', message: 'SECRET-IN-MESSAGE' } })
    return void response.end()
  }
  send('message_delta', { delta: endOf(answer), usage: usageOf(answer) })
  if (fault !== 'no_final') send('message_stop', {})
  if (fault === 'duplicate_final') send('message_stop', {})
  if (fault !== 'never_closes') response.end()
}

/** In the middle of the first block. */
function isBroken(
  fault: AnthropicFault | undefined,
  write: (data: string, type: string) => void,
  response: ModelResponse,
): boolean {
  if (fault === 'malformed_json')
    write('{"type":"content_block_delta","delta":"SECRET', 'content_block_delta')
  if (fault === 'huge_event') write(JSON.stringify({ padding: 'x'.repeat(1_100_000) }), 'content_block_delta')
  if (fault === 'half_event') response.end('event: content_block_delta\ndata: {"type":"content_bl')
  if (fault === 'close_clean_early') response.end()
  if (fault === 'drop_mid_stream') response.write('', () => response.destroy())
  return ['half_event', 'close_clean_early', 'drop_mid_stream', 'silent_after_ms'].includes(fault ?? '')
}

function emptied(block: Record<string, unknown>): object {
  if (block['type'] === 'text') return { ...block, text: '' }
  if (block['type'] === 'thinking') return { ...block, thinking: '', signature: '' }
  return block['type'] === 'tool_use' ? { ...block, input: {} } : block
}

function cut(text: string): readonly string[] {
  return text.match(/.{1,5}/gs) ?? []
}
