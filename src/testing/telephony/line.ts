/**
 * The line between a double of a telephone bridge and the server it calls: what is sent, what is heard, how it ends. The same
 * whatever carries it; here in memory, where a message is there as soon as promises settle.
 */

/** A string is a text message. */
export type LineMessage = string | Uint8Array

export interface LineClose {
  /** 1006: it broke, or was refused. */
  readonly code: number
  readonly reason: string
  /** Of the answer to an upgrade that was refused. */
  readonly status?: number
}

export interface Line {
  send(message: LineMessage): void
  close(code?: number, reason?: string): void
  /** The connection breaks: the other side sees 1006. */
  drop(): void
}

/** One side's ears. `closed` comes once, whoever ended it. */
export interface LineEars {
  /** `protocol`: the subprotocol agreed on, or empty. */
  open?(protocol: string): void
  message(message: LineMessage): void
  closed(close: LineClose): void
}

export interface LineRequest {
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** WebSocket subprotocols asked for. */
  readonly protocols: readonly string[]
}

/** Opens a line. What is sent before `open` waits for it. */
export type Dial = (request: LineRequest, ears: LineEars) => Line

/** A server takes the call, or refuses the upgrade by a status. `protocol`: which of those asked for it chose. */
export type Pickup = (
  caller: Line,
  request: LineRequest,
) => (LineEars & { readonly protocol?: string }) | { readonly status: number }

export function dialInMemory(pickup: Pickup): Dial {
  return (request, ears) => {
    const line = new MemoryLine()
    const answer = pickup(line.toCaller, request)
    line.callerEars = ears
    if ('status' in answer) {
      line.later(() => line.end({ code: 1006, reason: '', status: answer.status }))
      return line.toServer
    }
    line.serverEars = answer
    line.later(() => {
      answer.open?.(answer.protocol ?? '')
      ears.open?.(answer.protocol ?? '')
    })
    return line.toServer
  }
}

class MemoryLine {
  callerEars: LineEars | undefined
  serverEars: LineEars | undefined
  readonly toServer = this.#lineTo(() => this.serverEars)
  readonly toCaller = this.#lineTo(() => this.callerEars)
  #over = false

  /** In order, each after what was sent before it. */
  later(act: () => void): void {
    queueMicrotask(() => {
      if (!this.#over) act()
    })
  }

  end(close: LineClose): void {
    if (this.#over) return
    this.#over = true
    this.callerEars?.closed(close)
    this.serverEars?.closed(close)
  }

  #lineTo(ears: () => LineEars | undefined): Line {
    return {
      send: (message) => {
        const copy = typeof message === 'string' ? message : message.slice()
        this.later(() => ears()?.message(copy))
      },
      close: (code = 1000, reason = '') => this.later(() => this.end({ code, reason })),
      drop: () => this.end({ code: 1006, reason: '' }),
    }
  }
}
