/** Tools and tool choice on the wire: the Realtime API's flat shape, not chat completions' nested one. */
import type { ToolChoice, ToolDefinition } from '../../dialect/neutral.ts'
import { type ClientTool, isNaming } from '../../session/mcp.ts'
import {
  asArray,
  asObject,
  asOneOf,
  asOpaqueObject,
  asString,
  type Json,
  missing,
  Refusal,
  wrongType,
} from './check.ts'
import { parseMcpTool } from './mcp-tool.ts'

const TYPES = ['function', 'mcp'] as const
const MAX_TOOLS = 128
const NAME = /^[a-zA-Z0-9_-]{1,64}$/

export function parseTools(value: unknown, path: string): readonly ClientTool[] {
  return asArray(value, path, MAX_TOOLS).map((tool, at) =>
    parseTool(asObject(tool, `${path}[${at}]`), `${path}[${at}]`),
  )
}

function parseTool(tool: Json, path: string): ClientTool {
  // Some clients leave `type` out.
  const type = tool['type'] === undefined ? 'function' : asOneOf(tool['type'], `${path}.type`, TYPES)
  if (type === 'mcp') return parseMcpTool(tool, path)
  const name = parseName(tool['name'], `${path}.name`)
  const description = tool['description']
  const parameters = tool['parameters']
  return {
    name,
    ...(description == null ? {} : { description: asString(description, `${path}.description`) }),
    ...(parameters == null ? {} : { parameters: asOpaqueObject(parameters, `${path}.parameters`) }),
  }
}

function parseName(value: unknown, path: string): string {
  if (value === undefined) throw missing(path)
  const name = asString(value, path, 64)
  if (NAME.test(name)) return name
  const text = `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${NAME.source}'.`
  throw new Refusal('invalid_value', text, path)
}

export function parseToolChoice(value: unknown, path: string): ToolChoice {
  if (typeof value === 'string') return asOneOf(value, path, ['auto', 'none', 'required'])
  if (value === undefined || value === null) throw wrongType(path, 'a string or an object', value)
  const choice = asObject(value, path)
  asOneOf(choice['type'], `${path}.type`, ['function'])
  return { name: parseName(choice['name'], `${path}.name`) }
}

/** Credentials are never shown again. */
export function wireTools(tools: readonly ClientTool[]): readonly object[] {
  return tools.map((tool) => (isNaming(tool) ? tool.shown : wireFunction(tool)))
}

function wireFunction({ name, description, parameters }: ToolDefinition): object {
  return {
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

export function wireToolChoice(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', name: choice.name }
}
