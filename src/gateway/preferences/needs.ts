/** What a request's body asks a target to be able to do, for `require_parameters`, in the words of adapters. Pure. */
import { type Doc, isDoc, isSaid, own } from './values.ts'

export interface Needs {
  readonly capabilities: readonly string[]
  /** Parameters of which adapters say nothing, so that nobody can be required to know them. */
  readonly unknown: readonly string[]
}

/** Members that every adapter takes, or that are none of a target's business. */
const COMMON = [
  'model',
  'messages',
  'input',
  'instructions',
  'system',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'temperature',
  'metadata',
  'user',
  'store',
]
const TOOLS = ['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call']
const MAX_UNKNOWN = 16

/** `body` as `restOf` leaves it. */
export function needsOf(body: Doc): Needs {
  const said = Object.keys(body).filter((name) => isSaid(body[name]))
  const capabilities = [
    ...(said.some((name) => TOOLS.includes(name) && !isEmpty(body[name])) ? ['tools'] : []),
    ...(asksForJson(body) ? ['json'] : []),
  ]
  const known = [...COMMON, ...TOOLS, 'response_format', 'text']
  const unknown = said
    .filter((name) => !known.includes(name) && /^\w{1,64}$/.test(name))
    .slice(0, MAX_UNKNOWN)
  return { capabilities, unknown }
}

function asksForJson(body: Doc): boolean {
  const format = own(body, 'response_format') ?? own(own(body, 'text'), 'format')
  return isDoc(format) && own(format, 'type') !== 'text'
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
