/**
 * Connections of one provider over HTTP, kept alive between requests, and got ready before one that is likely: who is told that a
 * request will come soon looks whether the pool has a connection free for it, and if not dials a spare one, which the request finds.
 * No request is made for that, so nobody counts or bills one.
 */
import { Agent, type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { Clock } from '../clock.ts'
import type { StageName } from '../errors.ts'
import { SPARE_MS, SpareSockets } from './spare-sockets.ts'

export interface ReadyAgentOptions extends Omit<Agent.Options, 'connect' | 'factory' | 'pipelining'> {
  readonly connect: buildConnector.BuildOptions
}

/** Until when a request of each stage is likely. */
type Wanted = Map<StageName, number>

/** Tells what is to come, where the provider's own agent carries it. Never throws. */
export function getReady(dispatcher: Dispatcher, origin: string, stage: StageName): void {
  if (dispatcher instanceof ReadyAgent) dispatcher.ready(origin, stage)
}

export class ReadyAgent extends Agent {
  readonly #clock: Clock
  readonly #spares: SpareSockets
  /** By origin, in the order in which their pool made them, which is the one in which it asks them. */
  readonly #clients: Map<string, Client[]>
  readonly #wanted = new Map<string, Wanted>()

  constructor({ connect, ...options }: ReadyAgentOptions, clock: Clock) {
    const clients = new Map<string, Client[]>()
    const onDemand = (origin: string) => this.#met(origin)
    const spares = new SpareSockets({ clock, connect, onDemand })
    const made = (origin: string, each: Client.Options) => {
      const client: Client = new Client(origin, {
        ...each,
        // undici dials once more after a request that was aborted; where that was the last connection, for nobody: the pool is closed.
        connect: (where, callback) =>
          client.closed ? spares.dial(where, callback) : spares.connect(where, callback),
      })
      clients.set(origin, [...(clients.get(origin) ?? []).filter(isOpen), client])
      // The pool asks it no more.
      client.on('connectionError', () => {
        clients.set(origin, clients.get(origin)?.filter((one) => one !== client) ?? [])
      })
      // It was idle too long, or its request was broken off.
      client.on('disconnect', () => this.#fill(origin))
      return client
    }
    super({
      ...options,
      pipelining: 1,
      factory: (origin, all: Pool.Options) =>
        new Pool(origin, { ...all, factory: (url, each) => made(url.origin, each) }),
    })
    this.#clock = clock
    this.#spares = spares
    this.#clients = clients
  }

  /** A request of this stage will come within seconds. Each stage has one connection that waits for it, so one origin three at most. */
  ready(origin: string, stage: StageName): void {
    if (this.closed || this.destroyed) return
    const wanted: Wanted = this.#wanted.get(origin) ?? new Map()
    this.#wanted.set(origin, wanted.set(stage, this.#clock.now() + SPARE_MS))
    this.#fill(origin)
  }

  override destroy(): Promise<void>
  override destroy(error: Error | null): Promise<void>
  override destroy(callback: () => void): void
  override destroy(error: Error | null, callback: () => void): void
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> | void {
    this.#spares.close()
    return super.destroy(error as Error | null, callback as () => void)
  }

  /** Whose it was is not known, and does not matter: they are counted. */
  #met(origin: string): void {
    const wanted = this.#wanted.get(origin)
    const [first] = wanted?.keys() ?? []
    if (first !== undefined) wanted?.delete(first)
  }

  #fill(origin: string): void {
    const now = this.#clock.now()
    const wanted = [...(this.#wanted.get(origin)?.values() ?? [])].filter((until) => until > now).length
    const missing = wanted - this.#standing(origin, wanted) - this.#spares.count(origin)
    for (let i = 0; i < missing; i++) this.#spares.add(origin)
  }

  /** Of the next so many requests, those which the pool will give to a connection that stands. */
  #standing(origin: string, requests: number): number {
    const free = (this.#clients.get(origin) ?? []).filter(
      (client) => isOpen(client) && client.stats.size === 0,
    )
    return free.slice(0, requests).filter(({ stats }) => stats.connected).length
  }
}

function isOpen({ closed, destroyed }: Client): boolean {
  return !closed && !destroyed
}
