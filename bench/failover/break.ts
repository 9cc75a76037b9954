/** The one fault of a conversation, and when it strikes. */

/** As every double of speech knows them. */
export const FAULTS = [
  'drop_mid_stream',
  'close_clean_early',
  'malformed_json',
  'error_without_context',
  'silent_after_ms',
] as const
export type FaultName = (typeof FAULTS)[number]

export class Break {
  /** Null: none ever strikes. */
  readonly #fault: FaultName | null
  #who: object | undefined
  /** The turn that is to break is being told. */
  armed = false

  constructor(fault: FaultName | null) {
    this.#fault = fault
  }

  get struck(): boolean {
    return this.#who !== undefined
  }

  /** Its fault, if it is this one's: that of the first connection, or request, that asks while it is armed. */
  of(who: object): FaultName | undefined {
    if (this.#fault === null) return undefined
    if (this.armed) this.#who ??= who
    return this.#who === who ? this.#fault : undefined
  }
}
