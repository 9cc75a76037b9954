/** From an address to a stream that takes audio, within the time a voice turn has for that. */
import type { AudioFormat } from '../audio/format.ts'
import { orAborted } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { dial } from './dial.ts'
import type { Protocol } from './protocol.ts'
import { Recognition } from './recognition.ts'
import type { Connect } from './socket.ts'

export interface OpenOptions {
  readonly provider: string
  readonly protocol: Protocol
  readonly connect: Connect
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly format: AudioFormat
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Time of the clock by which it must be open; left out: `CONNECT_MS` from now. */
  readonly until?: number
  /** The provider speaks first: what it has against us, it says before the stream is there. */
  readonly greeting?: 'awaited'
}

/** Name, TCP, TLS, upgrade and greeting together. */
export const CONNECT_MS = 1_500

/** Throws `ProviderError`, or the signal's reason. */
export async function openRecognition(options: OpenOptions): Promise<Recognition> {
  const { provider, protocol, connect, url, headers, format, signal, clock, greeting } = options
  const until = options.until ?? clock.now() + CONNECT_MS
  const call = {
    connect,
    url,
    headers,
    provider,
    stage: 'stt',
    signal,
    clock,
    connectMs: Math.max(1, Math.round(until - clock.now())),
  } as const
  const socket = await dial(call)
  const stream = new Recognition({ provider, protocol, socket, format, clock, signal })
  if (greeting === undefined) return stream
  const timer = clock.setTimer(until - clock.now(), () => {
    stream.fail('timeout', `no greeting within ${CONNECT_MS} ms`)
  })
  try {
    await orAborted(stream.ready, signal)
    return stream
  } finally {
    timer.cancel()
  }
}
