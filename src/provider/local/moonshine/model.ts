/**
 * Moonshine on onnxruntime: raw 16 kHz audio through the encoder once, then greedy decoding with the keys and
 * values of earlier steps kept. Runs in a worker only: a run blocks its thread.
 *
 * Facts from the model files themselves: encoder `input_values` [1, samples] → `last_hidden_state`; decoder
 * `input_ids`, `encoder_hidden_states`, `use_cache_branch`, `past_key_values.N.{decoder,encoder}.{key,value}` →
 * `logits` [1, 1, 32768], `present.…`. Tokens are Llama's; 1 begins, 2 ends.
 */
import llamaTokenizer from 'llama-tokenizer-js'
import { InferenceSession, Tensor } from 'onnxruntime-node'

export interface MoonshineShape {
  readonly layers: number
  readonly heads: number
  readonly headSize: number
}

export const SHAPES: Readonly<Record<'tiny' | 'base', MoonshineShape>> = {
  tiny: { layers: 6, heads: 8, headSize: 36 },
  base: { layers: 8, heads: 8, headSize: 52 },
}

/** Its authors' figure: nobody speaks more than 6 tokens a second, so more is a hallucination. */
const TOKENS_PER_SECOND = 6
const SAMPLE_RATE_HZ = 16_000
const BEGIN = 1
const END = 2

export interface Recognition {
  readonly text: string
  /** Mean probability of the tokens taken, 0…1; 1 for none. */
  readonly confidence: number
}

export class MoonshineModel {
  readonly #past: readonly string[]
  readonly #emptyPast: Readonly<Record<string, Tensor>>

  private constructor(
    private readonly encoder: InferenceSession,
    private readonly decoder: InferenceSession,
    shape: MoonshineShape,
  ) {
    this.#past = Array.from({ length: shape.layers }, (_, layer) =>
      ['decoder', 'encoder'].flatMap((part) => ['key', 'value'].map((kind) => `${layer}.${part}.${kind}`)),
    ).flat()
    this.#emptyPast = Object.fromEntries(
      this.#past.map((name) => [
        `past_key_values.${name}`,
        new Tensor('float32', new Float32Array(0), [0, shape.heads, 1, shape.headSize]),
      ]),
    )
  }

  /** One thread each: two doubled the work and were slower up to 6 s of audio. */
  static async load(
    encoderPath: string,
    decoderPath: string,
    shape: MoonshineShape,
  ): Promise<MoonshineModel> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    }
    const encoder = await InferenceSession.create(encoderPath, options)
    const decoder = await InferenceSession.create(decoderPath, options)
    return new MoonshineModel(encoder, decoder, shape)
  }

  /** `audio` in −1…1. Undefined when `stopped` turned true between two steps. */
  async recognise(audio: Float32Array, stopped: () => boolean): Promise<Recognition | undefined> {
    const encoded = await this.encoder.run({ input_values: new Tensor('float32', audio, [1, audio.length]) })
    const hidden = encoded['last_hidden_state']!
    const maxTokens = Math.max(4, Math.ceil((audio.length / SAMPLE_RATE_HZ) * TOKENS_PER_SECOND))
    const tokens = [BEGIN]
    let past: Record<string, Tensor> = { ...this.#emptyPast }
    let probabilities = 0

    for (let step = 0; step < maxTokens; step++) {
      if (stopped()) return undefined
      const output: InferenceSession.OnnxValueMapType = await this.decoder.run({
        ...past,
        input_ids: new Tensor('int64', BigInt64Array.of(BigInt(tokens.at(-1)!)), [1, 1]),
        encoder_hidden_states: hidden,
        use_cache_branch: new Tensor('bool', Uint8Array.of(step > 0 ? 1 : 0), [1]),
      })
      const best = mostLikely(output['logits']!.data as Float32Array)
      if (best.token === END) break
      tokens.push(best.token)
      probabilities += best.probability
      past = this.#nextPast(past, output, step)
    }
    const count = tokens.length - 1
    return {
      text: llamaTokenizer.decode(tokens).trim(),
      confidence: count === 0 ? 1 : probabilities / count,
    }
  }

  async release(): Promise<void> {
    await this.encoder.release()
    await this.decoder.release()
  }

  /** The encoder's keys and values come from the first step only; later steps answer them empty. */
  #nextPast(
    past: Record<string, Tensor>,
    output: InferenceSession.OnnxValueMapType,
    step: number,
  ): Record<string, Tensor> {
    const next: Record<string, Tensor> = {}
    for (const name of this.#past) {
      const key = `past_key_values.${name}`
      const fresh = step === 0 || name.includes('.decoder.')
      next[key] = fresh ? (output[`present.${name}`] as Tensor) : past[key]!
    }
    return next
  }
}

function mostLikely(logits: Float32Array): { token: number; probability: number } {
  let token = 0
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!
    if (value > top) {
      top = value
      token = i
    }
  }
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const below = logits[i]! - top
    if (below > -12) sum += Math.exp(below)
  }
  return { token, probability: 1 / sum }
}
