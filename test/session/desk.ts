/** MCP servers and tools in memory: what was asked of them, and answers that come when a test says. */
import { type Clock, delay } from '../../src/clock.ts'
import type { ModelEvent, ToolCall } from '../../src/dialect/neutral.ts'
import type { McpRequest } from '../../src/session/mcp.ts'
import type {
  AllowedMcp,
  McpAccess,
  McpTool,
  ServerTool,
  ServerTools,
  ToolRunOptions,
} from '../../src/stage/tools.ts'
import { ToolError } from '../../src/stage/tools.ts'

export const CRM: AllowedMcp = {
  label: 'crm',
  url: 'https://mcp.example.com/crm',
  clientCredentials: 'refuse',
  approval: 'client',
  tools: null,
  filler: null,
}

export const TOOLS: readonly McpTool[] = [
  { name: 'find', parameters: { type: 'object' }, annotations: { readOnlyHint: true } },
  { name: 'erase', description: 'Erases a customer.', parameters: { type: 'object' } },
]

export class Desk implements ServerTools {
  readonly calls: (ToolCall & { readonly server?: string })[] = []
  readonly listings: McpAccess[] = []
  definitions: readonly ServerTool[] = []
  allowed: readonly AllowedMcp[] = [CRM]
  tools: readonly McpTool[] = TOOLS
  listMs = 0
  runMs = 0
  fails: ToolError | undefined
  unreachable = false
  aborted = 0

  async list(access: McpAccess, { signal, clock }: ToolRunOptions): Promise<readonly McpTool[]> {
    this.listings.push(access)
    await this.#wait(clock, this.listMs, signal)
    if (this.unreachable) throw new ToolError('unreachable', 'The MCP server cannot be reached.')
    return this.tools
  }

  async run(
    call: ToolCall,
    { signal, clock, access }: ToolRunOptions & { access?: McpAccess },
  ): Promise<string> {
    this.calls.push({ ...call, ...(access ? { server: access.label } : {}) })
    await this.#wait(clock, this.runMs, signal)
    if (this.fails) throw this.fails
    return `${call.name} done`
  }

  async #wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    try {
      await delay(clock, ms, signal)
    } catch (error) {
      this.aborted++
      throw error
    }
  }
}

export function crm(more: Partial<McpRequest> = {}): McpRequest {
  return { type: 'mcp', label: 'crm', secretMembers: [], shown: {}, ...more }
}

export const asks = (callId: string, name: string, args = '{"id":7}'): readonly ModelEvent[] => [
  { type: 'toolCall', call: { callId, name, arguments: args } },
  { type: 'finish', reason: 'tool_calls' },
]
