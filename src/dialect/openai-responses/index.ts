/** The `openai-responses` dialect: `POST /v1/responses`, of providers and of clients. */
import type { ClientCodec, ProviderCodec } from '../codec.ts'
import { errorOfStatus } from '../openai-error.ts'
import { encodeResponsesAnswer } from './answer.ts'
import { decodeResponsesAnswer, ResponsesStreamDecoder } from './decode.ts'
import { encodeResponsesRequest } from './encode.ts'
import { passResponsesBody, readResponsesRequest } from './read.ts'
import { ResponsesWriter } from './writer.ts'

export const responsesProvider: ProviderCodec = {
  dialect: 'openai-responses',
  encode: encodeResponsesRequest,
  decoder: (options) => new ResponsesStreamDecoder(options),
  decodeAnswer: decodeResponsesAnswer,
  errorOf: errorOfStatus,
}

export const responsesClient: ClientCodec = {
  dialect: 'openai-responses',
  read: readResponsesRequest,
  passBody: passResponsesBody,
  writer: (head, body) => new ResponsesWriter(head, body),
  encodeAnswer: encodeResponsesAnswer,
  errorBody: ({ message, type, param, code }) => ({ error: { message, type, param, code } }),
}
