/** The `bedrock` dialect, as providers speak it: Converse and ConverseStream. */
import type { ProviderCodec } from '../codec.ts'
import { decodeConverse } from './answer.ts'
import { ConverseStreamDecoder } from './decode.ts'
import { encodeConverse } from './encode.ts'
import { bedrockErrorOf } from './errors.ts'
import { traitsOf } from './models.ts'

/** Whether a model goes on with its own beginning. */
export function prefills(model: string): boolean {
  return traitsOf(model).prefill
}

export const bedrockProvider: ProviderCodec = {
  dialect: 'bedrock',
  encode: (request, { model }) => encodeConverse(request, model),
  decoder: (options) => new ConverseStreamDecoder(options),
  decodeAnswer: decodeConverse,
  errorOf: bedrockErrorOf,
}
