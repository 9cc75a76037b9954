/** A real MCP server on loopback, made with the protocol's own SDK: a session for each client, and a word on what it was sent. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'

export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

export async function listenOn(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listening> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

export interface Crm extends Listening {
  /** Telephone numbers that were looked for, and customers that were erased. */
  readonly calls: string[]
  /** Of each request that began a session. */
  readonly hellos: IncomingHttpHeaders[]
  /** Of each request. */
  readonly headers: IncomingHttpHeaders[]
}

export async function startCrm(): Promise<Crm> {
  const calls: string[] = []
  const hellos: IncomingHttpHeaders[] = []
  const headers: IncomingHttpHeaders[] = []
  const open = new Map<string, StreamableHTTPServerTransport>()
  const listening = await listenOn(async (request, response) => {
    const text = await bodyOf(request)
    headers.push(request.headers)
    const known = open.get(String(request.headers['mcp-session-id']))
    if (known) return known.handleRequest(request, response, text === '' ? undefined : JSON.parse(text))
    hellos.push(request.headers)
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => `session-${open.size + 1}`,
      onsessioninitialized: (id) => void open.set(id, transport),
    })
    await crm(calls).connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(request, response, JSON.parse(text))
  })
  return { ...listening, calls, hellos, headers }
}

function crm(calls: string[]): McpServer {
  const server = new McpServer({ name: 'crm', version: '1' })
  server.registerTool(
    'find_customer',
    {
      description: 'Finds one.',
      inputSchema: { phone: z.string() },
      annotations: { readOnlyHint: true },
    },
    async ({ phone }) => {
      calls.push(phone)
      return { content: [{ type: 'text', text: `Ada, ${phone}` }] }
    },
  )
  server.registerTool('broken', { description: 'Fails.' }, async () => ({
    isError: true,
    content: [{ type: 'text', text: 'No such customer.' }],
  }))
  return server
}
