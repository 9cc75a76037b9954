/**
 * In place of Google's SDK, so that the adapter speaks to a double in memory and on the virtual clock: what the SDK does with calls
 * (`test/sdks/google-speech.test.ts` holds the real one to the same), without its connections.
 */
import type { CallHearing, RpcCall } from '../../src/provider/call.ts'
import type { GoogleRpc } from '../../src/provider/google-speech/sdk.ts'
import { durationMs, faultOf } from '../../src/provider/google-speech/wire.ts'
import type { GrpcDoubleServer, GrpcPeer } from '../../src/testing/carrier/grpc.ts'
import {
  decode,
  durationOf,
  encode,
  type Fields,
  type Message,
  Undecodable,
} from '../../src/testing/carrier/protobuf.ts'
import { RECOGNIZE, RECOGNIZE_REQUEST, RECOGNIZE_RESPONSE } from '../../src/testing/stt/google-messages.ts'
import { SYNTHESIZE, SYNTHESIZE_REQUEST, SYNTHESIZE_RESPONSE } from '../../src/testing/tts/google-messages.ts'

interface Method {
  readonly path: string
  readonly request: Message
  readonly response: Message
}

const METHODS: Readonly<Record<'recognise' | 'synthesise', Method>> = {
  recognise: { path: RECOGNIZE, request: RECOGNIZE_REQUEST, response: RECOGNIZE_RESPONSE },
  synthesise: { path: SYNTHESIZE, request: SYNTHESIZE_REQUEST, response: SYNTHESIZE_RESPONSE },
}
const UNAVAILABLE = 14
const INTERNAL = 13
const UNIMPLEMENTED = 12

export class GoogleInMemory implements GoogleRpc {
  readonly #double: GrpcDoubleServer
  readonly #method: Method
  /** Calls by what ends them, and openings that hang. */
  readonly #calls = new Map<object, (code: number) => void>()

  constructor(double: GrpcDoubleServer, method: keyof typeof METHODS) {
    this.#double = double
    this.#method = METHODS[method]
  }

  get open(): number {
    return this.#calls.size
  }

  ready(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#double.connects() === 'open') return Promise.resolve()
    this.#calls.set(signal, () => {})
    return new Promise((_resolve, reject) => {
      const end = () => {
        this.#calls.delete(signal)
        reject(signal.reason)
      }
      signal.addEventListener('abort', end, { once: true })
    })
  }

  call(hearing: CallHearing): RpcCall {
    const { path, request, response } = this.#method
    const id = {}
    const over = () => {
      if (!this.#calls.delete(id)) return false
      talk?.gone()
      return true
    }
    const fail: GrpcPeer['fail'] = (code, { reason, retryAfterMs } = {}) => {
      const waitMs = retryAfterMs === undefined ? undefined : durationMs(durationOf(retryAfterMs))
      if (over()) hearing.failed(faultOf({ code, reason }, waitMs))
    }
    this.#calls.set(id, fail)
    const talk = this.#double.call(path, {
      send: (bytes) => {
        if (!this.#calls.has(id)) return
        try {
          hearing.message(decode(response, bytes))
        } catch (error) {
          if (!(error instanceof Undecodable)) throw error
          fail(INTERNAL)
        }
      },
      end: () => {
        if (over()) hearing.ended()
      },
      fail,
      drop: () => {
        for (const end of [...this.#calls.values()]) end(UNAVAILABLE)
      },
    })
    const carry = (act: () => void) =>
      queueMicrotask(() => {
        if (this.#calls.has(id)) act()
      })
    if (!talk) carry(() => fail(UNIMPLEMENTED))
    return {
      write: (message, taken) =>
        carry(() => {
          taken()
          talk?.message(encode(request, message as Fields))
        }),
      end: () => carry(() => talk?.finished()),
      cancel: () => void over(),
    }
  }

  async project(): Promise<string> {
    return 'of-the-credentials'
  }

  async close(): Promise<void> {}
}
