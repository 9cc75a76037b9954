/** The response object, as `response.created`, the last event and whole answers hold it. Pure. Written from the types of the `openai` package 7.57. */
import type { AnswerHead, FailFacts } from '../codec.ts'
import { isRecord } from '../openai-error.ts'

type Json = Readonly<Record<string, unknown>>

/** All that does not change while it grows: what was asked for, told again as it was asked. */
export function responseShell({ id, model, createdS }: AnswerHead, body: Json): Json {
  const or = (name: string, otherwise: unknown) => body[name] ?? otherwise
  return {
    id,
    object: 'response',
    created_at: createdS,
    model,
    access_programs: null,
    background: false,
    instructions: or('instructions', null),
    max_output_tokens: or('max_output_tokens', null),
    metadata: or('metadata', {}),
    parallel_tool_calls: or('parallel_tool_calls', true),
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(isRecord(body['reasoning']) && body['reasoning']) },
    // Whatever was asked: nothing of it can be read again.
    store: false,
    temperature: or('temperature', null),
    text: { format: { type: 'text' }, ...(isRecord(body['text']) && body['text']) },
    tool_choice: or('tool_choice', 'auto'),
    tools: or('tools', []),
    top_p: or('top_p', null),
    truncation: 'disabled',
  }
}

/** What a response's `error` may say: a closed list, of which three fit what can go wrong here. */
export function responseError({ status, message, type, param }: FailFacts): Json {
  const code = status === 429 ? 'rate_limit_exceeded' : status < 500 ? 'invalid_prompt' : 'server_error'
  return { code, message, type, param }
}
