/** The model's double over HTTP on a free port, and in memory behind a dispatcher of undici's. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Dispatcher, errors } from 'undici'
import type { ChatDouble } from './model.ts'

export async function serveModel(
  double: ChatDouble,
): Promise<{ readonly baseUrl: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const gone = double.answer(
      JSON.parse(Buffer.concat(chunks).toString()),
      request.headers as Record<string, string | undefined>,
      {
        head: (status, headers) => void response.writeHead(status, headers),
        write: (text) => void response.write(text),
        end: () => void response.end(),
        drop: () => void response.destroy(),
      },
    )
    response.on('error', () => {})
    response.on('close', () => !response.writableFinished && gone())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A network with one server. `request` of undici 7 speaks to its dispatcher by the older names of the handler's methods. */
export class MemoryDispatcher extends Dispatcher {
  readonly #double: ChatDouble

  constructor(double: ChatDouble) {
    super()
    this.#double = double
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    let state: 'open' | 'over' = 'open'
    let gone = () => {}
    const fail = (error?: Error) => {
      if (state === 'over') return
      state = 'over'
      gone()
      handler.onError?.(error ?? new errors.RequestAbortedError())
    }
    handler.onConnect?.(fail)
    if ((state as string) === 'over') return true
    const ifOpen = (act: () => void) => {
      if (state === 'open') act()
    }
    gone = this.#double.answer(JSON.parse(String(options.body)), options.headers as Record<string, string>, {
      head: (status, headers) =>
        ifOpen(() => {
          const raw = Object.entries(headers).flatMap((pair) => pair.map((text) => Buffer.from(text)))
          handler.onHeaders?.(status, raw, () => {}, '')
        }),
      // A reader who is behind is not waited for: what it has not read it holds.
      write: (text) => ifOpen(() => handler.onData?.(Buffer.from(text))),
      end: () =>
        ifOpen(() => {
          state = 'over'
          handler.onComplete?.([])
        }),
      drop: () => fail(Object.assign(new Error('dropped'), { code: 'ECONNRESET' })),
    })
    return true
  }

  override async destroy(): Promise<void> {}
  override async close(): Promise<void> {}
}
