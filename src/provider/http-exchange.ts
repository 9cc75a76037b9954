/**
 * One request to a model's HTTP server, as far as its status: what is not 200 is a `ProviderError` with its kind read from the
 * body. Never retries, follows no redirect. Aborting closes the request.
 */
import { type Dispatcher, errors } from 'undici'
import type { Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { Delivery, ProviderCodec } from '../dialect/codec.ts'
import { RequestFault, StreamFault } from '../dialect/faults.ts'
import { SseTooLarge } from '../dialect/sse.ts'
import { ProviderError, type ProviderErrorKind, type StageName } from '../errors.ts'
import { retryAfterMs } from './retry-after.ts'

export type HttpBody = Dispatcher.ResponseData['body']

/** Where a call goes, and with what. */
export interface HttpTarget {
  readonly origin: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Who is asked, and how its refusals are read. */
export interface HttpPost {
  readonly provider: string
  /** Left out: `llm`. */
  readonly stage?: StageName
  readonly dispatcher: Dispatcher
  readonly codec: Pick<ProviderCodec, 'errorOf'>
  readonly clock: Clock
  /** What must not be told to anybody, wherever a provider quotes it. */
  readonly secrets: readonly string[]
  /** Its status when all is well; left out: 200. */
  readonly success?: number
}

export interface HttpExchange extends HttpPost {
  readonly codec: ProviderCodec
  /** Signing may take its time. */
  readonly target: (delivery: Delivery, body: string) => HttpTarget | Promise<HttpTarget>
  readonly delivery: Delivery
  /** JSON text. */
  readonly body: string
  /** Lists, in lower case: where the target has the same, both are sent. */
  readonly more?: Readonly<Record<string, string>> | undefined
}

/** Of an error's body, to read its code. */
const ERROR_BODY_BYTES = 16_384

/** The answer's head; its body is the caller's to read. Throws `ProviderError`, or what undici throws. */
export async function exchange(call: HttpExchange, { signal }: Scope): Promise<Dispatcher.ResponseData> {
  const made = call.target(call.delivery, call.body)
  const target = made instanceof Promise ? await orAborted(made, signal) : made
  const { body, more } = call
  return post(call, more ? { ...target, headers: joined(target.headers, more) } : target, body, signal)
}

/** The same, of any body. */
export async function post(
  call: HttpPost,
  { origin, path, headers }: HttpTarget,
  body: string | Uint8Array,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const answer = await call.dispatcher.request({ origin, path, method: 'POST', headers, body, signal })
  if (answer.statusCode !== (call.success ?? 200)) throw await refusalOf(call, answer)
  const encoding = answer.headers['content-encoding']
  // None was asked for.
  if (encoding !== undefined && encoding !== 'identity') {
    throw failure(call, 'transient', 'the server answered with a compressed body, which was not asked for')
  }
  return answer
}

function joined(
  headers: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const all: Record<string, string> = { ...headers }
  for (const [name, value] of Object.entries(more)) {
    all[name] = all[name] === undefined ? value : `${all[name]},${value}`
  }
  return all
}

/** What is waited for may be another's: a token for many. */
function orAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

async function refusalOf(call: HttpPost, answer: Dispatcher.ResponseData): Promise<ProviderError> {
  const { statusCode, headers, body } = answer
  const facts = call.codec.errorOf(statusCode, await errorBody(body), headers)
  const { kind, message, declined, told } = facts
  const after = retryAfterMs(headers, call.clock.wallMs()) ?? facts.retryAfterMs
  return failure(call, kind, message, {
    ...(after !== undefined && { retryAfterMs: after }),
    ...(declined && { declined }),
    ...(told && {
      told: { ...told, message: withoutSecrets(call.secrets, told.message), status: statusCode },
    }),
  })
}

async function errorBody(body: HttpBody): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > ERROR_BODY_BYTES) break
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

/** A provider's sentence, in which it may quote what it was sent. */
export function withoutSecrets(secrets: readonly string[], text: string): string {
  return secrets.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, '…')), text)
}

/** Whatever went wrong between here and there. */
export function asProviderError(call: Pick<HttpPost, 'provider' | 'stage'>, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof StreamFault) {
    const { kind, message, declined } = error
    return failure(call, kind, message, declined && { declined })
  }
  if (error instanceof RequestFault)
    return failure(call, 'bad_request', 'the request cannot be said in its dialect')
  if (error instanceof SseTooLarge) return failure(call, 'transient', error.message)
  if (error instanceof errors.ClientDestroyedError)
    return failure(call, 'cancelled', 'the provider was closed')
  const late =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  const code = (error as { code?: unknown })?.code
  const what = typeof code === 'string' ? code : error instanceof Error ? error.name : 'failed'
  return failure(call, late ? 'timeout' : 'transient', `the connection failed (${what})`, { cause: error })
}

export function failure(
  { provider, stage = 'llm' }: Pick<HttpPost, 'provider' | 'stage'>,
  kind: ProviderErrorKind,
  message: string,
  more: Pick<
    ConstructorParameters<typeof ProviderError>[0],
    'retryAfterMs' | 'declined' | 'told' | 'cause'
  > = {},
): ProviderError {
  return new ProviderError({ provider, stage, kind, message, ...more })
}
