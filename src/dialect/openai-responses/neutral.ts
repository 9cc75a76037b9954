/** The body of `POST /v1/responses` as a neutral request, for providers that speak another dialect. Pure. */
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
  wrong,
} from '../json-path.ts'
import type { ModelRequest, ReasoningEffort, ResponseFormat } from '../neutral.ts'
import { neutralInput } from './input.ts'
import { neutralTools } from './tools.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

/** What lies with one provider or runs there: without it the answer would be another one. */
const BOUND = ['previous_response_id', 'conversation', 'prompt', 'moderation'] as const

/** What changes nothing that another provider could do: left out without a word. */
const SILENT = new Set([
  ...['model', 'stream', 'stream_options', 'input', 'instructions', 'tools', 'user', 'safety_identifier'],
  // Of built-in tools alone, which are refused.
  ...['metadata', 'include', 'max_tool_calls'],
  ...BOUND,
])
const KNOWN = new Set([
  ...['max_output_tokens', 'temperature', 'top_p', 'tool_choice', 'parallel_tool_calls', 'reasoning'],
  ...['text', 'top_logprobs', 'background', 'store'],
])

export interface NeutralResponse {
  readonly request: ModelRequest
  /** Names of members that have no neutral form. */
  readonly ignored: readonly string[]
}

/** Throws `RequestFault`. */
export function neutralResponsesRequest(body: Json): NeutralResponse {
  for (const name of BOUND) if (given(body[name])) throw boundTo(name)
  if (body['background'] === true) throw boundTo('background')
  const set = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value })
  const instructions = optional(body, '', 'instructions', asText)
  const input = required(body, '', 'input', inputOf)
  const reasoning = optional(body, '', 'reasoning', asRecord) ?? {}
  const effort = optional(reasoning, 'reasoning.', 'effort', asOneOf(EFFORTS))
  const text = optional(body, '', 'text', asRecord) ?? {}
  const request: ModelRequest = {
    messages: [
      ...(instructions === undefined ? [] : [{ role: 'system' as const, text: instructions }]),
      ...neutralInput(input),
    ],
    ...neutralTools(body),
    ...set('parallelToolCalls', optional(body, '', 'parallel_tool_calls', asFlag)),
    ...set('maxTokens', optional(body, '', 'max_output_tokens', asCount)),
    ...set('temperature', optional(body, '', 'temperature', asNumber)),
    ...set('topP', optional(body, '', 'top_p', asNumber)),
    ...(effort && { reasoning: { effort: effortOf(effort) } }),
    ...set('responseFormat', optional(text, 'text.', 'format', formatOf)),
    ...set('topLogprobs', logprobsOf(body)),
    ...set('user', userOf(body)),
  }
  const ignored = [
    ...Object.keys(body).filter((name) => !SILENT.has(name) && !KNOWN.has(name) && given(body[name])),
    // Nothing can be read again later.
    ...(body['store'] === true ? ['store'] : []),
    ...Object.keys(reasoning).flatMap((name) => (name === 'effort' ? [] : [`reasoning.${name}`])),
    ...Object.keys(text).flatMap((name) => (name === 'format' ? [] : [`text.${name}`])),
  ]
  return { request, ignored }
}

/** Throws `RequestFault`. */
export function inputOf(value: unknown, at: string): string | readonly unknown[] {
  return typeof value === 'string' || Array.isArray(value) ? value : wrong(at, 'a string or an array', value)
}

export function userOf(body: Json): string | undefined {
  return optional(body, '', 'safety_identifier', asText) ?? optional(body, '', 'user', asText)
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

function boundTo(name: string): RequestFault {
  return new RequestFault(
    name,
    `'${name}' needs a target that speaks /v1/responses; none of those that can be asked now does.`,
    'unsupported_value',
  )
}

function effortOf(effort: (typeof EFFORTS)[number]): ReasoningEffort {
  return effort === 'max' ? 'xhigh' : effort
}

function logprobsOf(body: Json): number | undefined {
  const include = optional(body, '', 'include', asList) ?? []
  const top = optional(body, '', 'top_logprobs', asCount)
  return top ?? (include.includes('message.output_text.logprobs') ? 0 : undefined)
}

function formatOf(value: unknown, at: string): ResponseFormat | undefined {
  const format = asRecord(value, at)
  const type = required(format, `${at}.`, 'type', asOneOf(['text', 'json_object', 'json_schema']))
  if (type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  const strict = optional(format, `${at}.`, 'strict', asFlag)
  return {
    type: 'schema',
    name: required(format, `${at}.`, 'name', asText),
    schema: required(format, `${at}.`, 'schema', asRecord),
    ...(strict !== undefined && { strict }),
  }
}
