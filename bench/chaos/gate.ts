/** Before a double's server: refuses upgrades of its own accord, and can close connections as providers do with idle ones. */
import type {
  DoubleAnswer,
  DoublePeer,
  DoubleRequest,
  DoubleServer,
} from '../../src/testing/carrier/sockets.ts'

export class Gate {
  readonly #inner: DoubleServer
  readonly #refusal: (request: DoubleRequest) => DoubleAnswer | undefined
  readonly #peers = new Map<DoublePeer, DoubleRequest>()

  constructor(inner: DoubleServer, refusal: (request: DoubleRequest) => DoubleAnswer | undefined) {
    this.#inner = inner
    this.#refusal = refusal
  }

  readonly server: DoubleServer = (request) => {
    const answer = this.#refusal(request) ?? this.#inner(request)
    if (typeof answer !== 'function') return answer
    return (peer) => {
      this.#peers.set(peer, request)
      const talk = answer(peer)
      return {
        text: (text) => talk.text(text),
        binary: (bytes) => talk.binary(bytes),
        gone: (close) => {
          this.#peers.delete(peer)
          talk.gone(close)
        },
      }
    }
  }

  closeIdle(which: (request: DoubleRequest) => boolean): void {
    for (const [peer, request] of [...this.#peers]) if (which(request)) peer.close(1000, 'idle')
  }
}
