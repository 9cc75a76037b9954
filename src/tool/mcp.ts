/**
 * One connection to an MCP server of the operator's (Model Context Protocol, streamable HTTP), by the official SDK, which is loaded
 * when the first one is wanted. The connection is made ahead of need and again when it was lost; a call is sent once.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { orAborted } from '../cancel.ts'
import { type McpTool, ToolError } from '../stage/tools.ts'

export interface McpServerOptions {
  readonly label: string
  readonly url: string
  /** Sent with every request. Secret. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** For connecting and for listing. */
  readonly timeoutMs: number
  /** It could not be reached: told once, until it was. Never with an answer's content. */
  readonly onFailed: (label: string) => void
}

const MAX_TOOLS = 128
const MAX_PAGES = 16
/** Of one tool's description and schema: they go into every prompt and onto the wire. */
const MAX_TOOL_CHARS = 32 * 1024
const MAX_TOOL_DEPTH = 32
/** Of all tools of a server: half of what a data channel's message holds. */
const MAX_LIST_CHARS = 128 * 1024
const MAX_RESULT_CHARS = 64 * 1024
const NAME = /^[A-Za-z0-9_-]{1,64}$/

export class McpServer {
  readonly label: string
  readonly #options: McpServerOptions
  #client: Promise<Client> | undefined
  #tools: readonly McpTool[] = []
  #state: 'open' | 'retired' | 'closed' = 'open'
  #calls = 0
  #reach: 'unknown' | 'failed' = 'unknown'

  constructor(options: McpServerOptions) {
    this.label = options.label
    this.#options = options
  }

  /** As listed last; empty before that. */
  get tools(): readonly McpTool[] {
    return this.#tools
  }

  /** Connects and lists. Never rejects. */
  async prepare(): Promise<void> {
    try {
      await this.#connected()
    } catch {
      this.#failed()
    }
  }

  #failed(): void {
    if (this.#state === 'closed' || this.#reach === 'failed') return
    this.#reach = 'failed'
    this.#options.onFailed(this.label)
  }

  /** What it offers now. Throws `ToolError`, or the signal's reason. */
  async list(signal: AbortSignal): Promise<readonly McpTool[]> {
    const before = this.#client
    const listing = this.#connected().then((client) =>
      // A connection just made has listed already.
      before ? this.#list(client) : this.#tools,
    )
    return orAborted(listing, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      if (before) void this.#forget()
      this.#failed()
      if (error instanceof ToolError) throw error
      throw new ToolError('unreachable', 'The MCP server cannot be reached.')
    })
  }

  /** Throws `ToolError`, or the signal's reason. */
  async call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<string> {
    this.#calls++
    try {
      return await this.#call(name, args, signal)
    } finally {
      this.#calls--
      if (this.#state === 'retired') this.retire()
    }
  }

  async #call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<string> {
    const client = await this.#connected().catch(() => {
      signal.throwIfAborted()
      throw new ToolError('unreachable', 'The tool cannot be reached.')
    })
    signal.throwIfAborted()
    const answer = await client.callTool({ name, arguments: args }, undefined, { signal }).catch(() => {
      signal.throwIfAborted()
      // What became of the call is not known: it is not made again, the next one connects anew.
      void this.#forget()
      throw new ToolError('unreachable', "The tool's server did not answer.")
    })
    const text = textOf(answer.content)
    if (answer.isError) throw new ToolError('tool', text === '' ? 'The tool failed.' : text)
    return answer.structuredContent && text === '' ? clip(JSON.stringify(answer.structuredContent)) : text
  }

  /** Closes as soon as no call is under way. */
  retire(): void {
    if (this.#state === 'open') this.#state = 'retired'
    if (this.#calls === 0) void this.close()
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#forget()
  }

  async #forget(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.then((one) => one.close()).catch(() => {})
  }

  #connected(): Promise<Client> {
    if (this.#state === 'closed')
      return Promise.reject(new ToolError('unreachable', 'The server is closing.'))
    if (!this.#client) {
      const connecting = this.#connect()
      this.#client = connecting
      connecting.catch(() => {
        if (this.#client === connecting) this.#client = undefined
      })
    }
    return this.#client
  }

  async #connect(): Promise<Client> {
    const { url, timeoutMs, headers } = this.#options
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
    const { StreamableHTTPClientTransport } = await import(
      '@modelcontextprotocol/sdk/client/streamableHttp.js'
    )
    const client = new Client({ name: 'parley', version: '0.1.0' })
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      // An address is the operator's word: nobody else may send us elsewhere. By itself the SDK follows some redirects.
      fetch: (address, init) => fetch(address, { ...init, redirect: 'error' }),
      requestInit: headers ? { headers: headers() } : {},
    })
    client.onclose = () => {
      this.#client = undefined
    }
    try {
      // Its type has optional members that our strict reading of optional members refuses.
      await client.connect(transport as Parameters<Client['connect']>[0], { timeout: timeoutMs })
      await this.#list(client)
    } catch (error) {
      await client.close().catch(() => {})
      throw error
    }
    return client
  }

  async #list(client: Client): Promise<readonly McpTool[]> {
    const { timeoutMs } = this.#options
    const listed: McpTool[] = []
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES && listed.length < MAX_TOOLS; page++) {
      const { tools, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor }, {
        timeout: timeoutMs,
      })
      listed.push(...tools.filter(isOfferable).map(toolOf))
      cursor = nextCursor
      if (cursor === undefined) break
    }
    this.#reach = 'unknown'
    let room = MAX_LIST_CHARS
    this.#tools = listed.slice(0, MAX_TOOLS).filter((tool) => {
      room -= JSON.stringify(tool).length
      return room >= 0
    })
    return this.#tools
  }
}

type Listed = Awaited<ReturnType<Client['listTools']>>['tools'][number]

function isOfferable(tool: Listed): boolean {
  const { name, inputSchema, annotations } = tool
  if (!NAME.test(name)) return false
  const text = JSON.stringify([inputSchema, annotations ?? null])
  return text.length <= MAX_TOOL_CHARS && !isDeeper(inputSchema, MAX_TOOL_DEPTH)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

function toolOf({ name, description, inputSchema, annotations }: Listed): McpTool {
  return {
    name,
    ...(description === undefined ? {} : { description: description.slice(0, 2000) }),
    parameters: inputSchema,
    ...(annotations === undefined ? {} : { annotations }),
  }
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  const texts = content.flatMap((part: unknown) =>
    typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
      ? [part.text]
      : [],
  )
  return clip(texts.join('\n'))
}

function clip(text: string): string {
  return text.length <= MAX_RESULT_CHARS ? text : `${text.slice(0, MAX_RESULT_CHARS)}…`
}
