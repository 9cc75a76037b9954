/**
 * Bedrock's errors, as the body of an answer or as an exception inside a stream, into our kinds. Its sentence is read only to know
 * a prompt that is too long and a day that is spent. Pure.
 */
import type { ProviderErrorKind } from '../../errors.ts'
import type { AnswerHeaders, ErrorFacts } from '../codec.ts'
import { isRecord } from '../openai-error.ts'

const TOLD_CHARACTERS = 2_000

/** Of an HTTP answer that is not 200. */
export function bedrockErrorOf(status: number, body: unknown, headers: AnswerHeaders = {}): ErrorFacts {
  const said = isRecord(body) ? (body['message'] ?? body['Message']) : undefined
  const sentence = typeof said === 'string' ? said : ''
  const name = nameOf(body, headers)
  const kind = kindOf(status, name, sentence)
  const message = `HTTP ${status}${name === '' ? '' : ` (${name})`}`
  if (kind !== 'bad_request') return { kind, message }
  return {
    kind,
    message,
    ...(isTooLong(sentence) && { declined: 'context_overflow' }),
    ...(sentence !== '' && {
      told: { message: sentence.slice(0, TOLD_CHARACTERS), ...(name !== '' && { code: name }) },
    }),
  }
}

/** Of an exception that ends a stream; `name` such as `throttlingException`. */
export function bedrockStreamError(name: string): {
  readonly kind: ProviderErrorKind
  readonly message: string
} {
  const known = /^\w{1,60}$/.test(name) ? name : 'unknown'
  return { kind: kindOfException(name) ?? 'transient', message: `the stream reported an error (${known})` }
}

/** In a header, `ThrottlingException:http://…`, or in the body, `com.amazonaws.bedrock#ThrottlingException`. */
function nameOf(body: unknown, headers: AnswerHeaders): string {
  const type = headers['x-amzn-errortype'] ?? (isRecord(body) ? body['__type'] : undefined)
  return typeof type === 'string' ? (/^(?:[\w.]*#)?(\w{1,60})(?=$|:)/.exec(type)?.[1] ?? '') : ''
}

function kindOf(status: number, name: string, sentence: string): ProviderErrorKind {
  const named = kindOfException(name)
  const kind = named ?? kindOfStatus(status)
  return kind === 'rate' && /per day/i.test(sentence) ? 'quota' : kind
}

function kindOfStatus(status: number): ProviderErrorKind {
  if (status === 401 || status === 403) return 'auth'
  if (status === 429) return 'rate'
  if (status === 408 || status === 504) return 'timeout'
  // 424: the model failed.
  return status >= 500 || status === 409 || status === 424 ? 'transient' : 'bad_request'
}

function kindOfException(name: string): ProviderErrorKind | undefined {
  switch (name.toLowerCase()) {
    case 'throttlingexception':
    case 'modelnotreadyexception':
      return 'rate'
    case 'servicequotaexceededexception':
      return 'quota'
    case 'accessdeniedexception':
    case 'unrecognizedclientexception':
    case 'expiredtokenexception':
    case 'invalidsignatureexception':
      return 'auth'
    case 'validationexception':
    case 'resourcenotfoundexception':
      return 'bad_request'
    case 'modeltimeoutexception':
      return 'timeout'
    case 'internalserverexception':
    case 'modelerrorexception':
    case 'modelstreamerrorexception':
    case 'serviceunavailableexception':
      return 'transient'
    default:
      return undefined
  }
}

function isTooLong(sentence: string): boolean {
  return /(?:input|prompt) is too long|(?:input|prompt|context)[^.]{0,80}exceeds? [^.]{0,40}(?:maximum|limit)/i.test(
    sentence,
  )
}
