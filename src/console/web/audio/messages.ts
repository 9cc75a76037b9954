/** What the page and its two audio threads say to each other. */

/** From the microphone's thread: 20 ms of PCM16 at the wire's rate. */
export interface Captured {
  readonly samples: Int16Array<ArrayBuffer>
  /** 0…1, see `levelOf`. */
  readonly level: number
}

export type ToPlayback =
  | { readonly type: 'push'; readonly itemId: string; readonly samples: Int16Array<ArrayBuffer> }
  | { readonly type: 'end'; readonly itemId: string }
  | { readonly type: 'clear' }

export interface PlayedItem {
  readonly itemId: string
  readonly playedMs: number
}

export type FromPlayback =
  | { readonly type: 'progress'; readonly item: PlayedItem | null; readonly level: number }
  | { readonly type: 'finished'; readonly item: PlayedItem }
  /** Answers each `clear`, in order: the items that were cut. */
  | { readonly type: 'cleared'; readonly cuts: readonly PlayedItem[] }
  | { readonly type: 'full'; readonly itemId: string }
