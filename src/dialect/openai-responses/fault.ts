/** How a response says that it failed, as our fault. Pure. Message of codes alone: what the provider wrote may quote the caller. */
import { StreamFault } from '../faults.ts'
import { errorOf, isRecord } from '../openai-error.ts'

/** Codes of the SDK's `ResponseError` that say the request is wrong, wherever it is sent again to the same target. */
const REQUEST_CODES =
  /^(invalid_(base64_)?image\w*|image_\w+|unsupported_image_media_type|empty_image_file|failed_to_download_image)$/
/** Those that say it is against the provider's rules; `invalid_prompt` does, too. */
const POLICY_CODES =
  /^(invalid_prompt|bio_policy|misalignment_policy_violation|image_content_policy_violation)$/

/** `error`: of `response.failed`, of a whole response, or an `error` event, whose members are nested by servers and flat in the SDK's types. */
export function faultOf(error: unknown): StreamFault {
  const found = isRecord(error) && isRecord(error['error']) ? error['error'] : isRecord(error) ? error : {}
  const { code, type } = found
  const { kind, message, declined } = errorOf({ error: { code, ...(type !== 'error' && { type }) } })
  if (typeof code !== 'string') return new StreamFault(kind, message, declined)
  if (POLICY_CODES.test(code)) return new StreamFault('bad_request', message, 'content_refusal')
  return new StreamFault(REQUEST_CODES.test(code) ? 'bad_request' : kind, message, declined)
}
