/** The body of a Messages request as a neutral request, for providers that speak another dialect. Pure. */
import { RequestFault } from '../faults.ts'
import {
  asCount,
  asFlag,
  asList,
  asNumber,
  asOneOf,
  asRecord,
  asText,
  type Json,
  optional,
  required,
} from '../json-path.ts'
import type { ModelRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../neutral.ts'
import { cacheOf } from './content.ts'
import { neutralMessages, systemMessages } from './messages.ts'
import { effortOf } from './thinking.ts'

/** What changes nothing that another provider could do: left out without a word. */
const SILENT = new Set(['model', 'stream', 'metadata', 'service_tier', 'inference_geo', 'diagnostics'])
const KNOWN = new Set([
  ...['messages', 'system', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'tools'],
  ...['tool_choice', 'thinking', 'output_config', 'output_format'],
])
/** They work at Anthropic alone, and the answer depends on them. */
const REFUSED = ['container', 'mcp_servers'] as const

export interface NeutralMessagesRequest {
  readonly request: ModelRequest
  /** Names of members that have no neutral form. */
  readonly ignored: readonly string[]
}

/** Throws `RequestFault`. */
export function neutralMessagesRequest(body: Json): NeutralMessagesRequest {
  for (const name of REFUSED) refuse(body[name], name)
  const maxTokens = optional(body, '', 'max_tokens', asCount)
  if (maxTokens === 0) {
    throw new RequestFault('max_tokens', 'Only a cache is warmed without an answer.', 'unsupported_value')
  }
  const set = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value })
  const tools = optional(body, '', 'tools', asList)
  const config = optional(body, '', 'output_config', asRecord) ?? {}
  const format =
    optional(config, 'output_config.', 'format', formatOf) ?? optional(body, '', 'output_format', formatOf)
  const choice = optional(body, '', 'tool_choice', asRecord)
  const request: ModelRequest = {
    messages: [...systemMessages(body['system']), ...neutralMessages(required(body, '', 'messages', asList))],
    ...(tools && { tools: tools.map(toolOf) }),
    ...(choice && { toolChoice: choiceOf(choice) }),
    ...(choice &&
      optional(choice, 'tool_choice.', 'disable_parallel_tool_use', asFlag) && { parallelToolCalls: false }),
    ...set('maxTokens', maxTokens),
    ...set('temperature', optional(body, '', 'temperature', asNumber)),
    ...set('topP', optional(body, '', 'top_p', asNumber)),
    ...set('topK', optional(body, '', 'top_k', asCount)),
    ...set('stop', optional(body, '', 'stop_sequences', textsOf)),
    ...set('reasoning', reasoningOf(optional(body, '', 'thinking', asRecord), config)),
    ...(format && { responseFormat: format }),
    ...set('user', userOf(body)),
  }
  return { request, ignored: Object.keys(body).filter((name) => !SILENT.has(name) && !KNOWN.has(name)) }
}

/** Throws `RequestFault`. */
export function userOf(body: Json): string | undefined {
  const metadata = optional(body, '', 'metadata', asRecord)
  return metadata && optional(metadata, 'metadata.', 'user_id', asText)
}

function refuse(value: unknown, name: string): void {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return
  throw new RequestFault(name, `'${name}' works with targets of Anthropic only.`, 'unsupported_value')
}

function textsOf(value: unknown, at: string): string[] {
  return asList(value, at).map((one, i) => asText(one, `${at}[${i}]`))
}

function toolOf(value: unknown, i: number): ToolDefinition {
  const at = `tools[${i}]`
  const tool = asRecord(value, at)
  if ((tool['type'] ?? 'custom') !== 'custom') {
    throw new RequestFault(
      `${at}.type`,
      "Anthropic's own tools cannot be offered to this target.",
      'unsupported_value',
    )
  }
  const description = optional(tool, `${at}.`, 'description', asText)
  const strict = optional(tool, `${at}.`, 'strict', asFlag)
  return {
    name: required(tool, `${at}.`, 'name', asText),
    ...(description !== undefined && { description }),
    parameters: required(tool, `${at}.`, 'input_schema', asRecord),
    ...(strict !== undefined && { strict }),
    ...cacheOf(tool),
  }
}

function choiceOf(choice: Json): ToolChoice {
  const type = required(choice, 'tool_choice.', 'type', asOneOf(['auto', 'any', 'tool', 'none']))
  if (type === 'tool') return { name: required(choice, 'tool_choice.', 'name', asText) }
  return type === 'any' ? 'required' : type
}

function reasoningOf(thinking: Json | undefined, config: Json): ModelRequest['reasoning'] {
  const asked = optional(
    config,
    'output_config.',
    'effort',
    asOneOf(['low', 'medium', 'high', 'xhigh', 'max']),
  )
  const effort = asked === 'max' ? 'xhigh' : asked
  const type =
    thinking &&
    required(thinking, 'thinking.', 'type', asOneOf(['enabled', 'disabled', 'between_tools', 'adaptive']))
  if (type === 'disabled' || type === 'between_tools') return { effort: 'none' }
  if (!thinking || type !== 'enabled') return effort && { effort }
  const maxTokens = required(thinking, 'thinking.', 'budget_tokens', asCount)
  const spoken = effort ?? effortOf(maxTokens)
  return { maxTokens, ...(spoken && { effort: spoken }) }
}

/** It has no name here; others want one. */
function formatOf(value: unknown, at: string): ResponseFormat {
  const format = asRecord(value, at)
  required(format, `${at}.`, 'type', asOneOf(['json_schema']))
  return {
    type: 'schema',
    name: 'answer',
    schema: required(format, `${at}.`, 'schema', asRecord),
    strict: true,
  }
}
