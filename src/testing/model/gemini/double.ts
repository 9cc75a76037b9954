/**
 * A server of Gemini models for tests. It refuses what the real one would; answers and faults are data. Google's own SDK is its client in
 * `test/sdks`, so that what the adapter is tested with is what a real client understands.
 */
import { eventWriter } from '../events.ts'
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
} from '../server.ts'
import { geminiMistakes, rulesOf } from './mistakes.ts'

export type GeminiFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'refuse_country'
  | 'refuse_503'
  | 'too_long'
  | 'hang_on_connect'
  /** After the parts, nothing more comes and nothing closes. */
  | 'silent_after_ms'
  | 'slow_drip'
  | 'no_final'
  | 'duplicate_final'
  | 'drop_mid_stream'
  | 'half_an_event'
  | 'close_clean_early'
  | 'malformed_json'
  | 'error_without_context'
  | 'wrong_content_type'
  | 'blocked_prompt'
  | 'never_closes'

export interface GeminiAnswer {
  readonly thoughts?: readonly string[]
  readonly pieces?: readonly string[]
  readonly calls?: readonly { readonly id?: string; readonly name: string; readonly args: object }[]
  /** Of the first call, or of the last text. */
  readonly signature?: string
  readonly finish?: string
  readonly logprobs?: object
  readonly fault?: GeminiFault
  readonly framing?: 'lf' | 'crlf' | 'byteByByte'
}

export type GeminiDouble = StartedModel<GeminiAnswer>

export const GEMINI_KEY = 'AIza-fake-0123456789'
export const GEMINI_TOKEN = 'ya29.fake-token'

const PATHS = [
  /^\/v1beta\/models\/([\w.-]+):(generateContent|streamGenerateContent\?alt=sse)$/,
  /^\/v1(?:beta1)?\/projects\/[\w-]+\/locations\/[\w-]+\/publishers\/google\/models\/([\w.-]+):(generateContent|streamGenerateContent\?alt=sse)$/,
  /^\/v1(?:beta1)?\/publishers\/google\/models\/([\w.-]+):(generateContent|streamGenerateContent\?alt=sse)$/,
]

export function fakeGemini(options: ModelDoubleOptions<GeminiAnswer> = {}): ModelDouble<GeminiAnswer> {
  return modelDouble({
    options,
    usual: { pieces: ['Hello'] },
    settingsAt: (url) => ({ type: 'gemini', apiKey: GEMINI_KEY, baseUrl: `${url}/v1beta` }),
    serve,
  })
}

/** With answers that may change. */
export function startGeminiDouble(): Promise<GeminiDouble> {
  return startModel(fakeGemini())
}

function serve(request: ModelRequest, answer: GeminiAnswer, response: ModelResponse, told: string[]): void {
  const { method, url, headers, body } = request
  const { fault } = answer
  if (fault === 'hang_on_connect') return
  const found = PATHS.map((path) => path.exec(url)).find((one) => one !== null)
  if (method !== 'POST' || !found) return refuse(response, 404, 'NOT_FOUND', 'models/x is not found')
  const [, model = '', how = ''] = found
  const known = headers['x-goog-api-key'] === GEMINI_KEY || headers.authorization === `Bearer ${GEMINI_TOKEN}`
  if (fault === 'refuse_auth' || !known) {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]
    return refuse(response, 400, 'INVALID_ARGUMENT', 'API key not valid', details)
  }
  if (fault === 'refuse_429') {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' }]
    return refuse(response, 429, 'RESOURCE_EXHAUSTED', 'exceeded', details)
  }
  if (fault === 'refuse_quota') {
    const violations = [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }]
    return refuse(response, 429, 'RESOURCE_EXHAUSTED', 'exceeded', [{ violations }])
  }
  if (fault === 'refuse_country') return refuse(response, 400, 'FAILED_PRECONDITION', 'User location')
  if (fault === 'refuse_503') return refuse(response, 503, 'UNAVAILABLE', 'The model is overloaded')
  if (fault === 'too_long') {
    const why = 'The input token count (9) exceeds the maximum number of tokens allowed (8).'
    return refuse(response, 400, 'INVALID_ARGUMENT', why)
  }
  const wrong = geminiMistakes(body, rulesOf(model))
  if (!/^application\/json/.test(headers['content-type'] ?? '')) wrong.push('content-type')
  told.push(...wrong)
  if (wrong.length > 0) return refuse(response, 400, 'INVALID_ARGUMENT', wrong.join('; '))
  if (fault === 'wrong_content_type') return signIn(response)
  if (fault === 'slow_drip') response.drip()
  if (how === 'generateContent') whole(model, answer, response)
  else stream(model, answer, response)
}

function refuse(
  response: ModelResponse,
  status: number,
  code: string,
  why: string,
  details: readonly object[] = [],
): void {
  // The real one may quote the caller: adapters must tell nobody but the caller.
  const error = { code: status, message: `${why}: SECRET-IN-MESSAGE`, status: code, details }
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
  response.end(JSON.stringify({ error }))
}

const USAGE = {
  promptTokenCount: 12,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  cachedContentTokenCount: 4,
  totalTokenCount: 20,
}

/** All parts of an answer, in order. */
function partsOf({ thoughts = [], pieces = [], calls = [], signature }: GeminiAnswer): object[] {
  const signed = signature === undefined ? {} : { thoughtSignature: signature }
  return [
    ...thoughts.map((text) => ({ text, thought: true })),
    ...pieces.map((text, i) => ({ text, ...(calls.length === 0 && i === pieces.length - 1 && signed) })),
    ...calls.map((call, i) => ({ functionCall: call, ...(i === 0 && signed) })),
  ]
}

function bodyOf(model: string, candidates: object[], more: object = {}): object {
  return {
    ...(candidates.length > 0 && { candidates }),
    usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 },
    modelVersion: model,
    responseId: 'resp-fake',
    ...more,
  }
}

function whole(model: string, answer: GeminiAnswer, response: ModelResponse): void {
  const { fault, finish = 'STOP', logprobs } = answer
  const parts = partsOf(answer)
  const content = { role: 'model', parts }
  const candidate = { content, finishReason: finish, index: 0, ...(logprobs && { logprobsResult: logprobs }) }
  const json =
    fault === 'blocked_prompt'
      ? JSON.stringify(bodyOf(model, [], BLOCKED))
      : JSON.stringify(bodyOf(model, [candidate], { usageMetadata: USAGE }))
  response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' })
  endWhole(response, json, fault)
}

const BLOCKED = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }

function stream(model: string, answer: GeminiAnswer, response: ModelResponse): void {
  const { fault, finish = 'STOP', logprobs } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = eventWriter(response, answer.framing ?? 'crlf', 'crlf')
  if (fault === 'blocked_prompt') {
    send(JSON.stringify(bodyOf(model, [], BLOCKED)))
    return void response.end()
  }
  for (const part of partsOf(answer)) {
    send(JSON.stringify(bodyOf(model, [{ content: { role: 'model', parts: [part] }, index: 0 }])))
  }
  if (fault === 'silent_after_ms') return
  if (fault === 'drop_mid_stream') return void response.write('', () => response.destroy())
  if (fault === 'half_an_event') return void response.write('data: {"candid', () => response.destroy())
  if (fault === 'close_clean_early') return void response.end()
  if (fault === 'malformed_json') send('{"candidates":[{"content":"SECRET')
  if (fault === 'error_without_context')
    send(JSON.stringify({ error: { code: 503, message: 'SECRET-IN-MESSAGE', status: 'UNAVAILABLE' } }))
  const last = {
    content: { role: 'model', parts: [{ text: '' }] },
    finishReason: finish,
    index: 0,
    ...(logprobs && { logprobsResult: logprobs }),
  }
  const end = JSON.stringify(bodyOf(model, [last], { usageMetadata: USAGE }))
  if (fault !== 'no_final') send(end)
  if (fault === 'duplicate_final') send(end)
  if (fault !== 'never_closes') response.end()
}
