/**
 * The part of node-llama-cpp 3.21 that we use. It is an optional part in the model cache and no dependency, so
 * its own types cannot be imported.
 */
export type Token = number & { readonly __token: true }

export interface LlamaModule {
  getLlama(options: {
    readonly gpu: false
    readonly build: 'never'
    readonly skipDownload: true
    readonly progressLogs: false
    readonly maxThreads: number
    readonly logger: (level: string, message: string) => void
  }): Promise<Llama>
}

export interface Llama {
  loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>
  dispose(): Promise<void>
}

export interface LlamaModel {
  readonly trainContextSize: number
  /** `specialTokens` true reads `<|im_start|>` as the token; false reads it as text. */
  tokenize(text: string, specialTokens: boolean): Token[]
  detokenize(tokens: readonly Token[], specialTokens: boolean, lastTokens?: readonly Token[]): string
  createContext(options: {
    /** Tokens a sequence. */
    readonly contextSize: number
    readonly sequences: number
    readonly batchSize: number
    readonly threads: { readonly ideal: number; readonly min: number }
  }): Promise<LlamaContext>
}

export interface LlamaContext {
  getSequence(): LlamaSequence
}

export interface LlamaSequence {
  readonly nextTokenIndex: number
  compareContextTokens(tokens: readonly Token[]): { readonly firstDifferentIndex: number }
  /** Drops what does not agree with `tokens`; `nextTokenIndex` then says how many of them are evaluated already. */
  adaptStateToTokens(tokens: readonly Token[], allowShift: boolean): Promise<void>
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void>
  evaluate(tokens: readonly Token[], options: SampleOptions): AsyncGenerator<Token, void, undefined>
}

export interface SampleOptions {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly repeatPenalty: {
    readonly punishTokens: () => Token[]
    readonly penalty: number
    readonly penalizeNewLine: false
  }
}
