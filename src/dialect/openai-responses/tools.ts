/** Tools of a client's request, and which of them may be called. Pure. */
import { RequestFault } from '../faults.ts'
import { asFlag, asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import type { ToolChoice, ToolDefinition } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

interface Tools {
  readonly tools?: readonly ToolDefinition[]
  readonly toolChoice?: ToolChoice
}

/** Throws `RequestFault`: tools that run at the provider, such as a search of the web, exist there only. */
export function neutralTools(body: Json): Tools {
  const tools = optional(body, '', 'tools', asList)?.map(toolOf)
  const choice = optional(body, '', 'tool_choice', choiceOf)
  // To offer those alone is the same.
  const offered = choice?.only ? tools?.filter(({ name }) => choice.only?.has(name)) : tools
  return { ...(offered && { tools: offered }), ...(choice && { toolChoice: choice.choice }) }
}

/** Of tools that have one. */
export function toolNames(tools: readonly unknown[]): string[] {
  return tools.flatMap((tool) => {
    if (!isRecord(tool)) return []
    if (tool['type'] === 'namespace') return toolNames(Array.isArray(tool['tools']) ? tool['tools'] : [])
    const name = tool['name'] ?? tool['type']
    return typeof name === 'string' ? [name] : []
  })
}

function toolOf(value: unknown, i: number): ToolDefinition {
  const path = `tools[${i}].`
  const tool = asRecord(value, `tools[${i}]`)
  if (tool['type'] !== 'function') throw unsupported(`${path}type`)
  const description = optional(tool, path, 'description', asText)
  const parameters = optional(tool, path, 'parameters', asRecord)
  const strict = optional(tool, path, 'strict', asFlag)
  return {
    name: required(tool, path, 'name', asText),
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    // Left out it is true here, but only for schemas that can be; elsewhere such a wish would be refused.
    ...(strict !== undefined && { strict }),
  }
}

interface Choice {
  readonly choice: ToolChoice
  /** Names of the only tools that may be called. */
  readonly only?: ReadonlySet<string>
}

function choiceOf(value: unknown, at: string): Choice {
  if (typeof value === 'string') return { choice: asOneOf(['auto', 'none', 'required'])(value, at) }
  const choice = asRecord(value, at)
  if (choice['type'] === 'function') return { choice: { name: required(choice, `${at}.`, 'name', asText) } }
  if (choice['type'] !== 'allowed_tools') throw unsupported(`${at}.type`)
  const only = required(choice, `${at}.`, 'tools', asList).map((one, i) => {
    const path = `${at}.tools[${i}]`
    const tool = asRecord(one, path)
    if (tool['type'] !== 'function') throw unsupported(`${path}.type`)
    return required(tool, `${path}.`, 'name', asText)
  })
  return { choice: required(choice, `${at}.`, 'mode', asOneOf(['auto', 'required'])), only: new Set(only) }
}

function unsupported(at: string): RequestFault {
  return new RequestFault(
    at,
    'Only function tools can be used with a target that does not speak /v1/responses.',
    'unsupported_value',
  )
}
