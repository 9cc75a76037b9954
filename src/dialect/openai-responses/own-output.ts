/** Which events tell of output that has no neutral form. Pure. */
import type { OwnOutput } from '../codec.ts'
import { isRecord } from '../openai-error.ts'

const NEUTRAL = new Set(['message', 'function_call', 'reasoning'])
/** Tools that run at the provider; whatever else a response may hold is for the client to do. */
const AT_PROVIDER = new Set([
  ...['web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call'],
  ...['mcp_call', 'mcp_list_tools', 'tool_search_call', 'tool_search_output', 'compaction', 'program'],
  ...['program_output', 'function_call_output', 'shell_call_output', 'apply_patch_call_output'],
])

export function ownOutputOf(event: Readonly<Record<string, unknown>>): OwnOutput | undefined {
  switch (event['type']) {
    case 'response.output_item.added':
    case 'response.output_item.done':
      return ofItem(event['item'])
    case 'response.completed':
    case 'response.incomplete': {
      const output = isRecord(event['response']) ? event['response']['output'] : undefined
      const kinds = Array.isArray(output) ? output.map(ofItem) : []
      return kinds.includes('asks') ? 'asks' : kinds.includes('shown') ? 'shown' : undefined
    }
    // It runs in the background, and is not to be begun twice.
    case 'response.queued':
      return 'shown'
    default:
      return undefined
  }
}

function ofItem(item: unknown): OwnOutput | undefined {
  const type = isRecord(item) ? item['type'] : undefined
  if (typeof type !== 'string' || NEUTRAL.has(type)) return undefined
  return AT_PROVIDER.has(type) ? 'shown' : 'asks'
}
