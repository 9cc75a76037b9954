/**
 * The one path for all bridges, for those who cannot say which: at most two messages tell. Signatures are of a bridge's own path,
 * so here a stream proves itself as that bridge, or by a token.
 *
 *     first messages ─► whose start is it? ─► admit ─► Link, which reads them again
 */
import type { Clock, Timer } from '../../../clock.ts'
import { asFields, type Fields, MAX_MESSAGE_BYTES } from '../bridges/message.ts'
import type { Line, Lines } from '../lines.ts'

export interface DetectOptions {
  readonly lines: Lines
  readonly clock: Clock
  /** What was read is handed on. */
  readonly found: (line: Line, messages: readonly Buffer[]) => void
  readonly failed: () => void
}

/** Twilio and Telnyx send `connected` before `start`. */
const MAX_MESSAGES = 2
const WAIT_MS = 10_000

export class Detector {
  readonly #options: DetectOptions
  readonly #messages: Buffer[] = []
  readonly #timer: Timer
  #over = false

  constructor(options: DetectOptions) {
    this.#options = options
    this.#timer = options.clock.setTimer(WAIT_MS, () => this.#fail())
  }

  message(message: Buffer, kind: 'text' | 'binary'): void {
    if (this.#over) return
    if (kind === 'binary' || message.length > MAX_MESSAGE_BYTES) return this.#fail()
    this.#messages.push(message)
    const fields = fieldsIn(message)
    const line = fields && [...this.#options.lines.values()].find(({ bridge }) => bridge.recognises(fields))
    if (line) {
      this.close()
      return this.#options.found(line, this.#messages)
    }
    if (this.#messages.length >= MAX_MESSAGES) this.#fail()
  }

  /** Nothing is told any more. */
  close(): void {
    this.#over = true
    this.#timer.cancel()
  }

  #fail(): void {
    if (this.#over) return
    this.close()
    this.#options.failed()
  }
}

function fieldsIn(message: Buffer): Fields | undefined {
  try {
    return asFields(JSON.parse(message.toString('utf8')))
  } catch {
    return undefined
  }
}
