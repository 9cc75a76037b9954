/**
 * One answer on Cartesia: one context, which keeps the melody from sentence to sentence, each sentence followed by a
 * flush, whose `flush_done` says exactly where its sound ends (`flushes.ts`).
 *
 * A context dies one second after its last sound, and text sent to a dead one is lost; so when all is said and the next
 * sentence is late, it begins a new context. Between contexts, and only there, the melody starts afresh.
 */
import type { Sentence } from '../../stage/tts.ts'
import { type AnswerOptions, AnswerStream } from '../answer-stream.ts'
import { WordClock } from '../word-clock.ts'
import { Flushes } from './flushes.ts'
import type { CartesiaLine, ContextMessage } from './link.ts'
import { type ContextFields, cancelContext, endContext, flushContext, speakText } from './wire.ts'

/** The one that sounds and the one after it: what is cut off has cost no more than that. */
const AT_ONCE = 2
/** Half of what a context lives on after its last sound; the other half is for the way there. */
const CONTEXT_LIFE_MS = 500

interface Run {
  readonly context: string
  readonly line: CartesiaLine
  /** Of the stream, by their ordinal in the context. */
  readonly sentences: number[]
  readonly flushes: Flushes
  readonly words: WordClock
  /** Complete sentences. */
  complete: number
  /** Sound of the complete ones. */
  beforeMs: number
  lastAt: number
}

export class CartesiaStream extends AnswerStream<CartesiaLine> {
  readonly #fields: ContextFields
  #run: Run | undefined
  #ending = false

  constructor(options: AnswerOptions<CartesiaLine>, fields: ContextFields) {
    super(options)
    this.#fields = fields
  }

  protected get outstanding(): number {
    return this.#run ? this.#run.sentences.length - this.#run.complete : 0
  }

  protected start({ index, text }: Sentence, line: CartesiaLine): boolean {
    if (this.outstanding >= AT_ONCE) return false
    if (this.outstanding === 0 && !this.#alive) this.#forget()
    const run = (this.#run ??= this.#begin(line))
    run.sentences.push(index)
    run.lastAt = this.options.clock.now()
    line.send(speakText(this.#fields, run.context, text))
    line.send(flushContext(this.#fields, run.context))
    return true
  }

  protected lastStarted(): void {
    // Nothing may be sent to a context that is dead: its id would begin another.
    if (this.#run && this.#alive) this.#run.line.send(endContext(this.#fields, this.#run.context))
    this.#ending = true
  }

  protected letGo(): void {
    if (this.#run && this.outstanding > 0) this.#run.line.send(cancelContext(this.#run.context))
    this.#forget()
  }

  get #alive(): boolean {
    if (!this.#run?.line.usable) return false
    return this.outstanding > 0 || this.options.clock.now() - this.#run.lastAt < CONTEXT_LIFE_MS
  }

  #begin(line: CartesiaLine): Run {
    const context = line.begin({
      message: (message) => this.#hear(message),
      failed: (error) => {
        // One that has said all it was given dies by itself.
        if (this.outstanding > 0) this.fail(error)
        else this.#forget()
      },
    })
    const [flushes, words] = [new Flushes(), new WordClock()]
    return { context, line, sentences: [], flushes, words, complete: 0, beforeMs: 0, lastAt: 0 }
  }

  #forget(): void {
    this.#run?.line.drop(this.#run.context)
    this.#run = undefined
  }

  #hear(message: ContextMessage): void {
    const run = this.#run
    if (!run || message.context !== run.context) return
    run.lastAt = this.options.clock.now()
    switch (message.type) {
      case 'chunk':
      case 'timestamps':
        return this.#sound(run, message)
      case 'flushDone':
        if (this.outstanding > 0) this.#complete(run, run.flushes.flushed(message.flushId))
        return
      case 'done':
        // Without our having ended it: the context was dead when the text came.
        if (!this.#ending && this.outstanding > 0) {
          return this.fail(this.error('expired', 'the context ended before its text was spoken'))
        }
        this.#complete(run, run.sentences.length)
        return this.#forget()
      default:
        message satisfies never
    }
  }

  #sound(run: Run, message: Extract<ContextMessage, { type: 'chunk' | 'timestamps' }>): void {
    const ordinal = run.flushes.of(message.flushId)
    if (ordinal > run.complete) this.#complete(run, ordinal)
    const sentence = run.sentences[ordinal]
    // Beyond the last: nothing of ours. Before the first that is not complete: too late to matter.
    if (sentence === undefined || ordinal < run.complete || this.#run !== run) return
    if (message.type === 'chunk') this.output.audio(sentence, message.audio)
    else {
      const words = run.words.shift(message.words, run.beforeMs)
      this.output.words(sentence, words, words.at(-1)?.endMs ?? 0)
    }
  }

  /** The first `count` sentences of the context are complete. */
  #complete(run: Run, count: number): void {
    while (run.complete < Math.min(count, run.sentences.length)) {
      run.beforeMs += this.output.audioMs
      const fault = this.output.done(run.sentences[run.complete++]!)
      if (fault) return this.fail(fault)
    }
    this.pump()
  }
}
