/** The response object of `response.created` and `response.done`, with Parley's own record of the turn. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ModelUsage } from '../../dialect/neutral.ts'
import type { ResponseEnding, ResponseView } from '../../session/output.ts'
import { parleyRecord, type TurnRecord } from '../../trace/record.ts'
import { wireFormat } from './format.ts'
import { wireItem } from './items.ts'

export interface ResponseFacts {
  readonly conversationId: string
  readonly outputFormat: AudioFormat
}

export function responseObject(view: ResponseView, facts: ResponseFacts, record: TurnRecord | null): object {
  return {
    object: 'realtime.response',
    id: view.id,
    status: view.ending?.status ?? 'in_progress',
    status_details: statusDetails(view.ending),
    output: view.output.map((item) => wireItem(item)),
    conversation_id: view.inConversation ? facts.conversationId : null,
    output_modalities: [view.modality],
    max_output_tokens: view.maxOutputTokens,
    audio: { output: { format: wireFormat(facts.outputFormat), voice: view.voice } },
    usage: view.ending === null ? null : wireUsage(view.usage),
    metadata: view.metadata,
    ...(record === null ? {} : { parley: parleyRecord(record) }),
  }
}

function statusDetails(ending: ResponseEnding | null): object | null {
  switch (ending?.status) {
    case undefined:
    case 'completed':
      return null
    case 'cancelled':
    case 'incomplete':
      return { type: ending.status, reason: ending.reason }
    case 'failed':
      return {
        type: 'failed',
        error: { type: 'server_error', code: ending.code, message: ending.message },
      }
  }
}

/** Always numbers, zeros where nothing is known: clients add them up. A cascade's models read and write text only. */
function wireUsage(usage: ModelUsage | null): object {
  const input = usage?.inputTokens ?? 0
  const output = usage?.outputTokens ?? 0
  const cached = usage?.cachedTokens ?? 0
  return {
    total_tokens: input + output,
    input_tokens: input,
    output_tokens: output,
    input_token_details: {
      text_tokens: input,
      audio_tokens: 0,
      image_tokens: 0,
      cached_tokens: cached,
      cached_tokens_details: { text_tokens: cached, audio_tokens: 0, image_tokens: 0 },
    },
    output_token_details: { text_tokens: output, audio_tokens: 0 },
  }
}
