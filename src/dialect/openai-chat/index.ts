/** The `openai-chat` dialect: chat completions, of providers and of clients. */
import type { ClientCodec, ProviderCodec } from '../codec.ts'
import { errorOfStatus } from '../openai-error.ts'
import { encodeChatAnswer } from './answer.ts'
import { ChatStreamDecoder, decodeChatAnswer } from './decode.ts'
import { type ChatEncodeOptions, encodeChatRequest } from './encode.ts'
import { passChatBody, readChatRequest } from './read.ts'
import { ChatWriter } from './writer.ts'

/** OpenAI itself wants `max_completion_tokens`; most compatible servers know only `max_tokens`. */
export function chatProvider(maxTokensField: ChatEncodeOptions['maxTokensField']): ProviderCodec {
  return {
    dialect: 'openai-chat',
    encode: (request, options) => encodeChatRequest(request, { ...options, maxTokensField }),
    decoder: (options) => new ChatStreamDecoder(options),
    decodeAnswer: decodeChatAnswer,
    errorOf: errorOfStatus,
  }
}

export const chatClient: ClientCodec = {
  dialect: 'openai-chat',
  read: readChatRequest,
  passBody: passChatBody,
  writer: (head, body) => new ChatWriter(head, body),
  encodeAnswer: encodeChatAnswer,
  errorBody: ({ message, type, param, code }) => ({ error: { message, type, param, code } }),
}
