/** One answer of the model on one sequence: the prompt in interruptible steps, then token by token. */
import type { ModelUsage } from '../../../dialect/neutral.ts'
import type { LlamaModel, LlamaSequence, SampleOptions, Token } from './llama.ts'
import { TextPieces } from './pieces.ts'
import { type ChatTurn, promptOf } from './prompt.ts'

/** About 100 ms of one core: how long a cancel may wait while a prompt is read. */
const STEP_TOKENS = 64
const TOP_K = 40
const TOP_P = 0.9
/** A model this small repeats itself without it. */
const REPEAT_PENALTY = 1.15
const PENALISED_TOKENS = 64
/**
 * What it says beyond two sentences is rambling, whatever its instructions ask for, and a caller has to sit through
 * it: asked for one or two short sentences, its first two answers tried took 10 and 18 s to say.
 */
const MAX_SENTENCES = 2
const SENTENCE_END = /[.!?…]["')\]]?(?=\s)/g

export interface GenerationRequest {
  readonly turns: readonly ChatTurn[]
  readonly maxTokens: number
  readonly temperature: number
}

export class Generation {
  readonly #model: LlamaModel
  readonly #request: GenerationRequest
  readonly #prompt: readonly Token[]
  #cached = 0
  #made: Token[] = []
  #cancelled = false
  #reason: 'stop' | 'length' = 'stop'

  constructor(model: LlamaModel, request: GenerationRequest, contextTokens: number) {
    this.#model = model
    this.#request = request
    const tokenizer = {
      text: (text: string) => model.tokenize(text, false),
      mark: (text: string) => model.tokenize(text, true),
    }
    this.#prompt = promptOf(request.turns, tokenizer, contextTokens - request.maxTokens - 1)
  }

  get reason(): 'stop' | 'length' | 'cancelled' {
    return this.#cancelled ? 'cancelled' : this.#reason
  }

  get usage(): ModelUsage {
    return { inputTokens: this.#prompt.length, outputTokens: this.#made.length, cachedTokens: this.#cached }
  }

  cancel(): void {
    this.#cancelled = true
  }

  /** Tokens of the prompt that `sequence` need not read again. */
  sharedWith(sequence: LlamaSequence): number {
    return sequence.compareContextTokens(this.#prompt).firstDifferentIndex
  }

  async *run(sequence: LlamaSequence): AsyncGenerator<string> {
    // The last token must be evaluated anew, since what follows it is what we ask for.
    await sequence.adaptStateToTokens(this.#prompt.slice(0, -1), false)
    this.#cached = sequence.nextTokenIndex
    let at = this.#cached
    for (; this.#prompt.length - at > STEP_TOKENS; at += STEP_TOKENS) {
      if (this.#cancelled) return
      await sequence.evaluateWithoutGeneratingNewTokens(this.#prompt.slice(at, at + STEP_TOKENS))
    }
    const pieces = new TextPieces<Token>((tokens, before) => this.#model.detokenize(tokens, false, before))
    let said = ''
    for await (const token of sequence.evaluate(this.#prompt.slice(at), this.#sampling())) {
      if (this.#cancelled) return
      this.#made.push(token)
      const text = pieces.push(token)
      said += text
      if (text !== '') {
        // The sign that a sentence is over is the space before the next.
        if ((said.match(SENTENCE_END)?.length ?? 0) >= MAX_SENTENCES) return
        yield text
      }
      if (this.#made.length >= this.#request.maxTokens) {
        this.#reason = 'length'
        return
      }
    }
  }

  #sampling(): SampleOptions {
    return {
      temperature: this.#request.temperature,
      topK: TOP_K,
      topP: TOP_P,
      repeatPenalty: {
        punishTokens: () => this.#made.slice(-PENALISED_TOKENS),
        penalty: REPEAT_PENALTY,
        penalizeNewLine: false,
      },
    }
  }
}
