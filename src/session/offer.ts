/** What the model is offered: the client's tools, the pipeline's, and those of the MCP servers that the client names. Pure. */
import type { ToolDefinition } from '../dialect/neutral.ts'
import type { ServerTool } from '../stage/tools.ts'
import { type ClientTool, isNaming, type McpRequest, narrowed } from './mcp.ts'
import type { State } from './state.ts'

export interface Offer {
  readonly definitions: readonly ToolDefinition[]
  /** Those of them that the server runs, by name. */
  readonly served: ReadonlyMap<string, ServerTool>
}

/**
 * Of one name the pipeline's counts, then the client's own: no MCP server takes a name from either. What a client says of a
 * pipeline's MCP server takes the place of what the pipeline offers of it, and can only be narrower.
 */
export function offerOf(state: State, tools: readonly ClientTool[]): Offer {
  const named = tools.filter(isNaming)
  const own = (state.settings.serverTools ?? []).filter(
    ({ server }) => !named.some(({ label }) => label === server),
  )
  const taken = new Set(own.map(({ name }) => name))
  const functions = tools.filter((tool): tool is ToolDefinition => !isNaming(tool) && !taken.has(tool.name))
  for (const { name } of functions) taken.add(name)
  const served = new Map(own.map((tool) => [tool.name, tool]))
  for (const tool of named.flatMap((request) => listedOf(state, request)))
    if (!taken.has(tool.name) && !served.has(tool.name)) served.set(tool.name, tool)
  return { definitions: [...functions, ...[...served.values()].map(definitionOf)], served }
}

function listedOf({ settings, listings }: State, request: McpRequest): readonly ServerTool[] {
  const server = settings.mcpServers?.find(({ label }) => label === request.label)
  return server ? narrowed(request, server, listings.get(request.label)?.tools ?? []) : []
}

function definitionOf(tool: ServerTool): ToolDefinition {
  const { server: _s, filler: _f, approval: _a, access: _c, ...definition } = tool
  return definition
}

/** Whether a server of `tools` is still being asked what it offers. */
export function isListing({ listings }: State, tools: readonly ClientTool[]): boolean {
  return tools.some((tool) => isNaming(tool) && listings.get(tool.label)?.state === 'listing')
}
