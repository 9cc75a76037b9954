/**
 * MCP servers that a client names among its tools: what it may say of them, which of their tools that leaves, and which of
 * those somebody must agree to. A client chooses among the operator's servers and narrows; it never says where to connect. Pure.
 */
import type { ToolDefinition } from '../dialect/neutral.ts'
import type { AllowedMcp, Hidden, McpTool, ServerTool } from '../stage/tools.ts'

/** Both members must hold; one left out holds for every tool. */
export interface ToolFilter {
  readonly names?: readonly string[]
  /** Whether the tool says of itself that it only reads. */
  readonly readOnly?: boolean
}

export type ApprovalRule = 'always' | 'never' | { readonly always?: ToolFilter; readonly never?: ToolFilter }

export interface McpRequest {
  readonly type: 'mcp'
  readonly label: string
  /** Left out: whatever the operator's is. */
  readonly url?: string
  /** Left out: every tool. */
  readonly allowed?: ToolFilter
  /** Left out: `always`, as OpenAI has it. */
  readonly approval?: ApprovalRule
  readonly credentials?: Hidden
  /** The members that carried credentials. */
  readonly secretMembers: readonly ('authorization' | 'headers')[]
  /** As sent, without the credentials. */
  readonly shown: Readonly<Record<string, unknown>>
}

export type ClientTool = ToolDefinition | McpRequest

export function isNaming(tool: ClientTool): tool is McpRequest {
  return 'type' in tool && tool.type === 'mcp'
}

interface NamingRefusal {
  readonly code: 'invalid_value'
  readonly message: string
  readonly param: string
}

/** For the first server of `tools` that may not be named so; null when all may. `path`: of the list. */
export function namingRefusal(
  tools: readonly ClientTool[],
  allowed: readonly AllowedMcp[],
  path: string,
): NamingRefusal | null {
  const refuse = (at: number, member: string, message: string): NamingRefusal => ({
    code: 'invalid_value',
    message,
    param: `${path}[${at}].${member}`,
  })
  const seen = new Set<string>()
  for (const [at, tool] of tools.entries()) {
    if (!isNaming(tool)) continue
    const { label, url, secretMembers } = tool
    const server = allowed.find((one) => one.label === label)
    if (!server) {
      const text = `The MCP server '${label.slice(0, 64)}' is not allowed here: its operator has to name it in the settings.`
      return refuse(at, 'server_label', text)
    }
    if (seen.has(label))
      return refuse(at, 'server_label', `The MCP server '${label}' is named more than once.`)
    seen.add(label)
    if (url !== undefined && !sameAddress(url, server.url))
      return refuse(
        at,
        'server_url',
        `The MCP server '${label}' has another address. Leave 'server_url' out.`,
      )
    const [secret] = secretMembers
    if (secret !== undefined && server.clientCredentials === 'refuse')
      return refuse(
        at,
        secret,
        `The MCP server '${label}' takes no credentials of clients. Leave '${secret}' out.`,
      )
  }
  return null
}

function sameAddress(a: string, b: string): boolean {
  return URL.canParse(a) && new URL(a).href === new URL(b).href
}

/** What remains of a server's tools, and how each is called. */
export function narrowed(
  request: McpRequest,
  server: AllowedMcp,
  tools: readonly McpTool[],
): readonly ServerTool[] {
  const access = { label: request.label, credentials: request.credentials ?? null }
  return tools
    .filter(({ name }) => server.tools?.includes(name) ?? true)
    .filter((tool) => request.allowed === undefined || holds(request.allowed, tool))
    .map((tool) => {
      const { annotations: _, ...definition } = tool
      const asked = server.approval === 'always' || mustBeAsked(request.approval ?? 'always', tool)
      const facts = { server: request.label, filler: server.filler, access }
      return { ...definition, ...facts, ...(asked ? { approval: 'always' } : {}) }
    })
}

/** Of two filters that both hold the stricter counts, and a tool that neither holds for is asked about. */
function mustBeAsked(rule: ApprovalRule, tool: McpTool): boolean {
  if (typeof rule === 'string') return rule === 'always'
  if (rule.always && holds(rule.always, tool)) return true
  return !(rule.never && holds(rule.never, tool))
}

function holds({ names, readOnly }: ToolFilter, { name, annotations }: McpTool): boolean {
  const named = names?.includes(name) ?? true
  const reads = annotations?.['readOnlyHint'] === true
  return named && (readOnly === undefined || readOnly === reads)
}

/** A response that names a server of the session again says only what shall be different. */
export function inherited(
  asked: readonly ClientTool[],
  session: readonly ClientTool[],
): readonly ClientTool[] {
  return asked.map((tool) => {
    if (!isNaming(tool)) return tool
    const before = session.find((one): one is McpRequest => isNaming(one) && one.label === tool.label)
    return before ? { ...before, ...tool } : tool
  })
}
