/**
 * A tool call as chat completions have it. Gemini's signature of the thoughts before it stands where Google's own endpoint for this dialect
 * has it (`extra_content.google.thought_signature`), so that clients made for that one bring it back. Pure.
 */
import type { ToolCall } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

export function writeCall({
  callId,
  name,
  arguments: args,
  thoughtSignature,
}: ToolCall): Record<string, unknown> {
  return {
    id: callId,
    type: 'function',
    function: { name, arguments: args },
    ...(thoughtSignature !== undefined && {
      extra_content: { google: { thought_signature: thoughtSignature } },
    }),
  }
}

export function signatureOf(call: Readonly<Record<string, unknown>>): Pick<ToolCall, 'thoughtSignature'> {
  const extra = call['extra_content']
  const google = isRecord(extra) ? extra['google'] : undefined
  const signature = isRecord(google) ? google['thought_signature'] : undefined
  return typeof signature === 'string' && signature !== '' ? { thoughtSignature: signature } : {}
}
