/** The `anthropic` dialect: Messages, of providers and of clients. */
import type { ClientCodec, ProviderCodec } from '../codec.ts'
import { encodeMessage } from './answer.ts'
import { decodeMessage, MessagesDecoder } from './decode.ts'
import { encodeMessages } from './encode.ts'
import { errorBody, errorOfStatus } from './errors.ts'
import { type ModelTraits, traitsOf } from './models.ts'
import { passMessagesBody, readMessagesRequest } from './read.ts'
import { MessagesWriter } from './writer.ts'

export { type ModelTraits, traitsOf } from './models.ts'
export { fitBody } from './thinking.ts'

export interface AnthropicOptions {
  /** Of a request that has none. */
  readonly maxTokens: number
  /** Left out: as the model's name tells. */
  readonly traits?: (model: string) => ModelTraits
}

export function anthropicProvider({ maxTokens, traits = traitsOf }: AnthropicOptions): ProviderCodec {
  return {
    dialect: 'anthropic',
    encode: (request, options) =>
      encodeMessages(request, { ...options, maxTokens, traits: traits(options.model) }),
    decoder: (options) => new MessagesDecoder(options),
    decodeAnswer: decodeMessage,
    errorOf: errorOfStatus,
  }
}

export const anthropicClient: ClientCodec = {
  dialect: 'anthropic',
  read: readMessagesRequest,
  passBody: passMessagesBody,
  writer: (head) => new MessagesWriter(head),
  encodeAnswer: encodeMessage,
  errorBody,
}
