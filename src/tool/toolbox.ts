/** All tools of one pipeline: HTTP addresses and MCP servers, each under its time limit, arguments checked before anything is sent. */
import { z } from 'zod'
import { openScope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { ServerTool as ToolSetting } from '../config/pipeline.ts'
import type { ToolCall } from '../dialect/neutral.ts'
import { type ServerTool, type ServerTools, ToolError } from '../stage/tools.ts'
import { callHttp } from './http.ts'
import { McpServer } from './mcp.ts'

export interface ToolboxOptions {
  readonly tools: readonly ToolSetting[]
  readonly note: (message: string) => void
}

type Of<T extends ToolSetting['type']> = Extract<ToolSetting, { type: T }>

const MAX_ARGUMENT_CHARS = 64 * 1024

export class Toolbox implements ServerTools {
  readonly #http: ReadonlyMap<string, Of<'http'>>
  readonly #mcp: readonly { readonly setting: Of<'mcp'>; readonly server: McpServer }[]

  constructor({ tools, note }: ToolboxOptions) {
    this.#http = new Map(tools.flatMap((one) => (one.type === 'http' ? [[one.name, one]] : [])))
    this.#mcp = tools.flatMap((setting) => {
      if (setting.type !== 'mcp') return []
      const { name: label, url, timeoutMs } = setting
      const onFailed = () =>
        note(`tools.${label}: its MCP server cannot be reached; its tools are not offered`)
      return [{ setting, server: new McpServer({ label, url, timeoutMs, onFailed }) }]
    })
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
    const mcp = this.#mcp.flatMap(({ setting: { filler }, server }) =>
      server.tools.map((tool) => ({ ...tool, server: server.label, filler })),
    )
    const named = new Map<string, ServerTool>()
    for (const tool of [...http, ...mcp]) if (!named.has(tool.name)) named.set(tool.name, tool)
    return [...named.values()]
  }

  async run(
    call: ToolCall,
    { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
  ): Promise<string> {
    const tool = this.definitions.find(({ name }) => name === call.name)
    if (!tool) throw new ToolError('unknown', `There is no tool ${call.name}.`)
    const args = argumentsOf(call, tool)
    const http = this.#http.get(call.name)
    const mcp = this.#mcp.find(({ server }) => server.label === tool.server)
    const timeoutMs = (http ?? mcp?.setting)?.timeoutMs ?? 0
    const scope = openScope(signal)
    const timer = clock.setTimer(timeoutMs, () => scope.cancel('deadline'))
    try {
      if (http) {
        return await callHttp({
          url: http.url,
          callId: call.callId,
          body: JSON.stringify(args),
          signal: scope.signal,
        })
      }
      if (!mcp) throw new ToolError('unknown', `There is no tool ${call.name}.`)
      return await mcp.server.call(call.name, args, scope.signal)
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

  async close(): Promise<void> {
    await Promise.all(this.#mcp.map(({ server }) => server.close()))
  }
}

/** The model's own text, read and held against the tool's schema. */
function argumentsOf(call: ToolCall, { parameters }: ServerTool): Record<string, unknown> {
  const wrong = (why: string) => new ToolError('arguments', `The arguments of ${call.name} ${why}.`)
  if (call.arguments.length > MAX_ARGUMENT_CHARS) throw wrong('are too long')
  let value: unknown
  try {
    value = JSON.parse(call.arguments.trim() === '' ? '{}' : call.arguments)
  } catch {
    throw wrong('are no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('are no JSON object')
  const checked = schemaOf(parameters)?.safeParse(value)
  if (checked && !checked.success) {
    const [issue] = checked.error.issues
    throw wrong(`do not fit: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'wrong'}`)
  }
  return value as Record<string, unknown>
}

const schemas = new WeakMap<object, z.ZodType | null>()

/** Null: no schema, or one that cannot be read here; then the tool itself judges. */
function schemaOf(parameters: ServerTool['parameters']): z.ZodType | null {
  if (!parameters) return null
  const known = schemas.get(parameters)
  if (known !== undefined) return known
  let schema: z.ZodType | null = null
  try {
    schema = z.fromJSONSchema(parameters as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // A keyword that the reader does not know.
  }
  schemas.set(parameters, schema)
  return schema
}
