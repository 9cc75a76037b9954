/** Tools and their choice as Converse has them. Pure. */
import type { ModelRequest, ToolChoice, ToolDefinition } from '../neutral.ts'
import { type Block, type BlockOptions, cachePoint } from './blocks.ts'

/** Undefined: the request has nothing to do with tools. `called`: by the history, so that Bedrock wants them defined. */
export function toolConfigOf(
  { tools = [], toolChoice, parallelToolCalls }: ModelRequest,
  called: ReadonlySet<string>,
  options: BlockOptions,
): Readonly<Record<string, unknown>> | undefined {
  const { dropped } = options
  if (tools.length > 0 && parallelToolCalls === false) dropped.add('parallelToolCalls')
  const offered = toolChoice === 'none' && called.size === 0 ? [] : tools
  const unknown = [...called].filter((name) => !tools.some((tool) => tool.name === name))
  const all = [...offered, ...unknown.map((name) => ({ name }))]
  if (all.length === 0) return undefined
  // There is no word for it, and a history with calls wants its tools.
  if (toolChoice === 'none' && offered.length > 0) dropped.add('toolChoice: none')
  const choice = offered.length > 0 ? choiceOf(toolChoice, options) : undefined
  return {
    tools: all.flatMap((tool) => toolOf(tool, options)),
    ...(choice && { toolChoice: choice }),
  }
}

function toolOf(
  { name, description, parameters, strict, cache }: ToolDefinition,
  options: BlockOptions,
): Block[] {
  const { traits, dropped } = options
  const toolSpec = {
    name,
    ...(description !== undefined && description !== '' && { description }),
    inputSchema: { json: parameters ?? { type: 'object', properties: {} } },
    ...(strict !== undefined && traits.maker === 'claude' && { strict }),
  }
  if (strict && traits.maker !== 'claude') dropped.add('tools: strict')
  if (cache !== undefined && traits.caches === 'no tools') {
    dropped.add('cache hints: of tools')
    return [{ toolSpec }]
  }
  return [{ toolSpec }, ...cachePoint(cache, options)]
}

function choiceOf(choice: ToolChoice | undefined, { traits, dropped }: BlockOptions): Block | undefined {
  if (choice === undefined || choice === 'none') return undefined
  if (choice === 'auto') return { auto: {} }
  // Others know no choice, or not each.
  if (traits.maker === 'other' || traits.maker === 'gpt-oss') {
    dropped.add('toolChoice: not known of this model')
    return undefined
  }
  return choice === 'required' ? { any: {} } : { tool: { name: choice.name } }
}
