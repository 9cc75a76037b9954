/** What the main thread and the Smart Turn worker say to each other. */
export interface SmartTurnWorkerData {
  /** Path of the ONNX file. */
  readonly model: string
}

export type ToSmartTurn =
  | { readonly type: 'judge'; readonly job: number; readonly samples: Int16Array }
  | { readonly type: 'stop' }

export type FromSmartTurn =
  | {
      readonly type: 'judged'
      readonly job: number
      readonly probability: number
      /** What it cost, in the worker. */
      readonly featuresMs: number
      readonly inferenceMs: number
    }
  | { readonly type: 'failed'; readonly job: number; readonly message: string }
