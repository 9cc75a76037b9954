/**
 * What the main thread and a Moonshine worker say to each other. Audio goes through one shared slot a worker,
 * written while that worker is idle.
 */
/** The longest piece recognised at once: Moonshine gets worse and dearer beyond. 12 s at 16 kHz. */
export const SLOT_SAMPLES = 192_000

export interface MoonshineWorkerData {
  readonly encoder: string
  readonly decoder: string
  readonly size: 'tiny' | 'base'
  /** Int16, `SLOT_SAMPLES`. */
  readonly audio: SharedArrayBuffer
  /** Int32: the id of a job to give up, read between decoding steps. */
  readonly cancelled: SharedArrayBuffer
}

export type ToWorker =
  | { readonly type: 'recognise'; readonly id: number; readonly samples: number }
  | { readonly type: 'stop' }

export type FromWorker =
  | { readonly type: 'text'; readonly id: number; readonly text: string; readonly confidence: number }
  /** It was cancelled. */
  | { readonly type: 'given-up'; readonly id: number }
  /** This audio could not be recognised; the worker is well. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
