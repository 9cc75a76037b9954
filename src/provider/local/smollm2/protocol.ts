/** What the main thread and the language-model worker say to each other. */
import type { ModelUsage } from '../../../dialect/neutral.ts'
import type { ChatTurn } from './prompt.ts'

export interface SmolWorkerData {
  /** Absolute path of node-llama-cpp's module. */
  readonly runtime: string
  /** Absolute path of the GGUF file. */
  readonly model: string
  readonly threads: number
  /** Answers generated side by side; each keeps the last conversation it saw, so that a next turn is quick. */
  readonly sequences: number
  readonly contextTokens: number
}

export type ToSmol =
  | {
      readonly type: 'generate'
      readonly job: number
      readonly turns: readonly ChatTurn[]
      readonly maxTokens: number
      readonly temperature: number
    }
  | { readonly type: 'cancel'; readonly job: number }
  | { readonly type: 'stop' }

export type FromSmol =
  | { readonly type: 'ready' }
  | { readonly type: 'text'; readonly job: number; readonly text: string }
  /** Last of each job, a cancelled one too: its sequence is free. */
  | {
      readonly type: 'done'
      readonly job: number
      readonly reason: 'stop' | 'length' | 'cancelled'
      readonly usage: ModelUsage
    }
  | { readonly type: 'failed'; readonly job: number; readonly message: string }
