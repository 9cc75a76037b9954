/** The `bedrock` dialect, as providers speak it: Converse and ConverseStream. */
import type { ProviderCodec } from '../codec.ts'
import { decodeConverse } from './answer.ts'
import { ConverseStreamDecoder } from './decode.ts'
import { encodeConverse } from './encode.ts'
import { bedrockErrorOf } from './errors.ts'

export const bedrockProvider: ProviderCodec = {
  dialect: 'bedrock',
  encode: (request, { model }) => encodeConverse(request, model),
  decoder: (options) => new ConverseStreamDecoder(options),
  decodeAnswer: decodeConverse,
  errorOf: bedrockErrorOf,
}
