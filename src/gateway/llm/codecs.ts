/** The dialects that clients of the gateway speak, by the path they speak them at. */
import type { ClientCodec } from '../../dialect/codec.ts'
import { chatClient } from '../../dialect/openai-chat/index.ts'
import { responsesClient } from '../../dialect/openai-responses/index.ts'

export interface Shape {
  readonly path: string
  /** In records and metrics. */
  readonly wire: string
  readonly codec: ClientCodec
  /** Whose members `metadata` and `user` are read as. */
  readonly api: 'openai' | 'anthropic'
  /** Before the ids of answers that are made here. */
  readonly idPrefix: string
}

export const SHAPES: readonly Shape[] = [
  { path: '/v1/chat/completions', wire: 'chat', codec: chatClient, api: 'openai', idPrefix: 'chatcmpl-' },
  { path: '/v1/responses', wire: 'responses', codec: responsesClient, api: 'openai', idPrefix: 'resp_' },
]
