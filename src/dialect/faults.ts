/** How reading a dialect fails: the provider's stream, or the client's request. */
import type { Declined, ProviderErrorKind } from '../errors.ts'

/** The stream or answer said something that ends it badly. `message` holds no text of the caller. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault'
  constructor(
    readonly kind: ProviderErrorKind,
    message: string,
    /** With `bad_request` only. */
    readonly declined?: Declined,
  ) {
    super(message)
  }
}

/** A request that cannot be served as it is. `param` is the path of the member, such as `messages[1].content[0].type`. */
export class RequestFault extends Error {
  override readonly name = 'RequestFault'
  constructor(
    readonly param: string | null,
    message: string,
    readonly code: 'invalid_value' | 'missing_required_parameter' | 'unsupported_value' = 'invalid_value',
  ) {
    super(message)
  }
}
