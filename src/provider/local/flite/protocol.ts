/** What the main thread and a flite worker say to each other. */
import type { AudioFormat } from '../../../audio/format.ts'
import type { Utterance } from './synthesise.ts'

export interface FliteWorkerData {
  /** Compiled once for the process and shared by all workers. */
  readonly module: WebAssembly.Module
}

export interface SpeakRequest extends Utterance {
  readonly type: 'speak'
  readonly job: number
  /** Jobs of one answer share a converter, so that clauses join without clicks. */
  readonly answer: number
  readonly pauseMs: number
  readonly format: AudioFormat
}

export type ToWorker = SpeakRequest | { readonly type: 'forget'; readonly answer: number }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'spoken'; readonly job: number; readonly audio: Uint8Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly job: number; readonly message: string }
