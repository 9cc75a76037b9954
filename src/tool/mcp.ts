/**
 * The tools of one MCP server of the operator's (Model Context Protocol, streamable HTTP), by its official SDK, which is loaded
 * when the first pipeline names one. The connection is made ahead of need and again when it was lost; a call is sent once.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { ToolDefinition } from '../dialect/neutral.ts'
import { ToolError } from '../stage/tools.ts'

export interface McpServerOptions {
  readonly label: string
  readonly url: string
  /** For connecting and for listing. */
  readonly timeoutMs: number
  /** The connection could not be made; never with an answer's content. */
  readonly onFailed: (label: string) => void
}

const MAX_TOOLS = 128
const MAX_RESULT_CHARS = 64 * 1024
const NAME = /^[A-Za-z0-9_-]{1,64}$/

export class McpServer {
  readonly label: string
  readonly #options: McpServerOptions
  #client: Promise<Client> | undefined
  #tools: readonly ToolDefinition[] = []
  #state: 'open' | 'closed' = 'open'

  constructor(options: McpServerOptions) {
    this.label = options.label
    this.#options = options
  }

  /** As listed by the newest connection; empty before there was one. */
  get tools(): readonly ToolDefinition[] {
    return this.#tools
  }

  /** Connects and lists. Never rejects. */
  async prepare(): Promise<void> {
    try {
      await this.#connected()
    } catch {
      if (this.#state === 'open') this.#options.onFailed(this.label)
    }
  }

  /** Throws `ToolError`, or the signal's reason. */
  async call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<string> {
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
    const { url, timeoutMs } = this.#options
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
    const { StreamableHTTPClientTransport } = await import(
      '@modelcontextprotocol/sdk/client/streamableHttp.js'
    )
    const client = new Client({ name: 'parley', version: '0.1.0' })
    // An address is the operator's word: nobody else may send us elsewhere.
    const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { redirect: 'error' } })
    client.onclose = () => {
      this.#client = undefined
    }
    // Its type has optional members that our strict reading of optional members refuses.
    await client.connect(transport as Parameters<Client['connect']>[0], { timeout: timeoutMs })
    const { tools } = await client.listTools(undefined, { timeout: timeoutMs })
    this.#tools = tools
      .filter(({ name }) => NAME.test(name))
      .slice(0, MAX_TOOLS)
      .map(({ name, description, inputSchema }) => ({
        name,
        ...(description === undefined ? {} : { description: description.slice(0, 2000) }),
        parameters: inputSchema,
      }))
    return client
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
