/** One call as the bridge's REST interface has it: what we may ask of it, each within a time limit. */
import { openScope } from '../../../cancel.ts'
import type { Clock } from '../../../clock.ts'
import type { CallControl } from '../bridge.ts'
import type { CallActs } from './tools.ts'

/** A bridge that takes longer does not do it. */
const ANSWER_MS = 10_000
/** The caller hears nothing more meanwhile. */
const HANG_UP_MS = 3_000

export class FarCall {
  readonly #control: CallControl
  readonly #callId: string
  readonly #clock: Clock

  constructor(control: CallControl, callId: string, clock: Clock) {
    this.#control = control
    this.#callId = callId
    this.#clock = clock
  }

  hangUp(): Promise<void> {
    return this.#within(HANG_UP_MS, (signal) => this.#control.hangUp(this.#callId, signal))
  }

  /** What of it the model may be given. */
  get acts(): Pick<CallActs, 'transfer' | 'sendDigits'> {
    const control = this.#control
    return {
      ...(control.transfer && {
        transfer: (to: string) =>
          this.#within(ANSWER_MS, async (signal) => control.transfer?.(this.#callId, to, signal)),
      }),
      ...(control.sendDigits && {
        sendDigits: (digits: string) =>
          this.#within(ANSWER_MS, async (signal) => control.sendDigits?.(this.#callId, digits, signal)),
      }),
    }
  }

  async #within(ms: number, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const scope = openScope()
    const timer = this.#clock.setTimer(ms, () => scope.cancel('deadline'))
    try {
      await act(scope.signal)
    } finally {
      timer.cancel()
      scope.release()
    }
  }
}
