/** Starts any double: on a free port of this machine, or in memory, where only the virtual clock makes it wait. */
import type { Dispatcher } from 'undici'
import type { Connect } from '../provider/socket.ts'
import { serveGrpc } from './carrier/grpc.ts'
import { listenerOf } from './carrier/http.ts'
import { MemoryDispatcher } from './carrier/http-memory.ts'
import { connectInMemory, serveDouble } from './carrier/sockets.ts'
import type { Double, ProviderEntry } from './double.ts'

/** A double that listens. */
export interface Started<D extends Double = Double> {
  readonly double: D
  /** `http://127.0.0.1:PORT`; its WebSockets have the same port. */
  readonly url: string
  /** To be put below `providers:`, under any name. */
  readonly settings: ProviderEntry
  /** What a client of the provider's takes as its base URL; '' where settings name none. */
  readonly baseUrl: string
  /** As the double's. */
  readonly sessions: D['sessions']
  readonly mistakes: readonly string[]
  /** Sockets accepted so far: a kept-alive one counts once. */
  readonly connections: number
  /** Breaks what is open, and listens no more. */
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. Rejects with the system's error. */
export async function startDouble<D extends Double>(double: D): Promise<Started<D>> {
  const refuse = () => ({ status: 404 })
  const served = double.grpc
    ? await serveGrpc(double.grpc)
    : await serveDouble(double.server ?? refuse, undefined, double.http && listenerOf(double.http))
  const url = served.url.replace('ws:', 'http:')
  const settings = double.settingsAt(url)
  return {
    double,
    url,
    settings,
    baseUrl: settings.baseUrl ?? '',
    get sessions() {
      return double.sessions
    },
    get mistakes() {
      return double.mistakes
    },
    get connections() {
      return served.connections
    },
    close: () => served.close(),
  }
}

export interface InMemory {
  /** Opens a WebSocket to the double, whatever host the address names. */
  readonly connect: Connect
  /** For undici's `request`, whatever the origin. */
  readonly dispatcher: Dispatcher
  /** Sockets and requests that are open now. */
  readonly open: number
}

export function inMemory({ server, http }: Double): InMemory {
  const sockets = connectInMemory(server ?? (() => ({ status: 404 })))
  const requests = new MemoryDispatcher(
    http ??
      ((_request, answer) => {
        answer.head(404)
        answer.end()
        return () => {}
      }),
  )
  return {
    connect: sockets.connect,
    dispatcher: requests,
    get open() {
      return sockets.open + requests.open
    },
  }
}
