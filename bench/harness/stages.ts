/**
 * Stages of known delay, and what delay they really had: a timer fires late where the process is busy, and that is
 * the stage's own lateness. Each utterance has a number that goes through all three: "question 7", "Answer 7.".
 */
import { silence } from '../../src/audio/convert.ts'
import { type AudioFormat, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { Channel } from '../../src/channel.ts'
import { type Clock, delay } from '../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { SttAdapter, SttEvent, SttStream } from '../../src/stage/stt.ts'
import type { Sentence, TtsAdapter, TtsEvent, TtsStream } from '../../src/stage/tts.ts'

export interface StageDelays {
  /** From `finalize` to the final. */
  readonly sttMs: number
  /** From the call to the first text, which is a whole sentence. */
  readonly llmMs: number
  /** From `say` to the first sound. */
  readonly ttsMs: number
  /** Length of an answer's sound, all of it there at once. */
  readonly answerMs: number
  /** Between two chunks of 100 ms of it; left out: all of it is there at once. */
  readonly chunkEveryMs?: number
}

export interface RealDelays {
  sttMs: number
  llmMs: number
  ttsMs: number
}

const CHUNK_MS = 100

export class BenchStages implements Provider {
  readonly name = 'bench'
  readonly #delays: StageDelays
  readonly #real = new Map<number, RealDelays>()
  #questions = 0

  constructor(delays: StageDelays) {
    this.#delays = delays
  }

  /** What the stages took since the last call, by the utterance's number. */
  takeReal(): Map<number, RealDelays> {
    const taken = new Map(this.#real)
    this.#real.clear()
    return taken
  }

  stt(): SttAdapter {
    const { sttMs } = this.#delays
    return {
      id: 'bench/stt',
      caps: {
        languages: 'any',
        inputs: [PCM16_16K],
        feed: 'speech',
        endOfTurn: 'none',
        eager: false,
        wordTimes: false,
        forceFinal: true,
        maxReplaySpeed: 100,
      },
      open: async ({ signal, clock }) =>
        new BenchSttStream({
          signal,
          clock,
          sttMs,
          next: () => ++this.#questions,
          took: (n, ms) => this.#note(n, { sttMs: ms }),
        }),
    }
  }

  llm(): LlmAdapter {
    const { llmMs } = this.#delays
    const note = this.#note.bind(this)
    async function* stream(
      request: ModelRequest,
      { signal, clock }: { signal: AbortSignal; clock: Clock },
    ): AsyncGenerator<ModelEvent> {
      const calledAt = clock.now()
      const n = numberIn(request.messages.findLast((message) => message.role === 'user')?.text)
      if (llmMs > 0) await delay(clock, llmMs, signal)
      note(n, { llmMs: clock.now() - calledAt })
      yield { type: 'text', text: `Answer ${n} is ready. ` }
      yield { type: 'finish', reason: 'stop' }
    }
    return { id: 'bench/llm', caps: { tools: false, json: false, prefill: false }, stream }
  }

  tts(): TtsAdapter {
    const { ttsMs, answerMs, chunkEveryMs = 0 } = this.#delays
    const note = this.#note.bind(this)
    return {
      id: 'bench/tts',
      caps: {
        input: 'whole',
        outputs: [PCM16_24K, MULAW_8K],
        times: 'none',
        contexts: 1000,
        cancel: true,
        languages: 'any',
      },
      open: async (options) => openVoice(options, { ttsMs, answerMs, chunkEveryMs, note }),
    }
  }

  async close(): Promise<void> {}

  #note(n: number, took: Partial<RealDelays>): void {
    const real = this.#real.get(n) ?? { sttMs: 0, llmMs: 0, ttsMs: 0 }
    this.#real.set(n, Object.assign(real, took))
  }
}

interface BenchSttOptions {
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly sttMs: number
  /** The number of a new utterance. */
  readonly next: () => number
  readonly took: (n: number, ms: number) => void
}

class BenchSttStream implements SttStream {
  readonly #options: BenchSttOptions
  readonly #events: Channel<SttEvent>
  #n: number | undefined

  constructor(options: BenchSttOptions) {
    this.#options = options
    this.#events = new Channel({ capacity: 100, signal: options.signal })
  }

  write(): void {}

  preview(): void {
    const text = `question ${(this.#n ??= this.#options.next())}`
    this.#later(() => this.#events.push({ type: 'partial', text, stable: text, complete: true }))
  }

  finalize(): void {
    const n = (this.#n ??= this.#options.next())
    this.#n = undefined
    const { clock, took } = this.#options
    const calledAt = clock.now()
    this.#later(() => {
      took(n, clock.now() - calledAt)
      this.#events.push({ type: 'final', text: `question ${n}` })
    })
  }

  discard(): void {}

  async close(): Promise<void> {
    this.#events.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<SttEvent> {
    return this.#events
  }

  #later(act: () => void): void {
    const { clock, sttMs, signal } = this.#options
    if (sttMs === 0) return act()
    delay(clock, sttMs, signal).then(act, () => {})
  }
}

interface VoiceOptions {
  readonly ttsMs: number
  readonly answerMs: number
  readonly chunkEveryMs: number
  readonly note: (n: number, took: Partial<RealDelays>) => void
}

function openVoice(
  { format, signal, clock }: { format: AudioFormat; signal: AbortSignal; clock: Clock },
  { ttsMs, answerMs, chunkEveryMs, note }: VoiceOptions,
): TtsStream {
  const sentences = new Channel<Sentence & { readonly saidAt: number }>({ capacity: 100, signal })
  const chunk = silence(format, CHUNK_MS)
  async function* speak(): AsyncGenerator<TtsEvent> {
    for await (const { index, text, saidAt } of sentences) {
      if (ttsMs > 0) await delay(clock, ttsMs, signal)
      note(numberIn(text), { ttsMs: clock.now() - saidAt })
      for (let left = answerMs; left > 0; left -= CHUNK_MS) {
        signal.throwIfAborted()
        if (chunkEveryMs > 0) await delay(clock, chunkEveryMs, signal)
        const audio = left >= CHUNK_MS ? chunk.slice() : silence(format, left)
        yield { type: 'audio', sentence: index, audio }
      }
      yield { type: 'sentenceDone', sentence: index }
    }
  }
  const events = speak()
  return {
    say: (sentence) => void sentences.push({ ...sentence, saidAt: clock.now() }),
    end: () => sentences.close(),
    [Symbol.asyncIterator]: () => events,
  }
}

export function numberIn(text: string | undefined): number {
  return Number(/\d+/.exec(text ?? '')?.[0] ?? Number.NaN)
}
