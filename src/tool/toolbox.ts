/**
 * All tools of one pipeline's sessions: HTTP addresses, its MCP servers, and those that clients may name. Each call is under its time
 * limit, its arguments checked before anything is sent.
 */
import { openScope } from '../cancel.ts'
import type { ServerTool as ToolSetting } from '../config/pipeline.ts'
import type { ToolCall } from '../dialect/neutral.ts'
import {
  type AllowedMcp,
  type McpAccess,
  type McpTool,
  type ServerTool,
  type ServerTools,
  ToolError,
  type ToolRunOptions,
} from '../stage/tools.ts'
import { argumentsOf } from './arguments.ts'
import { callHttp } from './http.ts'
import { McpServer } from './mcp.ts'
import type { NamedServers } from './named-servers.ts'

export interface ToolboxOptions {
  readonly tools: readonly ToolSetting[]
  /** Of the settings; left out: none. */
  readonly named?: NamedServers
  readonly note: (message: string) => void
}

type Of<T extends ToolSetting['type']> = Extract<ToolSetting, { type: T }>

/** Sends the call, once. */
type Send = (args: Record<string, unknown>, signal: AbortSignal) => Promise<string>

export class Toolbox implements ServerTools {
  readonly #http: ReadonlyMap<string, Of<'http'>>
  readonly #mcp: readonly { readonly setting: Of<'mcp'>; readonly server: McpServer }[]

  readonly #named: NamedServers | undefined
  readonly allowed: readonly AllowedMcp[]

  constructor({ tools, note, named }: ToolboxOptions) {
    this.#named = named
    this.#http = new Map(tools.flatMap((one) => (one.type === 'http' ? [[one.name, one]] : [])))
    this.#mcp = tools.flatMap((setting) => {
      if (setting.type !== 'mcp') return []
      const { name: label, url, timeoutMs } = setting
      const onFailed = () =>
        note(`tools.${label}: its MCP server cannot be reached; its tools are not offered`)
      return [{ setting, server: new McpServer({ label, url, timeoutMs, onFailed }) }]
    })
    const own = this.#mcp.map(({ setting }) => allowedOf(setting))
    const others = (named?.allowed ?? []).filter(({ label }) => !own.some((one) => one.label === label))
    this.allowed = [...own, ...others]
  }

  /** Makes the connections that tools will need. Never rejects. */
  async prepare(): Promise<void> {
    await Promise.all(this.#mcp.map(({ server }) => server.prepare()))
  }

  /** Of two tools of one name the first is offered. */
  get definitions(): readonly ServerTool[] {
    const http = [...this.#http.values()].map(({ name, description, parameters, filler }) => ({
      name,
      server: 'http',
      filler,
      ...(description === null ? {} : { description }),
      ...(parameters === null ? {} : { parameters }),
    }))
    const mcp = this.#mcp.flatMap(({ setting: { filler, approval }, server }) =>
      server.tools.map(({ annotations: _, ...tool }) => ({
        ...tool,
        server: server.label,
        filler,
        ...(approval === 'always' ? { approval } : {}),
      })),
    )
    const named = new Map<string, ServerTool>()
    for (const tool of [...http, ...mcp]) if (!named.has(tool.name)) named.set(tool.name, tool)
    return [...named.values()]
  }

  async list(access: McpAccess, { signal }: ToolRunOptions): Promise<readonly McpTool[]> {
    const own = this.#mcp.find(({ server }) => server.label === access.label)
    if (own) return own.server.list(signal)
    if (!this.#named) throw new ToolError('unknown', `There is no MCP server ${access.label}.`)
    return this.#named.list(access, signal)
  }

  async run(call: ToolCall, options: ToolRunOptions & { readonly access?: McpAccess }): Promise<string> {
    const { signal, clock, access } = options
    const { tool, timeoutMs, send } = access ? this.#ofServer(call, access, signal) : this.#ofPipeline(call)
    const args = argumentsOf(call, tool)
    const scope = openScope(signal)
    const timer = clock.setTimer(timeoutMs, () => scope.cancel('deadline'))
    try {
      return await send(args, scope.signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ToolError) throw error
      if (scope.signal.aborted)
        throw new ToolError('timeout', `The tool did not answer within ${timeoutMs} ms.`)
      throw error
    } finally {
      timer.cancel()
      scope.cancel('done')
    }
  }

  #ofPipeline(call: ToolCall): Runnable {
    const unknown = new ToolError('unknown', `There is no tool ${call.name}.`)
    const tool = this.definitions.find(({ name }) => name === call.name)
    if (!tool) throw unknown
    const http = this.#http.get(call.name)
    if (http) {
      const { url, timeoutMs } = http
      const { callId } = call
      const send: Send = (args, signal) => callHttp({ url, callId, body: JSON.stringify(args), signal })
      return { tool, timeoutMs, send }
    }
    const mcp = this.#mcp.find(({ server }) => server.label === tool.server)
    if (!mcp) throw unknown
    return { tool, timeoutMs: mcp.setting.timeoutMs, send: sendTo(mcp.server, call) }
  }

  /** A tool that its server has taken back meanwhile the server itself refuses. */
  #ofServer(call: ToolCall, access: McpAccess, session: AbortSignal): Runnable {
    const own = this.#mcp.find((one) => one.server.label === access.label)
    const server = own?.server ?? this.#named?.of(access, session)
    if (!server) throw new ToolError('unknown', `There is no tool ${call.name}.`)
    const timeoutMs = own?.setting.timeoutMs ?? this.#named?.timeoutMs(access.label) ?? 0
    const tool = server.tools.find(({ name }) => name === call.name) ?? { name: call.name }
    return { tool, timeoutMs, send: sendTo(server, call) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#mcp.map(({ server }) => server.close()))
  }
}

interface Runnable {
  readonly tool: Pick<ServerTool, 'parameters'>
  readonly timeoutMs: number
  readonly send: Send
}

function sendTo(server: McpServer, { name }: ToolCall): Send {
  return (args, signal) => server.call(name, args, signal)
}

/** What a pipeline offers anyway a client may name, and be asked about; never with credentials of its own. */
function allowedOf({ name, url, approval, filler }: Of<'mcp'>): AllowedMcp {
  return {
    label: name,
    url,
    clientCredentials: 'refuse',
    approval: approval === 'always' ? 'always' : 'client',
    tools: null,
    filler,
  }
}
