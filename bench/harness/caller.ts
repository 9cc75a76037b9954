/**
 * One simulated caller on a real socket. It sends a frame at every tick, speech or a quiet room, and notes when what
 * came back. The two events that come fifty times a second are told apart without parsing JSON.
 */
import { WebSocket } from 'ws'
import { type Clip, FRAME_MS, type WireFormat } from './speech.ts'
import { numberIn } from './stages.ts'

export interface CallerOptions {
  readonly url: string
  readonly pipeline: string
  readonly format: WireFormat
  readonly quiet: Clip
  /** Null: unpaced, as the wire does by itself. */
  readonly leadMs: number | null
  readonly silenceMs: number
  /** `skipped`: says at once that all was played, so that the next words are no interruption. */
  readonly playback: 'heard' | 'skipped'
  /** All answers that were completed, in order. */
  readonly onAnswer: (answer: AnswerHeard) => void
  /** Sound of an answer came: its arrival, and whose it is. */
  readonly onSound?: (at: number, responseId: string) => void
  /** The server heard the caller begin; `audioStartMs` as the event has it. */
  readonly onSpeechStarted?: (at: number, audioStartMs: number) => void
}

/** Times are `performance.now()` of this process. */
export interface AnswerHeard {
  /** The utterance's number, of the answer's words; NaN with models that do not say it. */
  readonly n: number
  readonly status: string
  /** When the caller sent the frame that completed the silence; the last sample of speech as annotated. */
  readonly decidedAt: number
  readonly speechEndAt: number
  /** Arrival of each audio event; those after the first only when `arrivals` are wanted. */
  readonly arrivals: Float64Array
  readonly audioBytes: number
  readonly words: string
}

const AUDIO_DELTA = 'response.output_audio.delta'
const TYPE_AT = '{"type":"'.length
const SENT_RING = 4096
const QUIET = { binary: false } as const

export class Caller {
  readonly #options: CallerOptions
  readonly #socket: WebSocket
  readonly #ready: Promise<void>
  readonly #sentAt = new Float64Array(SENT_RING)
  readonly closed: Promise<number>
  #state: 'opening' | 'ready' | 'closed' = 'opening'
  #becomeReady: () => void = () => {}
  #frames = 0
  #clip: Clip | undefined
  #clipAt = 0
  #clipFrom = 0
  #quietAt = 0
  #decidedAt = Number.NaN
  #speechEndAt = Number.NaN
  #words = ''
  #arrivals = new Float64Array(512)
  #arrived = 0
  #audioBytes = 0
  errors = 0
  lastError = ''

  constructor(options: CallerOptions) {
    this.#options = options
    this.#socket = new WebSocket(`${options.url}/v1/realtime?model=${options.pipeline}`, {
      perMessageDeflate: false,
    })
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', (code) => {
        this.#state = 'closed'
        this.#becomeReady()
        resolve(code)
      })
    })
    this.#socket.on('error', (error) => this.#failed(error.message))
    this.#socket.on('message', (data) => this.#message(data as Buffer))
  }

  /** Resolves when the session has taken its settings, or the socket closed. */
  ready(): Promise<void> {
    return this.#ready
  }

  get open(): boolean {
    return this.#state === 'ready'
  }

  /** The next ticks send this. */
  say(clip: Clip): void {
    this.#clip = clip
    this.#clipAt = 0
    this.#clipFrom = this.#frames
  }

  get speaking(): boolean {
    return this.#clip !== undefined
  }

  /** Sends the next 20 ms. */
  tick(): void {
    if (this.#state !== 'ready') return
    this.#sentAt[this.#frames % SENT_RING] = performance.now()
    this.#frames++
    this.#socket.send(this.#nextFrame(), QUIET)
  }

  /** When the frame that holds this moment of the caller's audio was sent. */
  sentAt(audioMs: number): number {
    return this.#sentAt[Math.max(0, Math.ceil(audioMs / FRAME_MS) - 1) % SENT_RING]!
  }

  /** A reader that does not read for a while; the socket's buffers fill. */
  async stopReading(untilRead: Promise<unknown>): Promise<void> {
    this.#socket.pause()
    await untilRead
    this.#socket.resume()
  }

  /** Hangs up. */
  close(): void {
    this.#socket.close()
  }

  /** Vanishes. */
  vanish(): void {
    this.#socket.terminate()
  }

  #nextFrame(): Buffer {
    const clip = this.#clip
    if (clip) {
      const frame = clip.frames[this.#clipAt++]!
      if (this.#clipAt === clip.frames.length) this.#clip = undefined
      const endFrame = this.#clipFrom + Math.ceil(clip.speechEndMs / FRAME_MS) - 1
      if (this.#frames - 1 === endFrame) {
        // A frame is sent when its last sample was spoken; speech may have ended within it.
        const afterMs = (endFrame - this.#clipFrom + 1) * FRAME_MS - clip.speechEndMs
        this.#speechEndAt = this.#sentAt[endFrame % SENT_RING]! - afterMs
      }
      return frame
    }
    const { frames } = this.#options.quiet
    this.#quietAt = (this.#quietAt + 1) % frames.length
    return frames[this.#quietAt]!
  }

  #message(data: Buffer): void {
    const at = performance.now()
    const type = data.toString('latin1', TYPE_AT, data.indexOf(0x22, TYPE_AT))
    if (type === AUDIO_DELTA) return this.#audio(data, at)
    switch (type) {
      case 'session.created':
        return this.#configure()
      case 'session.updated':
        this.#state = 'ready'
        return this.#becomeReady()
      case 'input_audio_buffer.speech_started':
        return this.#options.onSpeechStarted?.(at, JSON.parse(data.toString()).audio_start_ms)
      case 'input_audio_buffer.speech_stopped': {
        const { audio_end_ms: endMs } = JSON.parse(data.toString())
        const frame = Math.ceil(endMs / FRAME_MS) - 1
        this.#decidedAt = this.#sentAt[frame % SENT_RING]!
        return
      }
      case 'response.output_audio_transcript.delta':
        this.#words += JSON.parse(data.toString()).delta
        return
      case 'response.done':
        return this.#answered(JSON.parse(data.toString()).response)
      case 'error':
        return this.#failed(JSON.parse(data.toString()).error.message)
      default:
    }
  }

  /** The audio is the last member: `…,"delta":"…"}`. */
  #audio(data: Buffer, at: number): void {
    if (this.#arrived === this.#arrivals.length) {
      const grown = new Float64Array(this.#arrived * 2)
      grown.set(this.#arrivals)
      this.#arrivals = grown
    }
    this.#arrivals[this.#arrived++] = at
    this.#options.onSound?.(at, /"response_id":"([^"]+)"/.exec(data.toString('latin1', 0, 200))?.[1] ?? '')
    const from = data.indexOf('"delta":"') + 9
    this.#audioBytes += Math.floor(((data.length - 2 - from) * 3) / 4)
  }

  #answered({ id, status }: { readonly id: string; readonly status: string }): void {
    if (this.#options.playback === 'skipped') {
      this.#socket.send(JSON.stringify({ type: 'parley.played', responseId: id, playedMs: 3_600_000 }))
    }
    const answer = {
      n: numberIn(this.#words),
      status,
      decidedAt: this.#decidedAt,
      speechEndAt: this.#speechEndAt,
      arrivals: this.#arrivals.slice(0, this.#arrived),
      audioBytes: this.#audioBytes,
      words: this.#words,
    }
    this.#words = ''
    this.#arrived = 0
    this.#audioBytes = 0
    this.#options.onAnswer(answer)
  }

  #failed(message: string): void {
    this.errors++
    this.lastError = message
  }

  #configure(): void {
    const { format, leadMs, silenceMs } = this.#options
    const wire = format === 'pcm16' ? { type: 'audio/pcm', rate: 24_000 } : { type: 'audio/pcmu' }
    const detection = { type: 'server_vad', silence_duration_ms: silenceMs }
    const session = {
      type: 'realtime',
      audio: { input: { format: wire, turn_detection: detection }, output: { format: wire } },
      ...(leadMs === null ? {} : { providerData: { parley: { pacing: { leadMs } } } }),
    }
    this.#socket.send(JSON.stringify({ type: 'session.update', session }))
  }
}
