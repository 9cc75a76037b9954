/** A call as data: what the caller does, and when. */

export type PhoneAct =
  /** Sound in the input format, said from then on. */
  | { readonly say: Uint8Array }
  /** One key after the other. */
  | { readonly press: string }
  /** The connection breaks. */
  | { readonly drop: 'line' }
  /** The bridge dials again, for the same call. */
  | { readonly dial: 'again' }
  | { readonly hangUp: 'caller' }
  /** Anything else the bridge might send, sent as it is. */
  | { readonly send: string | Uint8Array }

/** `atMs`: after the call began. */
export type PhoneScript = readonly (PhoneAct & { readonly atMs: number })[]
