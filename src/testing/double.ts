/** What every double is: what it answers, how settings name it, what it was asked and what it held against its clients. */
import type { GrpcDoubleServer } from './carrier/grpc.ts'
import type { HttpDoubleServer } from './carrier/http.ts'
import type { DoubleServer } from './carrier/sockets.ts'

/** An entry below `providers:` of `parley.yaml`. */
export interface ProviderEntry {
  readonly type: string
  readonly apiKey?: string
  readonly baseUrl?: string
  readonly [option: string]: unknown
}

export interface Double {
  /** Of WebSockets. */
  readonly server?: DoubleServer
  /** Of requests. */
  readonly http?: HttpDoubleServer
  /** Of gRPC calls; then of nothing else. */
  readonly grpc?: GrpcDoubleServer
  /** The entry that leads to it; `url` is `http://127.0.0.1:PORT`, without a slash at the end. */
  settingsAt(url: string): ProviderEntry
  /** One for each connection or request that it took, in order. */
  readonly sessions: readonly object[]
  /** What it held against its clients, a sentence each. Empty: all that it heard was as the provider's documents have it. */
  readonly mistakes: readonly string[]
}
