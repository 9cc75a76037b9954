/**
 * Spare sockets by origin. undici has no call that only connects, but it takes the function that connects: this one hands out a
 * socket that stands ready, or whose dial is under way, and dials where there is none. Read in the code of undici 7.30: a request
 * that finds no free connection calls `connect(where, callback)`, and the callback must not be called before that returns.
 */
import { buildConnector } from 'undici'
import type { Clock, Timer } from '../clock.ts'
import { SpareSocket } from './spare-socket.ts'

/**
 * Servers hang up on whoever asks nothing: Apache's default after 20 s, nginx's and Node's after 60. A request on a socket that is
 * being closed fails, so it is not kept as long as that.
 */
export const SPARE_MS = 15_000
/** After one that failed, or that the server hung up on. */
const REST_MS = 10_000

export interface SpareSocketsOptions {
  readonly clock: Clock
  /** How undici connects: time-outs, certificates. */
  readonly connect: buildConnector.BuildOptions
  /** A request connects, by a spare or without. */
  readonly onDemand: (origin: string) => void
}

export class SpareSockets {
  readonly #options: SpareSocketsOptions
  /** As undici does of its own accord. */
  readonly dial: buildConnector.connector
  /** Oldest first. */
  readonly #spares = new Map<string, Map<SpareSocket, Timer>>()
  readonly #restUntil = new Map<string, number>()
  #closed = false

  constructor(options: SpareSocketsOptions) {
    this.#options = options
    this.dial = buildConnector(options.connect)
  }

  count(origin: string): number {
    return this.#spares.get(origin)?.size ?? 0
  }

  /** What undici connects by. */
  readonly connect: buildConnector.connector = (where, callback) => {
    const origin = `${where.protocol}//${where.host}`
    this.#options.onDemand(origin)
    // One that was asked to be somebody else's server shook hands as such.
    const isPlain = !where.servername || where.servername === where.hostname
    const spare = isPlain ? this.#take(origin) : undefined
    if (spare) return spare.hand(callback)
    return this.dial(where, callback)
  }

  /** One more. When it fails nobody is told: whoever needs a connection then finds out. */
  add(origin: string): void {
    const { clock } = this.#options
    if (this.#closed || clock.now() < (this.#restUntil.get(origin) ?? 0)) return
    const spare = new SpareSocket(
      (callback) => this.dial(placeOf(origin), callback),
      () => {
        this.#restUntil.set(origin, clock.now() + REST_MS)
        this.#forget(origin, spare)
      },
    )
    const timer = clock.setTimer(SPARE_MS, () => {
      this.#forget(origin, spare)
      spare.drop()
    })
    const spares = this.#spares.get(origin) ?? new Map<SpareSocket, Timer>()
    this.#spares.set(origin, spares.set(spare, timer))
  }

  /** Drops all; from now on there are none. Idempotent. */
  close(): void {
    this.#closed = true
    for (const [origin, spares] of this.#spares) {
      for (const spare of [...spares.keys()]) {
        this.#forget(origin, spare)
        spare.drop()
      }
    }
  }

  /** One that stands, else one that is coming. */
  #take(origin: string): SpareSocket | undefined {
    const all = [...(this.#spares.get(origin)?.keys() ?? [])]
    for (const spare of all.filter(({ isFit }) => !isFit)) {
      this.#forget(origin, spare)
      spare.drop()
    }
    const fit = all.filter(({ isFit }) => isFit)
    const taken = fit.find(({ isReady }) => isReady) ?? fit[0]
    if (taken) this.#forget(origin, taken)
    return taken
  }

  #forget(origin: string, spare: SpareSocket): void {
    const spares = this.#spares.get(origin)
    spares?.get(spare)?.cancel()
    spares?.delete(spare)
  }
}

/** As undici asks for it. */
function placeOf(origin: string): buildConnector.Options {
  const { protocol, host, hostname, port } = new URL(origin)
  return { protocol, host, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port }
}
