/** The one error of this folder: something that a request says about its routing is wrong, or cannot be done here. */

export type PreferenceCode = 'invalid_value' | 'model_not_found'

/** `message` follows the member's name, holds no value of the caller's, and ends without a full stop. */
export class PreferenceError extends Error {
  override readonly name = 'PreferenceError'
  /** Where: `provider.order[0]`, or a header's name and the path into it: `x-portkey-config.targets[1].weight`. */
  readonly param: string
  /** A key of the table of errors. */
  readonly code: PreferenceCode

  constructor(param: string, message: string, code: PreferenceCode = 'invalid_value') {
    super(message)
    this.param = param
    this.code = code
  }
}

/** Throws. */
export function refuse(param: string, message: string): never {
  throw new PreferenceError(param, message)
}
