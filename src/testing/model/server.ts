/** What every double of a model's HTTP server has in common: a loopback server that remembers what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface DoubleRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** As it came. */
  readonly bytes: Buffer
  /** Parsed; an empty object where it is no JSON object. */
  readonly body: Record<string, unknown>
  /** Resolves when the connection of this request closed; true when the client closed it before the answer's end. */
  readonly closed: Promise<boolean>
}

export interface ModelDouble {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly requests: readonly DoubleRequest[]
  /** Sockets accepted so far: a kept-alive connection counts once. */
  readonly connections: number
  close(): Promise<void>
}

export async function startModelDouble(
  serve: (request: DoubleRequest, response: ServerResponse) => void,
): Promise<ModelDouble> {
  const requests: DoubleRequest[] = []
  let connections = 0
  const server = createServer((request, response) => {
    void bytesOf(request).then((bytes) => {
      const closed = new Promise<boolean>((resolve) => {
        response.on('close', () => resolve(!response.writableFinished))
      })
      const { method = '', url = '', headers } = request
      const received = { method, url, headers, bytes, body: parsed(bytes), closed }
      requests.push(received)
      serve(received, response)
    })
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function parsed(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Members that `known` does not name, as sentences. */
export function unknownMembers(value: unknown, at: string, known: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} must be an object`]
  return Object.keys(value).flatMap((name) =>
    known.includes(name) ? [] : [`unknown name "${name}" at '${at}'`],
  )
}
