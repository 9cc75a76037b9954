/**
 * A chat completions server for tests. It validates what it is sent as the real one does and refuses what is
 * wrong; its answers, and its faults, are data. The `openai` SDK is run against it in its own test, so that
 * what adapters are tested with is what a real client understands.
 */
import { eventWriter, type Framing } from './events.ts'
import { chatMistakes, embeddingMistakes } from './openai-mistakes.ts'
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

export type FakeFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'refuse_503'
  | 'hang_on_connect'
  /** After the pieces, nothing more comes and nothing closes. */
  | 'silent_after_ms'
  | 'slow_drip'
  | 'drop_mid_stream'
  | 'close_clean_early'
  | 'malformed_json'
  | 'error_without_context'
  | 'wrong_content_type'
  | 'huge_event'
  | 'no_final'
  | 'duplicate_final'
  /** All is said, `[DONE]` too, but the connection stays open. */
  | 'never_closes'

export interface FakeAnswer {
  readonly pieces?: readonly string[]
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly finish?: string
  /** In front of the text. */
  readonly reasoning?: string
  /** Members of every chunk, and of a whole answer, that no adapter knows. */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly fault?: FakeFault
  readonly retryAfter?: string
  /** How the bytes go out. */
  readonly framing?: Framing
}

/**
 * How it is reached: with a bearer token below `/v1`; as Azure's v1 API; as Azure's deployments of a dated `api-version`; without any key. A
 * key shown in another way than its own is refused.
 */
export type FakeShape = 'openai' | 'azure' | 'azure deployments' | 'no key'

export const FAKE_API_VERSION = '2024-10-21'

export interface FakeOpenAiOptions extends ModelDoubleOptions<FakeAnswer> {
  readonly shape?: FakeShape
}

export interface FakeRequest extends ModelRequest {
  /** The key it was asked with; '' for none. */
  readonly key: string
}

export interface OpenAiDouble extends ModelDouble<FakeAnswer> {
  readonly sessions: readonly FakeRequest[]
  readonly requests: readonly FakeRequest[]
  /** To requests that show this key, which is one more that it knows. */
  answerKey(key: string, next: FakeAnswer): void
}

export const FAKE_KEY = 'sk-fake-0123456789'

const BASES: Record<FakeShape, string> = {
  openai: '/v1',
  azure: '/openai/v1',
  'azure deployments': '/openai',
  'no key': '/v1',
}

const TYPES: Record<FakeShape, string> = {
  openai: 'openai',
  azure: 'azure',
  'azure deployments': 'azure',
  'no key': 'openai-compatible',
}

export function fakeOpenAi({ shape = 'openai', ...options }: FakeOpenAiOptions = {}): OpenAiDouble {
  const requests: FakeRequest[] = []
  const byKey = new Map<string, FakeAnswer>()
  const double = modelDouble<FakeAnswer>({
    options,
    usual: { pieces: ['Hello'] },
    settingsAt: (url) => ({
      type: TYPES[shape],
      ...(shape !== 'no key' && { apiKey: FAKE_KEY }),
      ...(shape === 'azure deployments' && { apiVersion: FAKE_API_VERSION }),
      baseUrl: url + BASES[shape],
    }),
    serve(request, answer, response, mistakes) {
      const { url, headers, body } = request
      const key = keyOf(shape, headers)
      requests.push({ ...request, key: key ?? '' })
      const known = key === (shape === 'no key' ? '' : FAKE_KEY) || byKey.has(key ?? '')
      const told = known
        ? (byKey.get(key ?? '') ?? answer)
        : { ...answer, fault: answer.fault ?? 'refuse_auth' }
      serve(request, { ...told, interface: interfaceOf(shape, url, body) }, response, mistakes)
    },
  })
  return { ...double, requests, sessions: requests, answerKey: (key, next) => void byKey.set(key, next) }
}

export type FakeOpenAi = Omit<StartedModel<FakeAnswer>, 'requests'> &
  Pick<OpenAiDouble, 'answerKey' | 'requests'>

/** Under one of its shapes, with answers that may change. */
export async function startFakeOpenAi(shape: FakeShape = 'openai'): Promise<FakeOpenAi> {
  const double = fakeOpenAi({ shape })
  return Object.assign(await startModel(double), { answerKey: double.answerKey, requests: double.requests })
}

/** Undefined: it shows a key in the wrong way. */
function keyOf(shape: FakeShape, headers: ModelRequest['headers']): string | undefined {
  const { authorization, 'api-key': apiKey } = headers
  if (shape === 'no key') return authorization === undefined && apiKey === undefined ? '' : undefined
  if (shape === 'openai') {
    return apiKey === undefined ? /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] : undefined
  }
  return authorization === undefined && typeof apiKey === 'string' ? apiKey : undefined
}

/** Undefined: there is nothing at this address. */
function interfaceOf(
  shape: FakeShape,
  url: string,
  body: Record<string, unknown>,
): 'chat' | 'embeddings' | undefined {
  const { pathname, search } = new URL(url, 'http://fake')
  const dated = shape === 'azure deployments'
  if (search !== (dated ? `?api-version=${FAKE_API_VERSION}` : '')) return undefined
  const base = dated ? `/openai/deployments/${String(body['model'])}` : BASES[shape]
  if (pathname === `${base}/chat/completions`) return 'chat'
  return pathname === `${base}/embeddings` ? 'embeddings' : undefined
}

function serve(
  { method, headers, body }: ModelRequest,
  answer: FakeAnswer & { readonly interface: 'chat' | 'embeddings' | undefined },
  response: ModelResponse,
  mistakes: string[],
): void {
  const { fault } = answer
  if (fault === 'hang_on_connect') return
  if (method !== 'POST' || answer.interface === undefined) {
    return refuse(response, 404, 'invalid_request_error', 'unknown_url')
  }
  const embeds = answer.interface === 'embeddings'
  if (fault === 'refuse_auth') {
    return refuse(response, 401, 'invalid_request_error', 'invalid_api_key')
  }
  if (fault === 'refuse_429') {
    if (answer.retryAfter !== undefined) response.setHeader('retry-after', answer.retryAfter)
    return refuse(response, 429, 'requests', 'rate_limit_exceeded')
  }
  if (fault === 'refuse_quota') return refuse(response, 429, 'insufficient_quota', 'insufficient_quota')
  if (fault === 'refuse_503') return refuse(response, 503, 'server_error', null)
  const wrong = embeds ? embeddingMistakes(body) : chatMistakes(body, headers)
  if (wrong.length > 0) {
    mistakes.push(...wrong)
    return refuse(response, 400, 'invalid_request_error', 'invalid_value', wrong.join('; '))
  }
  if (fault === 'wrong_content_type') return signIn(response)
  if (embeds) return embed(body, response)
  if (fault === 'slow_drip') response.drip()
  if (body['stream'] === true) return stream(body, answer, response)
  whole(body, answer, response)
}

/** Vectors of two numbers: how many characters, and how many of them vowels. */
function embed(body: Record<string, unknown>, response: ModelResponse): void {
  const inputs = [body['input']].flat() as string[]
  const vectors = inputs.map((text) => [text.length, (text.match(/[aeiou]/gi) ?? []).length])
  const floats = (vector: number[]) =>
    body['encoding_format'] === 'base64'
      ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
      : vector
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: floats(vector) }))
  const usage = { prompt_tokens: inputs.length, total_tokens: inputs.length }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', data, model: body['model'], usage }))
}

function whole(body: Record<string, unknown>, answer: FakeAnswer, response: ModelResponse): void {
  const { pieces = [], calls = [], fault, reasoning } = answer
  const text = pieces.join('')
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, ...fn }) => ({ id, type: 'function', function: fn })),
    }),
  }
  const finish_reason = answer.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop')
  const json = JSON.stringify({
    ...chunkOf(body, answer, [{ index: 0, message, logprobs: null, finish_reason }]),
    object: 'chat.completion',
    usage: USAGE,
  })
  response.writeHead(200, { 'content-type': 'application/json' })
  endWhole(response, json, fault)
}

const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 5,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 4 },
}

function refuse(
  response: ModelResponse,
  status: number,
  type: string,
  code: string | null,
  why = 'refused',
): void {
  // The real one quotes the caller's key and words in its message: adapters must not pass it on.
  const message = `${why}: SECRET-IN-MESSAGE`
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { message, type, param: null, code } }))
}

function stream(body: Record<string, unknown>, answer: FakeAnswer, response: ModelResponse): void {
  const { pieces = [], calls = [], fault } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const send = eventWriter(response, answer.framing ?? 'lf')
  const chunk = (delta: object, finish: string | null = null) =>
    send(JSON.stringify(chunkOf(body, answer, [{ index: 0, delta, finish_reason: finish }])))

  chunk({ role: 'assistant', content: '' })
  if (answer.reasoning !== undefined) chunk({ reasoning_content: answer.reasoning })
  for (const piece of pieces) chunk({ content: piece })
  for (const [index, call] of calls.entries()) {
    chunk({
      tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }],
    })
    for (const part of call.arguments.match(/.{1,5}/gs) ?? []) {
      chunk({ tool_calls: [{ index, function: { arguments: part } }] })
    }
  }
  if (fault === 'silent_after_ms') return
  if (fault === 'drop_mid_stream') return void response.write('', () => response.destroy())
  if (fault === 'close_clean_early') return void response.end()
  if (fault === 'malformed_json') send('{"choices":[{"delta":{"content":"SECRET')
  if (fault === 'error_without_context') {
    send(JSON.stringify({ error: { message: 'SECRET-IN-MESSAGE', type: 'server_error', code: null } }))
  }
  if (fault === 'huge_event') send(JSON.stringify({ padding: 'x'.repeat(1_100_000) }))
  const finish = answer.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop')
  chunk({}, finish)
  if (fault === 'duplicate_final') chunk({}, finish)
  if ((body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage) {
    send(JSON.stringify({ ...chunkOf(body, answer, []), usage: USAGE }))
  }
  if (fault !== 'no_final') send('[DONE]')
  if (fault !== 'never_closes') response.end()
}

function chunkOf(body: Record<string, unknown>, { extra }: FakeAnswer, choices: object[]): object {
  return {
    ...extra,
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: body['model'],
    choices,
  }
}
