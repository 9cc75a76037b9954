/**
 * The memory that the main thread and the VAD worker share: one exchange of up to 64 windows. The main thread
 * fills it while the worker is idle and rings; the worker fills in the probabilities and answers with one
 * message. Nobody writes while the other reads.
 */
import { VAD_WINDOW_SAMPLES } from '../../../listen/vad.ts'

/** Windows in one exchange: 64 are about 5 ms of work, so a new arrival waits no longer than that. */
export const EXCHANGE_WINDOWS = 64

export interface Exchange {
  /** [0] bell: incremented per exchange; [1] stop flag; [2] windows in this exchange. */
  readonly control: Int32Array
  /** Of each window: the slot whose state it continues. Windows of one slot are in order. */
  readonly slots: Int32Array
  /** 1: forget the slot's state before this window. */
  readonly fresh: Uint8Array
  readonly samples: Int16Array
  readonly probabilities: Float32Array
}

export const BELL = 0
export const STOP = 1
export const COUNT = 2

export interface ExchangeBuffers {
  readonly control: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
  readonly fresh: SharedArrayBuffer
  readonly samples: SharedArrayBuffer
  readonly probabilities: SharedArrayBuffer
}

export function allocateExchange(): ExchangeBuffers {
  return {
    control: new SharedArrayBuffer(3 * 4),
    slots: new SharedArrayBuffer(EXCHANGE_WINDOWS * 4),
    fresh: new SharedArrayBuffer(EXCHANGE_WINDOWS),
    samples: new SharedArrayBuffer(EXCHANGE_WINDOWS * VAD_WINDOW_SAMPLES * 2),
    probabilities: new SharedArrayBuffer(EXCHANGE_WINDOWS * 4),
  }
}

export function viewExchange(buffers: ExchangeBuffers): Exchange {
  return {
    control: new Int32Array(buffers.control),
    slots: new Int32Array(buffers.slots),
    fresh: new Uint8Array(buffers.fresh),
    samples: new Int16Array(buffers.samples),
    probabilities: new Float32Array(buffers.probabilities),
  }
}

export interface VadWorkerData {
  readonly model: string
  readonly exchange: ExchangeBuffers
}

export type VadWorkerMessage = { readonly type: 'done' }
