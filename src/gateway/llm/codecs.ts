/** The dialects that clients of the gateway speak, by the path they speak them at. */
import { anthropicClient } from '../../dialect/anthropic/index.ts'
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
  /** Lists that belong to the body, in lower case: they go with it to targets of the same dialect. */
  readonly headers?: readonly string[]
}

export const SHAPES: readonly Shape[] = [
  { path: '/v1/chat/completions', wire: 'chat', codec: chatClient, api: 'openai', idPrefix: 'chatcmpl-' },
  { path: '/v1/responses', wire: 'responses', codec: responsesClient, api: 'openai', idPrefix: 'resp_' },
  {
    path: '/v1/messages',
    wire: 'messages',
    codec: anthropicClient,
    api: 'anthropic',
    idPrefix: 'msg_',
    headers: ['anthropic-beta'],
  },
]
