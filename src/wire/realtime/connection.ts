/**
 * One Realtime connection, a text channel and perhaps media beside it: frames in, in order, never waiting; the session's outputs out, as fast as the socket takes
 * them; a ping now and then; an end for every way it can end.
 *
 *     frame ─► parse ─► session.audio / session.send            session.outputs ─► encode ─► writer ─► socket
 *                └► error                                          (the next is taken when the socket has room)
 */
import type { InputMeter, InputRates } from '../../access/input-rates.ts'
import type { Allowance, ResponseRates } from '../../access/response-rates.ts'
import { OpusPacketError } from '../../audio/opus.ts'
import type { Clock, Timer } from '../../clock.ts'
import { ERRORS } from '../../errors.ts'
import type { SessionOutput } from '../../session/output.ts'
import type { CloseReason, Session } from '../../session/session.ts'
import { type WireSocket, Writer } from '../writer.ts'
import { Attachment, type AttachmentDeps, type AttachmentStart } from './attachment.ts'
import { betaShape } from './beta/outgoing.ts'
import { Encoder, type WireError } from './encode.ts'
import { randomId } from './ids.ts'
import type { Media } from './media.ts'
import { OpusEvents } from './opus-events.ts'
import { type Parsed, parseFrame, refusal } from './parse.ts'
import { GA, type ShapeName } from './shape.ts'

export interface ConnectionDeps extends AttachmentDeps {
  readonly clock: Clock
  readonly sessionMinutes: number
  /** Left out: clients may send as fast as they can. */
  readonly inputRates?: InputRates
  /** Left out: as many responses as they like. */
  readonly responseRates?: ResponseRates
  /** For faults of our own; never with a caller's words. */
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}

export interface ConnectionStart extends AttachmentStart {
  readonly shape: ShapeName
  /** The `model` of the session object: as the client named it, else the pipeline's name. */
  readonly model: string
  /** Where sound has a way of its own: no audio in events, and the server owns the far side's playback. */
  readonly media?: Media
}

const PING_MS = 20_000
/** A minute without a sign of life, and the far side has vanished without a goodbye. */
const MAX_SILENT_PINGS = 3
/** What handling the smallest event costs, in bytes of audio. */
const MIN_EVENT_BYTES = 1024
/** How long the far side has to answer our close. */
const CLOSE_GRACE_MS = 5_000
/** Answers to a flood of pings count too. */
const MAX_BUFFERED_BYTES = 48 * 1024 * 1024

export class Connection {
  readonly #socket: WireSocket
  readonly #deps: ConnectionDeps
  readonly #attachment: Attachment
  readonly #meter: InputMeter | undefined
  readonly #writer: Writer
  readonly #encoder: Encoder
  readonly #model: string
  readonly #keyId: string | null
  readonly #media: Media | undefined
  readonly #expiresAt: number
  readonly #shape: ShapeName
  readonly #conversationId = randomId('conv')
  /** Made when the client first asks for Opus. */
  #opus: OpusEvents | undefined
  #inputCodec: 'opus' | 'none' = 'none'
  #lastAudio: Extract<SessionOutput, { type: 'answerAudio' }> | undefined
  #over = false
  #silentPings = 0
  #timers: Timer[] = []

  constructor(socket: WireSocket, start: ConnectionStart, deps: ConnectionDeps) {
    this.#socket = socket
    this.#deps = deps
    this.#attachment = new Attachment(start, deps)
    this.#model = start.model
    this.#keyId = start.origin.key?.id ?? null
    this.#meter = deps.inputRates?.open(this.#keyId, () => this.#flooded())
    this.#media = start.media
    this.#expiresAt = Math.floor(deps.clock.wallMs() / 1000) + deps.sessionMinutes * 60
    this.#writer = new Writer(socket, deps.clock, () => this.#stalled())
    const view = this.#view()
    const shape = start.shape === 'beta' ? betaShape(view) : GA
    this.#encoder = new Encoder(view, this.#writer.write, shape)
    this.#shape = start.shape
  }

  /** Sends `session.created` at once and begins. Resolves when the session's outputs ended. */
  async run(): Promise<void> {
    this.#encoder.sessionCreated()
    this.#media?.attach({
      news: (what, responseId) => this.#encoder.outputBuffer(what, responseId),
      send: (event) => this.#session.send(event),
      heard: (pcm) => this.#session.audio(pcm),
    })
    this.#pingLater()
    this.#timers.push(this.#deps.clock.setTimer(this.#deps.sessionMinutes * 60_000, () => this.#expired()))
    try {
      await this.#pump()
      // More was said than the client read: the queue to it overflowed.
      if (this.#session.closedFor === 'limit') return this.#stalled()
      await this.#writer.ready()
      const message = 'The server has ended this session.'
      this.#end(1001, message, { type: 'server_error', code: 'session_closed', message }, 'client')
    } catch (error) {
      this.#deps.note('realtime session failed', { sessionId: this.#session.id, error: errorText(error) })
      const message = 'The session failed.'
      this.#end(1011, message, { type: 'server_error', code: 'internal_error', message }, 'error')
    }
  }

  get #session(): Session {
    return this.#attachment.session
  }

  /** A frame of the client. Handled whole before it returns. */
  message(frame: Buffer, isBinary: boolean): void {
    if (!this.#measure(frame.length)) return
    this.#silentPings = 0
    try {
      const { outputFormat, kind } = this.#session.settings
      const context = {
        outputFormat,
        sound: this.#media ? 'beside' : 'inside',
        ...(kind === undefined ? {} : { kind }),
      } as const
      this.#handle(isBinary ? BINARY_FRAME : parseFrame(frame, context, this.#shape))
    } catch (error) {
      this.#deps.note('realtime event failed', { sessionId: this.#session.id, error: errorText(error) })
      this.#encoder.error({ type: 'server_error', code: 'internal_error', message: 'The event failed.' })
    }
  }

  /** A message of so many bytes came and was not read, since none may be above `maxBytes`. */
  tooLarge(bytes: number, maxBytes: number): void {
    if (!this.#measure(bytes)) return
    this.#silentPings = 0
    const message = `An event above ${maxBytes} bytes does not fit the data channel and was not read.`
    this.#handle(refusal('event_too_large', message))
  }

  /** False: the connection is over, perhaps because of these bytes. */
  #measure(bytes: number): boolean {
    if (this.#over) return false
    if (this.#meter?.take(Math.max(bytes, MIN_EVENT_BYTES)) === 'warn') {
      const message = 'The client sends faster than it may. If it goes on, the session ends.'
      this.#encoder.error({ type: 'rate_limit_error', code: 'input_too_fast', message })
    }
    return !this.#over
  }

  /** A ping (which the socket answers itself) or a pong. */
  signOfLife(): void {
    this.#silentPings = 0
    if (!this.#measure(0)) return
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.#vanish()
  }

  /** The socket is gone. */
  closed(): void {
    this.#stop('client')
  }

  #handle(parsed: Parsed): void {
    switch (parsed.kind) {
      case 'audio':
        this.#attachment.begin()
        return this.#hear(parsed)
      case 'clearOutput':
        return this.#media?.clear()
      case 'event':
        this.#attachment.begin()
        if (parsed.event.type === 'respond' && this.#allowance()?.remaining === 0)
          return this.#encoder.error({ ...OVER_RATE, ref: parsed.event.ref })
        return this.#session.send(parsed.event)
      case 'update': {
        const refused = this.#attachment.update(parsed.update, parsed.ref)
        if (refused) return this.#handle(refused)
        const { inputCodec, outputCodec } = parsed.update.echo
        if (inputCodec === 'opus' || outputCodec === 'opus')
          this.#opus ??= new OpusEvents((pcm) => this.#session.audio(pcm))
        this.#inputCodec = inputCodec ?? this.#inputCodec
        return
      }
      case 'refused':
        return this.#encoder.error({ ...parsed, type: ERRORS[parsed.code].type })
      default:
        parsed satisfies never
    }
  }

  #hear({ bytes, sequence, ref }: Extract<Parsed, { kind: 'audio' }>): void {
    if (!this.#opus || this.#inputCodec !== 'opus') return this.#session.audio(bytes)
    try {
      this.#opus.hear(bytes, sequence)
    } catch (error) {
      if (!(error instanceof OpusPacketError)) throw error
      this.#handle(refusal('invalid_value', "Invalid 'audio': not a packet of Opus.", 'audio', ref))
    }
  }

  /** Packets go out whole; what an answer leaves over is filled up at its end. */
  #speak(output: SessionOutput, opus: OpusEvents): void {
    const last = this.#lastAudio
    if (output.type === 'answerAudio') {
      if (last?.responseId !== output.responseId) opus.forget()
      this.#lastAudio = output
      for (const audio of opus.say(output.audio)) this.#encoder.output({ ...output, audio })
    } else if (output.type === 'answerDone' && last) {
      for (const audio of opus.finish()) this.#encoder.output({ ...last, audio })
      this.#lastAudio = undefined
    }
  }

  /** Ends when the session's outputs do. Taking one is what "sent" means, so each waits for room. */
  async #pump(): Promise<void> {
    for (let session: Session | undefined; session !== this.#session; ) {
      session = this.#session
      for await (const output of session.outputs) {
        if (this.#over) return
        if (session !== this.#session) break
        if (this.#opus) await this.#opus.ready
        this.#take(output)
        if (this.#writer.blocked) await this.#writer.ready()
      }
    }
  }

  #take(output: SessionOutput): void {
    if (this.#media?.output(output) === 'taken') {
      if (output.type === 'answerAudio') this.#attachment.voiced()
      return
    }
    if (this.#opus && this.#attachment.echo.outputCodec === 'opus') this.#speak(output, this.#opus)
    switch (output.type) {
      case 'settingsApplied':
        if (this.#attachment.applied()) this.#encoder.sessionUpdated()
        return
      case 'responseCreated':
        this.#attachment.begin()
        this.#encoder.output(output)
        return this.#count(output.response.id)
      case 'responseDone': {
        this.#encoder.output(output)
        const allowance = this.#allowance()
        return allowance ? this.#encoder.rateLimits(allowance) : undefined
      }
      case 'refused':
        // The response that was over the rate had ended by itself.
        if (output.ref === OVER_RATE_REF) return
        return this.#encoder.output({ ...output, ref: this.#attachment.refused(output.ref) })
      case 'itemRetrieved':
        // Seconds of it do not fit a data channel's message.
        return this.#encoder.output(this.#media ? { ...output, audio: null } : output)
      case 'listingTools':
        return this.#encoder.output(output)
      case 'answerAudio':
        this.#attachment.voiced()
        if (this.#attachment.echo.outputCodec !== 'opus') this.#encoder.output(output)
        return
      default:
        // What a server lists nobody has said.
        if (!('item' in output && output.item.type === 'listedTools')) this.#attachment.begin()
        this.#encoder.output(output)
    }
  }

  #allowance(): Allowance | null {
    return this.#deps.responseRates?.allowance(this.#keyId) ?? null
  }

  /** A response that speech began is not asked for, so it can only be stopped. */
  #count(responseId: string): void {
    if (this.#deps.responseRates?.take(this.#keyId) ?? true) return
    this.#encoder.error(OVER_RATE)
    this.#session.send({ type: 'cancelResponse', responseId, ref: OVER_RATE_REF })
  }

  #pingLater(): void {
    this.#timers[0] = this.#deps.clock.setTimer(PING_MS, () => {
      if (this.#silentPings++ >= MAX_SILENT_PINGS) return this.#vanish()
      this.#socket.ping()
      this.#pingLater()
    })
  }

  #expired(): void {
    const message = `Your session hit the maximum duration of ${this.#deps.sessionMinutes} minutes.`
    const error = { type: 'invalid_request_error', code: 'session_expired', message } as const
    this.#end(1001, message, error, 'expired')
  }

  #flooded(): void {
    const message = 'The client has sent more than it may.'
    const error = { type: 'rate_limit_error', code: 'input_too_fast', message } as const
    this.#end(1008, 'rate_limit_error.input_too_fast', error, 'limit')
  }

  #stalled(): void {
    const message = 'The client reads too slowly; what was waiting for it has been dropped.'
    const error = { type: 'invalid_request_error', code: 'slow_reader', message } as const
    this.#end(1008, 'invalid_request_error.slow_reader', error, 'limit')
  }

  /** An error, then a close; if the far side does not answer that, the socket is cut. */
  #end(code: number, reason: string, error: WireError, closeReason: CloseReason): void {
    if (this.#over) return
    this.#writer.end(this.#encoder.errorText(error))
    this.#stop(closeReason)
    this.#socket.close(code, reason)
    this.#timers.push(this.#deps.clock.setTimer(CLOSE_GRACE_MS, () => this.#socket.terminate()))
  }

  #vanish(): void {
    this.#stop('client')
    this.#socket.terminate()
  }

  /** Idempotent. */
  #stop(reason: CloseReason): void {
    for (const timer of this.#timers.splice(0)) timer.cancel()
    if (this.#over) return
    this.#over = true
    this.#meter?.close()
    this.#writer.end()
    this.#media?.close()
    this.#opus?.close()
    this.#session.close(reason).catch((error: unknown) => {
      this.#deps.note('closing a session failed', { sessionId: this.#session.id, error: errorText(error) })
    })
  }

  #view() {
    const connection = this
    return {
      model: this.#model,
      expiresAt: this.#expiresAt,
      conversationId: this.#conversationId,
      get sessionId() {
        return connection.#session.id
      },
      get settings() {
        return connection.#session.settings
      },
      get echo() {
        return connection.#attachment.echo
      },
    }
  }
}

/** Ours, so that no client's id is taken for it: those that it writes are never longer than 512. */
const OVER_RATE_REF = `parley:over-rate:${'-'.repeat(512)}`
const OVER_RATE: WireError = {
  type: 'rate_limit_error',
  code: 'rate_limit_exceeded',
  message: 'This key has begun as many responses as it may for now.',
}

const BINARY_FRAME = refusal(
  'invalid_event',
  'Expected a text WebSocket message; binary frames are not supported.',
)

function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'
}
