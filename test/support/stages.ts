/**
 * Stages that do as they are told, each after a stated delay on the clock: a recogniser that says what was scripted, a
 * model that answers by a table, a voice of tones. For tests and benchmarks.
 */

import { Health } from '../../src/attempt/health.ts'
import type { Lineup, Router } from '../../src/attempt/lineup.ts'
import { silence } from '../../src/audio/convert.ts'
import {
  type AudioFormat,
  bytesToMs,
  MULAW_8K,
  msToBytes,
  PCM16_16K,
  PCM16_24K,
} from '../../src/audio/format.ts'
import { Channel } from '../../src/channel.ts'
import { type Clock, delay, VirtualClock } from '../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { ProviderError } from '../../src/errors.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type {
  OwnTurns,
  SttAdapter,
  SttCaps,
  SttEvent,
  SttOpenOptions,
  SttStream,
} from '../../src/stage/stt.ts'
import type { Sentence, TtsAdapter, TtsEvent, TtsStream } from '../../src/stage/tts.ts'

export interface FakeSttOptions {
  /** Words of each utterance in order; the last repeats. */
  readonly words?: readonly string[]
  /** From `finalize` (or `preview`) to its answer. */
  readonly finalMs?: number
  /** `model`: ends turns itself, when it is asked to, and told to. */
  readonly endOfTurn?: 'none' | 'model'
}

/** Counts what it is given, answers what it was told. */
export class FakeStt implements SttAdapter {
  readonly id = 'fake/stt'
  readonly caps: SttCaps
  /** How each stream was asked to end turns. */
  readonly ownTurns: (OwnTurns | undefined)[] = []
  readonly streams: FakeSttStream[] = []
  /** Utterances finalised, over all streams. */
  utterances = 0
  /** Set to make the next `open` fail. */
  failOpen: ProviderError | undefined
  constructor(readonly options: FakeSttOptions = {}) {
    this.caps = {
      languages: 'any',
      inputs: [PCM16_16K],
      feed: 'speech',
      endOfTurn: options.endOfTurn ?? 'none',
      eager: false,
      wordTimes: false,
      forceFinal: true,
      maxReplaySpeed: 100,
    }
  }

  async open({ signal, clock, ownTurns }: SttOpenOptions): Promise<FakeSttStream> {
    const { failOpen } = this
    this.ownTurns.push(ownTurns)
    if (failOpen) {
      this.failOpen = undefined
      throw failOpen
    }
    const stream = new FakeSttStream(this, signal, clock)
    this.streams.push(stream)
    return stream
  }

  get words(): string {
    const { words = ['hello'] } = this.options
    return words[Math.min(this.utterances, words.length - 1)] ?? ''
  }
}

export class FakeSttStream implements SttStream {
  readonly #stt: FakeStt
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #events: Channel<SttEvent>
  /** Milliseconds of audio of the utterance in progress. */
  audioMs = 0
  /** Of each utterance that was finalised. */
  readonly heardMs: number[] = []
  discarded = 0

  constructor(stt: FakeStt, signal: AbortSignal, clock: Clock) {
    this.#stt = stt
    this.#clock = clock
    this.#signal = signal
    this.#events = new Channel({ capacity: 1000, signal })
  }

  write(audio: Uint8Array): void {
    this.audioMs += bytesToMs(PCM16_16K, audio.length)
  }

  preview(): void {
    const text = this.#stt.words
    this.#later(() => this.#events.push({ type: 'partial', text, stable: text, complete: true }))
  }

  finalize(): void {
    const text = this.#stt.words
    this.#stt.utterances++
    this.heardMs.push(this.audioMs)
    this.audioMs = 0
    this.#later(() => this.#events.push({ type: 'final', text }))
  }

  discard(): void {
    this.discarded++
    this.audioMs = 0
  }

  /** A partial out of turn. */
  says(text: string, stable = ''): void {
    this.#events.push({ type: 'partial', text, stable, complete: false })
  }

  /** It judges that the turn is probably over. */
  mayEndTurn(text: string): void {
    this.#events.push({ type: 'eagerEnd', text })
  }

  /** It judges that the turn is over. */
  endsTurn(text: string): void {
    this.#events.push({ type: 'endOfTurn', text })
  }

  /** The connection breaks. */
  breaks(): void {
    this.#events.fail(
      new ProviderError({ provider: 'fake', stage: 'stt', kind: 'transient', message: 'dropped' }),
    )
  }

  async close(): Promise<void> {
    this.#events.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<SttEvent> {
    return this.#events
  }

  #later(act: () => void): void {
    const { finalMs = 0 } = this.#stt.options
    if (finalMs === 0) return act()
    delay(this.#clock, finalMs, this.#signal).then(act, () => {})
  }
}

export interface FakeLlmOptions {
  /** The answer to a request: text, or events as they are. */
  readonly answer?: (request: ModelRequest) => string | readonly ModelEvent[]
  readonly firstTokenMs?: number
  readonly tokenMs?: number
}

export class FakeLlm implements LlmAdapter {
  readonly id = 'fake/llm'
  readonly caps = { tools: true, json: false, prefill: false }
  readonly requests: ModelRequest[] = []
  /** Requests aborted before they ended. */
  aborted = 0
  /** Set to make the next call behave: never answer, or fail at once. */
  next: 'stall' | ProviderError | undefined
  constructor(readonly options: FakeLlmOptions = {}) {}

  async *stream(
    request: ModelRequest,
    { signal, clock }: { signal: AbortSignal; clock: Clock },
  ): AsyncGenerator<ModelEvent> {
    this.requests.push(request)
    const {
      answer = () => 'Hello there. How can I help you today?',
      firstTokenMs = 0,
      tokenMs = 0,
    } = this.options
    const { next } = this
    this.next = undefined
    let ended = false
    try {
      if (next === 'stall') await delay(clock, 1e9, signal)
      else if (next) throw next
      if (firstTokenMs > 0) await delay(clock, firstTokenMs, signal)
      const said = answer(request)
      const events: readonly ModelEvent[] =
        typeof said === 'string'
          ? [
              ...said.split(/(?<=\s)/).map((text) => ({ type: 'text', text }) as const),
              { type: 'finish', reason: 'stop' },
            ]
          : said
      for (const event of events) {
        signal.throwIfAborted()
        yield event
        if (tokenMs > 0) await delay(clock, tokenMs, signal)
      }
      ended = true
    } finally {
      if (!ended && signal.aborted) this.aborted++
    }
  }
}

export interface FakeTtsOptions {
  /** From `say` to the first sound of that sentence. */
  readonly firstAudioMs?: number
  /** Length of a sentence's sound. */
  readonly msPerChar?: number
  readonly chunkMs?: number
  readonly wordTimes?: boolean
  /** What its sound is made of; left out: silence. */
  readonly sounds?: 'speech' | 'silence'
}

/** A voice whose sound is of a known length: `msPerChar` for each character. */
export class FakeTts implements TtsAdapter {
  readonly id = 'fake/tts'
  readonly caps
  readonly said: string[] = []
  readonly voices: string[] = []
  constructor(readonly options: FakeTtsOptions = {}) {
    this.caps = {
      input: 'whole',
      outputs: [PCM16_24K, MULAW_8K],
      times: options.wordTimes ? 'word' : 'none',
      contexts: 100,
      cancel: true,
      languages: 'any',
    } as const
  }

  async open(o: {
    voice: string
    format: AudioFormat
    signal: AbortSignal
    clock: Clock
  }): Promise<TtsStream> {
    this.voices.push(o.voice)
    const {
      firstAudioMs = 0,
      msPerChar = 50,
      chunkMs = 100,
      wordTimes = false,
      sounds = 'silence',
    } = this.options
    const sentences = new Channel<Sentence>({ capacity: 1000, signal: o.signal })
    const { said } = this
    async function* speak(): AsyncGenerator<TtsEvent> {
      for await (const { index, text } of sentences) {
        if (firstAudioMs > 0) await delay(o.clock, firstAudioMs, o.signal)
        if (wordTimes) yield { type: 'words', sentence: index, words: timesOf(text, msPerChar) }
        for (let left = text.length * msPerChar; left > 0; left -= chunkMs) {
          o.signal.throwIfAborted()
          yield { type: 'audio', sentence: index, audio: sound(o.format, Math.min(chunkMs, left), sounds) }
        }
        yield { type: 'sentenceDone', sentence: index }
      }
    }
    const events = speak()
    return {
      say(sentence) {
        said.push(sentence.text)
        sentences.push(sentence)
      },
      end: () => sentences.close(),
      [Symbol.asyncIterator]: () => events,
    }
  }
}

function timesOf(text: string, msPerChar: number) {
  let at = 0
  return text.split(/(?<=\s)/).map((word) => {
    const startMs = at
    at += word.length * msPerChar
    return { text: word.trim(), startMs, endMs: startMs + word.trimEnd().length * msPerChar }
  })
}

/** The three as a provider named `fake`, models `stt`, `llm`, `tts`. */
export function fakeProvider(stt: FakeStt, llm: LlmAdapter, tts: TtsAdapter): Provider {
  return {
    name: 'fake',
    stt: () => stt,
    llm: () => llm,
    tts: () => tts,
    close: async () => {},
  }
}

/** No rules: everyone gets these. `phrases`: those that are ready, by how long they play. */
export function fixedRouter(
  lineup: Lineup,
  clock: Clock = new VirtualClock(),
  phrases: Readonly<Record<string, number>> = {},
): Router {
  return {
    lineup: () => lineup,
    health: new Health({ clock }),
    phrase: (text) => {
      const ms = phrases[text]
      if (ms === undefined) return null
      return {
        text,
        target: 'fake/tts',
        format: PCM16_24K,
        audio: sound(PCM16_24K, ms, 'speech'),
        ms,
        words: [],
      }
    },
  }
}

/** 16-bit mono noise loud enough for a loudness-based detector, or silence. */
export function sound(format: AudioFormat, ms: number, kind: 'speech' | 'silence'): Uint8Array {
  const bytes = silence(format, ms)
  if (kind === 'silence') return bytes
  const length = msToBytes(format, ms)
  if (format.encoding !== 'pcm16') {
    for (let i = 0; i < length; i++) bytes[i] = i % 8 < 4 ? 0x10 : 0x90
    return bytes
  }
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < length / 2; i++) view.setInt16(2 * i, 8000 * Math.sin(i / 4), true)
  return bytes
}
