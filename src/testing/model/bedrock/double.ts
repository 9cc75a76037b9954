/**
 * A server of Bedrock's Converse for tests. It checks the signature of each request, or its API key, and refuses what the real one would;
 * answers and faults are data. AWS's own SDK is its client in `test/sdks`.
 */
import { writeCut } from '../events.ts'
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
import { crc32 } from './crc32.ts'
import { eventMessage } from './event-stream.ts'
import { converseMistakes } from './mistakes.ts'
import { type Keys, signatureMistake } from './signature.ts'

export type BedrockFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'spent'
  | 'refuse_quota'
  | 'refuse_503'
  | 'model_timeout'
  | 'model_error'
  | 'too_long'
  | 'hang_on_connect'
  /** After the pieces, nothing more comes and nothing closes. */
  | 'silent_after_ms'
  | 'slow_drip'
  | 'no_final'
  | 'duplicate_final'
  | 'drop_mid_stream'
  | 'half_an_event'
  | 'close_clean_early'
  | 'damaged_event'
  | 'endless_event'
  | 'malformed_json'
  | 'throttled_in_stream'
  | 'error_without_context'
  | 'invalid_in_stream'
  | 'wrong_content_type'
  | 'never_closes'

export interface BedrockAnswer {
  readonly thoughts?: string
  readonly redacted?: string
  readonly pieces?: readonly string[]
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: object }[]
  readonly stop?: string
  readonly fault?: BedrockFault
  readonly cuts?: 'as it is' | 'byteByByte'
}

export type BedrockDouble = StartedModel<BedrockAnswer>

export const BEDROCK_KEYS: Keys = {
  accessKeyId: 'AKIAFAKE0123456789',
  secretAccessKey: 'fake/secret+0123456789',
  sessionToken: 'fake-session-token',
  region: 'eu-west-1',
}
export const BEDROCK_API_KEY = 'bedrock-api-key-fake'
/** Of thoughts; another is refused. */
export const SIGNATURE = 'c2lnbmVk'

export function fakeBedrock(options: ModelDoubleOptions<BedrockAnswer> = {}): ModelDouble<BedrockAnswer> {
  return modelDouble({
    options,
    usual: { pieces: ['Hello'] },
    settingsAt: (baseUrl) => ({
      type: 'bedrock',
      apiKey: BEDROCK_API_KEY,
      region: BEDROCK_KEYS.region,
      baseUrl,
    }),
    serve,
  })
}

/** With answers that may change. */
export function startBedrockDouble(): Promise<BedrockDouble> {
  return startModel(fakeBedrock())
}

function serve(request: ModelRequest, answer: BedrockAnswer, response: ModelResponse, told: string[]): void {
  const { method, url, headers, body } = request
  const { fault } = answer
  if (fault === 'hang_on_connect') return
  const found = /^\/model\/([^/?]+)\/(converse|converse-stream)$/.exec(url)
  if (method !== 'POST' || !found)
    return refuse(response, 404, 'ResourceNotFoundException', 'no such operation')
  const model = decodeURIComponent(found[1] ?? '')
  const bearer = headers.authorization === `Bearer ${BEDROCK_API_KEY}`
  const mistake = bearer ? null : signatureMistake(request, BEDROCK_KEYS)
  if (fault === 'refuse_auth' || mistake !== null)
    return refuse(response, 403, 'UnrecognizedClientException', mistake ?? 'the token is invalid')
  switch (fault) {
    case 'refuse_429':
      return refuse(response, 429, 'ThrottlingException', 'Too many requests, please wait')
    case 'spent':
      return refuse(response, 429, 'ThrottlingException', 'Too many tokens per day, please wait')
    case 'refuse_quota':
      return refuse(response, 400, 'ServiceQuotaExceededException', 'the quota is exceeded')
    case 'refuse_503':
      return refuse(response, 503, 'ServiceUnavailableException', 'unavailable')
    case 'model_timeout':
      return refuse(response, 408, 'ModelTimeoutException', 'the model took too long')
    case 'model_error':
      return refuse(response, 424, 'ModelErrorException', 'the model failed')
    case 'too_long':
      return refuse(response, 400, 'ValidationException', 'Input is too long for requested model.')
  }
  const wrong = converseMistakes(body, model)
  if (!/^application\/json/.test(headers['content-type'] ?? '')) wrong.push('content-type')
  told.push(...wrong)
  if (wrong.length > 0) return refuse(response, 400, 'ValidationException', wrong.join('; '))
  if (fault === 'wrong_content_type') return signIn(response)
  if (fault === 'slow_drip') response.drip()
  if (found[2] === 'converse') whole(answer, response)
  else stream(answer, response)
}

function refuse(response: ModelResponse, status: number, name: string, why: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-errortype': `${name}:http://internal/`,
  })
  // The real one may quote the caller: adapters must tell nobody but the caller.
  response.end(JSON.stringify({ message: `${why} SECRET-IN-MESSAGE` }))
}

const USAGE = {
  inputTokens: 8,
  outputTokens: 5,
  totalTokens: 20,
  cacheReadInputTokens: 4,
  cacheWriteInputTokens: 3,
}

function stopOf({ stop, calls = [] }: BedrockAnswer): string {
  return stop ?? (calls.length > 0 ? 'tool_use' : 'end_turn')
}

function whole(answer: BedrockAnswer, response: ModelResponse): void {
  const { thoughts, redacted, pieces = [], calls = [], fault } = answer
  const content = [
    ...(thoughts === undefined
      ? []
      : [{ reasoningContent: { reasoningText: { text: thoughts, signature: SIGNATURE } } }]),
    ...(redacted === undefined ? [] : [{ reasoningContent: { redactedContent: redacted } }]),
    ...(pieces.length === 0 ? [] : [{ text: pieces.join('') }]),
    ...calls.map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } })),
  ]
  const json = JSON.stringify({
    output: { message: { role: 'assistant', content } },
    stopReason: stopOf(answer),
    usage: USAGE,
    metrics: { latencyMs: 12 },
  })
  response.writeHead(200, { 'content-type': 'application/json' })
  endWhole(response, json, fault)
}

function stream(answer: BedrockAnswer, response: ModelResponse): void {
  const { fault, cuts } = answer
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
  const send = (bytes: Buffer) => writeCut(response, bytes, cuts)
  // Each real event is padded, so that its length tells nothing.
  const event = (name: string, payload: object) =>
    send(eventMessage('event', name, { ...payload, p: 'abcdef' }))
  const exception = (name: string) => send(eventMessage('exception', name, { message: 'SECRET-IN-MESSAGE' }))
  event('messageStart', { role: 'assistant' })
  blocksOf(answer, event)
  switch (fault) {
    case 'silent_after_ms':
      return
    case 'drop_mid_stream':
      return void response.write('', () => response.destroy())
    case 'close_clean_early':
      return void response.end()
    case 'half_an_event':
      return void response.end(eventMessage('event', 'metadata', { usage: USAGE }).subarray(0, 20))
    case 'damaged_event': {
      const bytes = eventMessage('event', 'metadata', { usage: USAGE })
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 8) ^ 1, bytes.length - 8)
      send(bytes)
      break
    }
    case 'endless_event':
      // A length that never comes.
      send(Buffer.from('ffffffff', 'hex'))
      return
    case 'malformed_json': {
      // A payload that is no JSON, in a sound message.
      const bytes = eventMessage('event', 'contentBlockDelta', { x: 'SECRET' })
      send(resealed(bytes))
      break
    }
    case 'throttled_in_stream':
      exception('throttlingException')
      break
    case 'error_without_context':
      exception('modelStreamErrorException')
      break
    case 'invalid_in_stream':
      exception('validationException')
      break
  }
  if (fault !== 'no_final') event('messageStop', { stopReason: stopOf(answer) })
  if (fault === 'duplicate_final') event('messageStop', { stopReason: stopOf(answer) })
  event('metadata', { usage: USAGE, metrics: { latencyMs: 12 } })
  if (fault !== 'never_closes') response.end()
}

function resealed(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace('{"x"', '<<<<')
  const changed = Buffer.from(text, 'latin1')
  changed.writeUInt32BE(crc32(changed.subarray(0, -4)), changed.length - 4)
  return changed
}

function blocksOf(answer: BedrockAnswer, event: (name: string, payload: object) => void): void {
  const { thoughts, redacted, pieces = [], calls = [] } = answer
  let index = 0
  const block = (start: object | null, deltas: readonly object[]) => {
    if (start) event('contentBlockStart', { start, contentBlockIndex: index })
    for (const delta of deltas) event('contentBlockDelta', { delta, contentBlockIndex: index })
    event('contentBlockStop', { contentBlockIndex: index++ })
  }
  if (thoughts !== undefined) {
    block(null, [{ reasoningContent: { text: thoughts } }, { reasoningContent: { signature: SIGNATURE } }])
  }
  if (redacted !== undefined) block(null, [{ reasoningContent: { redactedContent: redacted } }])
  if (pieces.length > 0)
    block(
      null,
      pieces.map((text) => ({ text })),
    )
  for (const { id, name, args } of calls) {
    const pieces = JSON.stringify(args).match(/.{1,5}/gs) ?? []
    block(
      { toolUse: { toolUseId: id, name } },
      pieces.map((input) => ({ toolUse: { input } })),
    )
  }
}
