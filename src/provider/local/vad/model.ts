/**
 * Silero VAD v6 on onnxruntime, batched over streams. Runs in a worker only.
 *
 * From the model file: `input` [batch, 576] (the last 64 samples of the window before, then 512 new ones; without
 * them v6 hears nothing), `state` [2, batch, 128], `sr` → `output` [batch, 1], `stateN`.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { VAD_SAMPLE_RATE_HZ, VAD_WINDOW_SAMPLES } from '../../../listen/vad.ts'
import type { Exchange } from './exchange.ts'

const CONTEXT_SAMPLES = 64
const INPUT_SAMPLES = CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES
const STATE = 128
/** The model is cheapest a window at 16: 46 µs, against 178 alone and 62 at 32 (our measurement, one core). */
const BATCH = 16
/** Windows in 16-bit samples, the model in −1…1. */
const SCALE = 1 / 32_768

interface SlotState {
  readonly context: Float32Array
  readonly state: Float32Array
}

export class SileroModel {
  readonly #slots = new Map<number, SlotState>()
  readonly #sampleRate = new Tensor('int64', BigInt64Array.of(BigInt(VAD_SAMPLE_RATE_HZ)), [])

  private constructor(private readonly session: InferenceSession) {}

  static async load(path: string): Promise<SileroModel> {
    return new SileroModel(
      await InferenceSession.create(path, {
        executionProviders: ['cpu'],
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      }),
    )
  }

  /** Fills `probabilities` for the first `count` windows. Each pass takes at most one window of a slot. */
  async judge(exchange: Exchange, count: number): Promise<void> {
    let left = Array.from({ length: count }, (_, window) => window)
    // Passes of one size: seventeen windows are cheaper as nine and eight than as sixteen and one.
    const size = Math.ceil(count / Math.ceil(count / BATCH))
    while (left.length > 0) {
      const pass: number[] = []
      const later: number[] = []
      const taken = new Set<number>()
      for (const window of left) {
        const slot = exchange.slots[window]!
        if (pass.length < size && !taken.has(slot)) {
          taken.add(slot)
          pass.push(window)
        } else {
          // Windows of a slot keep their order: once one waits, so do those behind it.
          taken.add(slot)
          later.push(window)
        }
      }
      await this.#run(exchange, pass)
      left = later
    }
  }

  async release(): Promise<void> {
    await this.session.release()
  }

  async #run(exchange: Exchange, windows: readonly number[]): Promise<void> {
    const size = windows.length
    const input = new Float32Array(size * INPUT_SAMPLES)
    const state = new Float32Array(2 * size * STATE)
    windows.forEach((window, row) => {
      const slot = this.#slotOf(exchange, window)
      const at = row * INPUT_SAMPLES
      input.set(slot.context, at)
      const from = window * VAD_WINDOW_SAMPLES
      for (let i = 0; i < VAD_WINDOW_SAMPLES; i++) {
        input[at + CONTEXT_SAMPLES + i] = exchange.samples[from + i]! * SCALE
      }
      slot.context.set(input.subarray(at + INPUT_SAMPLES - CONTEXT_SAMPLES, at + INPUT_SAMPLES))
      state.set(slot.state.subarray(0, STATE), row * STATE)
      state.set(slot.state.subarray(STATE), (size + row) * STATE)
    })
    const output = await this.session.run({
      input: new Tensor('float32', input, [size, INPUT_SAMPLES]),
      state: new Tensor('float32', state, [2, size, STATE]),
      sr: this.#sampleRate,
    })
    const probabilities = output['output']!.data as Float32Array
    const next = output['stateN']!.data as Float32Array
    windows.forEach((window, row) => {
      exchange.probabilities[window] = probabilities[row]!
      const slot = this.#slots.get(exchange.slots[window]!)!
      slot.state.set(next.subarray(row * STATE, (row + 1) * STATE))
      slot.state.set(next.subarray((size + row) * STATE, (size + row + 1) * STATE), STATE)
    })
  }

  #slotOf(exchange: Exchange, window: number): SlotState {
    const id = exchange.slots[window]!
    let slot = this.#slots.get(id)
    if (!slot) {
      slot = { context: new Float32Array(CONTEXT_SAMPLES), state: new Float32Array(2 * STATE) }
      this.#slots.set(id, slot)
    } else if (exchange.fresh[window]) {
      slot.context.fill(0)
      slot.state.fill(0)
    }
    return slot
  }
}
