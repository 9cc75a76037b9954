/**
 * Listens to one caller: the wire's bytes in, events out.
 *
 *     write ─► backlog ─► feed (gate, resampler) ─► VadStream ─► windows ─► Endpointer ─► events
 *                                              pause ─► EndOfTurn, or the recogniser ─┘  (semantic_vad)
 *
 * A usual frame goes through within `write`. A long one, or a flood, waits in the backlog and is taken in slices,
 * the event loop free between them, never more than `PENDING_SAMPLES` ahead of the model. What exceeds the backlog's
 * bound is skipped unheard, oldest first, and counted in `droppedMs`; audio time goes on over the gap.
 */
import { type AudioFormat, sameFormat } from '../audio/format.ts'
import { Channel } from '../channel.ts'
import { type Clock, nextTurn } from '../clock.ts'
import { Arrivals } from './arrivals.ts'
import { Backlog } from './backlog.ts'
import { type Detection, endpointOptions } from './detection.ts'
import { type EndOfTurn, JUDGED_MS, type TurnJudge, type TurnQuestion } from './end-of-turn.ts'
import { Endpointer, type PauseQuestion } from './endpoint.ts'
import type { EarEvent } from './events.ts'
import { Feed } from './feed.ts'
import { type GateEngine, loadedGate } from './gate.ts'
import { RecentSamples } from './recent-samples.ts'
import { VAD_SAMPLE_RATE_HZ, VAD_WINDOW_SAMPLES, type Vad, type VadStream, type VadWindow } from './vad.ts'

/** 100 ms a slice and five before the event loop gets its turn: under half a millisecond of work. */
const SLICE_MS = 100
const SLICES_A_TURN = 5
/** What the model was given and has not judged when a pause is asked about, while its worker keeps up. */
const BEHIND_MS = 200
/** 4 s: enough to keep the model busy, little to be wrong about after a reset. */
const PENDING_SAMPLES = 4 * VAD_SAMPLE_RATE_HZ
/** Three minutes of 24 kHz PCM, seventeen of G.711: one recording sent in one go is heard whole. */
const BACKLOG_BYTES = 8 * 1024 * 1024
/** An event takes 64 ms of audio or more; a reader this far behind is gone. */
const EVENTS = 1024
/** Streams of the model that may fail one after the other, none giving a window, before the ear gives up. */
const FAILURES = 3

export interface EarSettings {
  /** Null: the client commits by hand, and the ear hears nothing. */
  readonly detection: Detection | null
  /** Speech that makes an interruption: `interruption.minSpeechMs`. */
  readonly confirmMs: number
  readonly format: AudioFormat
}

export interface EarOptions extends EarSettings {
  readonly vad: Vad
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What `loadGate` loaded unless given; null: every frame goes to the model. */
  readonly gate?: GateEngine | null
  /** What was said before the present pause, and in which language; left out: nobody reads it. */
  readonly said?: () => Omit<TurnQuestion, 'samples'>
  /** Who judges pauses now; left out: never the recogniser. */
  readonly turnJudge?: () => TurnJudge
}

/** What the endpointer waits with while detection is off. */
const UNUSED: Detection = { threshold: 1, prefixPaddingMs: 0, silenceDurationMs: 0 }

export class Ear {
  readonly #vad: Vad
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #gates: GateEngine | null
  readonly #judge: EndOfTurn | null
  readonly #said: () => Omit<TurnQuestion, 'samples'>
  readonly #turnJudge: () => TurnJudge
  readonly #events: Channel<EarEvent>
  readonly #arrivals = new Arrivals()
  readonly #backlog = new Backlog(BACKLOG_BYTES)
  readonly #endpointer: Endpointer
  readonly #onAbort = () => this.close()
  #settings: EarSettings
  /** Held only while pauses are judged: 256 kB. */
  #recent: RecentSamples | null = null
  #asking = false
  #stream: VadStream
  #feed: Feed
  /** 16 kHz samples written to the ear. */
  #received = 0
  /** Windows that end here or before are of audio the client cleared. */
  #stale = 0
  #dropped = 0
  #failures = 0
  #yielding = false
  #closed = false

  constructor(options: EarOptions) {
    const { vad, clock, signal, detection, confirmMs, format } = options
    this.#vad = vad
    this.#clock = clock
    this.#signal = signal
    this.#gates = options.gate === undefined ? (vad.gate ?? loadedGate() ?? null) : options.gate
    this.#judge = vad.endOfTurn ?? null
    this.#said = options.said ?? (() => ({ words: null }))
    this.#turnJudge = options.turnJudge ?? (() => 'asked')
    this.#settings = { detection, confirmMs, format }
    this.#remember()
    this.#events = new Channel({ capacity: EVENTS, signal })
    this.#endpointer = new Endpointer(endpointOptions(detection ?? UNUSED, confirmMs))
    this.#stream = vad.open({ signal })
    this.#feed = this.#openFeed(format, 0)
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.close()
    else void this.#follow(this.#stream)
  }

  /** One reader. Ends at `close`; fails with the signal's reason at abort, or when the model cannot be had. */
  get events(): AsyncIterable<EarEvent> {
    return this.#events
  }

  /** Milliseconds of audio written so far: what the audio times of the events count. */
  get audioMs(): number {
    return toMs(this.#received)
  }

  /** No event that is still to come tells of speech before this audio time, prefix padding and a short burst aside. */
  get horizonMs(): number {
    return toMs(this.#feed.horizon)
  }

  /** Audio never heard because the backlog was full. */
  get droppedMs(): number {
    return toMs(this.#dropped)
  }

  /** Whether the gate is open at this moment. */
  get listening(): boolean {
    return this.#feed.open
  }

  /** The recogniser says that the caller has finished. Acted on by the next window, under `semantic_vad`. */
  turnEnded(): void {
    this.#endpointer.turnEnded()
  }

  /** Any length, may split a sample. Never blocks. A long chunk is read later: its bytes must not change. */
  write(bytes: Uint8Array): void {
    if (this.#closed) return
    const { format, detection } = this.#settings
    this.#received += this.#backlog.push(bytes, format)
    if (detection === null) return this.#pass()
    this.#arrivals.forget(this.#feed.horizon)
    this.#arrivals.note(this.#received, this.#clock.now())
    this.#shed()
    this.#drain()
  }

  /** From the next byte on. An utterance that is open goes on, unless detection is turned off. */
  configure(change: Partial<EarSettings>): void {
    if (this.#closed) return
    const before = this.#settings
    this.#settings = { ...before, ...change }
    const { detection, confirmMs, format } = this.#settings
    if (!sameFormat(format, before.format)) this.#backlog.align()
    if (detection) this.#endpointer.configure(endpointOptions(detection, confirmMs))
    this.#remember()
    if (!detection !== !before.detection) this.reset()
  }

  /** The client cleared its buffer: what was written is forgotten, an open utterance dropped. */
  reset(): void {
    if (this.#closed) return
    this.#pass()
    this.#backlog.align()
    this.#stale = this.#received
    this.#tell(this.#endpointer.drop(toMs(this.#received), this.#clock.now()))
  }

  /** Ends the events and frees everything. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#backlog.clear()
    this.#feed.close()
    this.#stream.close()
    this.#events.close()
  }

  #openFeed(format: AudioFormat, position: number): Feed {
    const gate = this.#gates?.open(format.sampleRateHz) ?? null
    const hold = () => this.#endpointer.busy || this.#feed.pending >= VAD_WINDOW_SAMPLES
    const recent = () => this.#recent
    return new Feed({ format, gate, stream: this.#stream, position, hold, recent })
  }

  /** Everything written so far goes by unheard. */
  #pass(): void {
    this.#backlog.clear()
    this.#feed.skipTo(this.#received)
  }

  #shed(): void {
    const shed = this.#backlog.shed()
    if (shed === 0) return
    this.#dropped += shed
    this.#feed.skipTo(this.#feed.position + shed)
  }

  #drain(): void {
    if (this.#yielding) return
    for (let slices = 0; !this.#closed && !this.#backlog.empty; slices++) {
      if (this.#feed.pending >= PENDING_SAMPLES) return
      if (slices === SLICES_A_TURN) return void this.#drainLater()
      const { bytes, format } = this.#backlog.take(SLICE_MS)!
      if (!sameFormat(format, this.#feed.format)) this.#changeFormat(format)
      this.#feed.write(bytes)
    }
  }

  async #drainLater(): Promise<void> {
    this.#yielding = true
    await nextTurn(this.#clock)
    this.#yielding = false
    this.#drain()
  }

  #changeFormat(format: AudioFormat): void {
    const { position } = this.#feed
    this.#feed.close()
    this.#feed = this.#openFeed(format, position)
  }

  async #follow(stream: VadStream): Promise<void> {
    let cause: unknown = new Error('the voice-activity stream ended')
    try {
      for await (const windows of stream) {
        if (this.#closed) return
        this.#failures = 0
        for (const window of windows) this.#hear(window)
        this.#drain()
      }
    } catch (error) {
      cause = error
    }
    if (!this.#closed) this.#recover(cause)
  }

  #hear(window: VadWindow): void {
    const { endSample, probability } = window
    if (endSample <= this.#stale) return
    this.#feed.judged(endSample)
    const startSample = endSample - VAD_WINDOW_SAMPLES
    const startAt = this.#arrivals.at(startSample)
    const at = this.#arrivals.at(endSample)
    const [startMs, endMs] = [toMs(startSample), toMs(endSample)]
    this.#tell(this.#endpointer.push({ startMs, endMs, probability, startAt, at }, this.#turnJudge()))
    // One question at a time; one that had to wait is asked anew by the next window.
    const question = this.#asking || !this.#recent ? null : this.#endpointer.takeQuestion()
    if (question) void this.#ask(question)
  }

  async #ask({ pause, fromMs, toMs }: PauseQuestion): Promise<void> {
    this.#asking = true
    const samples = this.#recent!.read(toSamples(Math.max(fromMs, toMs - JUDGED_MS)), toSamples(toMs))
    const judgement = await this.#judge!.judge({ samples, ...this.#said() }).catch(() => undefined)
    this.#asking = false
    this.#endpointer.judged(pause, judgement)
  }

  #remember(): void {
    const judges = this.#judge !== null && this.#settings.detection?.type === 'semantic_vad'
    this.#recent = judges ? (this.#recent ?? new RecentSamples(toSamples(JUDGED_MS + BEHIND_MS))) : null
  }

  /** The model's stream broke (its worker may have crashed): a new one goes on from the next sample. */
  #recover(cause: unknown): void {
    this.#failures++
    if (this.#failures >= FAILURES) return this.#fail(cause)
    try {
      this.#stream = this.#vad.open({ signal: this.#signal })
    } catch (error) {
      return this.#fail(error)
    }
    this.#feed.reattach(this.#stream)
    void this.#follow(this.#stream)
    this.#drain()
  }

  #fail(error: unknown): void {
    this.#events.fail(error)
    this.close()
  }

  #tell(events: readonly EarEvent[]): void {
    for (const event of events) {
      if (!this.#events.push(event) && !this.#events.ended)
        return this.#fail(new Error('nobody reads the ear'))
    }
  }
}

function toSamples(ms: number): number {
  return Math.round((ms * VAD_SAMPLE_RATE_HZ) / 1000)
}

function toMs(samples: number): number {
  return (samples * 1000) / VAD_SAMPLE_RATE_HZ
}
