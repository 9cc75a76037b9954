/** The `gemini` dialect, as providers speak it: `generateContent` and `streamGenerateContent?alt=sse`. */
import type { ProviderCodec } from '../codec.ts'
import { decodeGeminiAnswer, GeminiStreamDecoder } from './decode.ts'
import { encodeGeminiRequest } from './encode.ts'
import { geminiErrorOf } from './errors.ts'

export const geminiProvider: ProviderCodec = {
  dialect: 'gemini',
  // Whether it is streamed is said by the address.
  encode: (request, { model }) => encodeGeminiRequest(request, model),
  decoder: (options) => new GeminiStreamDecoder(options),
  decodeAnswer: decodeGeminiAnswer,
  errorOf: geminiErrorOf,
}
