/**
 * Cartesia's TTS WebSocket for tests, over a real socket or in memory. It refuses what the documents forbid; what it
 * objected to stands in `mistakes`. Sources: `src/provider/cartesia/wire.ts`. What the documents leave open is an
 * option: which number a `flush_done` bears, whether words' times start again after a flush, whether a context that
 * dies of age says so.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { formatOf, requestMistakes, sameContext } from './cartesia-mistakes.ts'
import { KEEP_ALIVE_MS, lengthOf, type SoundOptions, type TtsFault, wordsOf } from './double.ts'
import { type Strikes, sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

export const CARTESIA_KEY = 'sk_car_fake_0123456789'

const IDLE_MS = 300_000
const CONTEXT_LIFE_MS = 1_000

export interface FakeCartesiaOptions extends SoundOptions {
  /** `none`: older versions. */
  readonly flushDone?: 'its own number' | 'the next number' | 'none'
  /** Chunks and timestamps carry `flush_id`. */
  readonly flushIds?: 'yes' | 'no'
  readonly wordTimes?: 'from the context' | 'from the flush'
  readonly oldContext?: 'dies in silence' | 'says done'
  /** Contexts at once, over all connections: the plan's. */
  readonly concurrency?: number
}

export class FakeCartesia extends SocketVoice<FakeCartesiaOptions> {
  /** Ids of all contexts there ever were. */
  readonly contexts = new Set<string>()
  active = 0
  readonly #mouths = new Set<Mouth>()

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'cartesia', apiKey: CARTESIA_KEY, baseUrl }
  }

  protected upgrade({ url, headers }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    if (url.pathname !== '/tts/websocket') return { status: 404 }
    const bearer = headers['authorization'] === `Bearer ${CARTESIA_KEY}`
    const known = headers['x-api-key'] === CARTESIA_KEY || url.searchParams.get('api_key') === CARTESIA_KEY
    if (fault === 'refuse_auth' || !(known || bearer)) return { status: 401 }
    const version = headers['cartesia-version'] ?? url.searchParams.get('cartesia_version') ?? ''
    if (!/^\d{4}-\d\d-\d\d$/.test(version)) return { status: 400, body: 'no version' }
    return (mouth) => {
      this.#mouths.add(mouth)
      return new Connection(this, mouth)
    }
  }

  /** A message out of turn. */
  says(context_id: string, message: object): void {
    for (const mouth of this.#mouths) mouth.send({ context_id, ...message })
  }

  /** Resolves once a frame was heard. */
  heard(which: (frame: Fields) => boolean): Promise<void> {
    return this.hears(which)
  }
}

type Job = { readonly text: string } | 'flush' | 'end'

interface Context {
  readonly id: string
  readonly first: Fields
  readonly format: AudioFormat
  readonly jobs: Job[]
  /** The last transcript that was not empty. */
  last: string
  flushId: number
  /** Sound so far, and when the flush began. */
  soundMs: number
  flushedMs: number
  busy: boolean
  cancelled: boolean
  /** What ends the sentence is said twice. */
  twice: boolean
  death: Timer | undefined
}

class Connection implements VoiceTalk {
  readonly #contexts = new Map<string, Context>()
  #idle: Timer | undefined

  constructor(
    private readonly double: FakeCartesia,
    private readonly mouth: Mouth,
  ) {
    this.#touch()
  }

  gone(): void {
    this.double.active -= this.#contexts.size
    this.#contexts.clear()
  }

  heard(frame: Fields): void {
    this.#touch()
    const id = frame['context_id']
    if (typeof id !== 'string') return this.refuse('no context_id')
    if (frame['cancel'] === true) return this.#cancel(id, frame)
    const mistakes = requestMistakes(frame)
    if (mistakes.length > 0) return this.refuse(mistakes.join('; '), id)
    const context = this.#contexts.get(id) ?? this.#begin(id, frame)
    if (context) this.#take(context, frame)
  }

  #begin(id: string, frame: Fields): Context | undefined {
    const { contexts, options } = this.double
    if (contexts.has(id)) {
      this.refuse(`context ${id} is over, or of another connection`, id)
      return undefined
    }
    if (this.double.active >= (options.concurrency ?? 1_000)) {
      this.#error(id, 429, 'concurrency_limited')
      return undefined
    }
    contexts.add(id)
    this.double.active++
    const context: Context = {
      id,
      first: frame,
      format: formatOf(frame),
      jobs: [],
      last: '',
      flushId: 1,
      soundMs: 0,
      flushedMs: 0,
      busy: false,
      cancelled: false,
      twice: false,
      death: undefined,
    }
    this.#contexts.set(id, context)
    return context
  }

  #take(context: Context, frame: Fields): void {
    const { id, first } = context
    const text = frame['transcript'] as string
    if (!sameContext(first, frame)) return this.refuse('another setting inside a context', id)
    if (text !== '') {
      const glued = context.last !== '' && !/\s$/.test(context.last) && !/^\s/.test(text)
      if (glued) return this.refuse('two transcripts without a space between them', id)
      context.last = text
      context.jobs.push({ text })
    }
    if (frame['flush'] === true) context.jobs.push('flush')
    if (frame['continue'] !== true) context.jobs.push('end')
    context.death?.cancel()
    this.#work(context)
  }

  #work(context: Context): void {
    if (context.busy || !this.#contexts.has(context.id)) return
    const job = context.jobs.shift()
    if (job === undefined) {
      context.death?.cancel()
      context.death = this.mouth.after(CONTEXT_LIFE_MS, () => this.#dies(context))
    } else if (job === 'end') this.#end(context, 'done')
    else if (job === 'flush') {
      this.#flush(context)
      this.#work(context)
    } else {
      // Text that nothing pushes out waits for more.
      const pushed = context.jobs.length > 0 || context.first['max_buffer_delay_ms'] === 0
      const waitMs = pushed ? 0 : Number(context.first['max_buffer_delay_ms'] ?? 3_000)
      context.busy = true
      this.#speak(context, job.text, waitMs)
    }
  }

  #flush(context: Context): void {
    const { flushDone = 'its own number' } = this.double.options
    const flush_id = flushDone === 'the next number' ? context.flushId + 1 : context.flushId
    context.flushId++
    context.flushedMs = context.soundMs
    if (flushDone === 'none' || context.cancelled) return
    const message = { type: 'flush_done', flush_done: true, flush_id, data: '' }
    this.#send(context, message)
    if (context.twice) this.#send(context, message)
  }

  #dies(context: Context): void {
    if (this.double.options.oldContext === 'says done') this.#end(context, 'done')
    else this.#end(context, 'silence')
  }

  #end(context: Context, how: 'done' | 'silence'): void {
    context.death?.cancel()
    if (!this.#contexts.delete(context.id)) return
    this.double.active--
    if (how === 'done') this.#send(context, { type: 'done', done: true })
    if (how === 'done' && context.twice) this.#send(context, { type: 'done', done: true })
  }

  /** Only what has not begun is stopped. */
  #cancel(id: string, frame: Fields): void {
    if (Object.keys(frame).length !== 2) return this.refuse('a cancel with other fields', id)
    const context = this.#contexts.get(id)
    if (!context) return
    context.jobs.length = 0
    context.cancelled = true
    if (!context.busy) this.#end(context, 'silence')
  }

  #speak(context: Context, text: string, waitMs: number): void {
    const { mouth, double } = this
    const sentence = sentenceOf(double, text, context.format, context)
    mouth.say(sentence, {
      afterMs: waitMs,
      chunk: ({ audio, startMs }) => {
        this.#timestamps(context, text, startMs)
        const data = Buffer.from(audio).toString('base64')
        this.#send(context, { type: 'chunk', data, step_time: 3, ...this.#flushId(context) })
      },
      ends: () => {
        const { chunks, fault } = sentence
        context.busy = false
        context.soundMs += chunks.length === 0 ? 0 : lengthOf(text, double.options.msPerChar ?? 50)
        if (fault === 'no_final') return void (context.jobs.length = 0)
        if (context.cancelled) return this.#end(context, 'silence')
        context.twice = fault === 'duplicate_final'
        this.#work(context)
      },
      strikes: this.#strikes(context),
    })
  }

  #flushId({ flushId }: Context): object {
    return this.double.options.flushIds === 'no' ? {} : { flush_id: flushId }
  }

  /** Words that begin in the chunk at `startMs`, in seconds. */
  #timestamps(context: Context, text: string, startMs: number): void {
    if (context.first['add_timestamps'] !== true) return
    const { chunkMs = 100, wordTimes = 'from the context' } = this.double.options
    const base = wordTimes === 'from the context' ? context.soundMs : context.soundMs - context.flushedMs
    const words = wordsOf(text, this.double.options).filter(
      (word) => word.startMs >= startMs && word.startMs < startMs + chunkMs,
    )
    if (words.length === 0) return
    const word_timestamps = {
      words: words.map(({ word }) => word),
      start: words.map((word) => (base + word.startMs) / 1000),
      end: words.map(({ endMs }) => (base + endMs) / 1000),
    }
    this.#send(context, { type: 'timestamps', word_timestamps, ...this.#flushId(context) })
  }

  #strikes(context: Context): Strikes {
    const fail = (status: number, code: string) => () => {
      this.#end(context, 'silence')
      this.#error(context.id, status, code)
    }
    return {
      malformed_json: () => this.mouth.peer.send('{"type":"chunk","data":"SECRET'),
      error_without_context: () => this.#error(undefined, 503, 'internal_error'),
      error_in_context: fail(400, 'invalid_transcript'),
      refuse_in_context: fail(503, 'internal_error'),
      rate_in_context: fail(429, 'concurrency_limited'),
      keep_alives_only: () => this.#keepAlive(context),
    }
  }

  #keepAlive(context: Context): void {
    if (context.cancelled) return this.#end(context, 'silence')
    this.#send(context, { type: 'timestamps', word_timestamps: { words: [], start: [], end: [] } })
    this.mouth.after(KEEP_ALIVE_MS, () => this.#keepAlive(context))
  }

  #touch(): void {
    this.#idle?.cancel()
    this.#idle = this.mouth.after(IDLE_MS, () => this.mouth.peer.close(1000, 'connection idle timeout'))
  }

  refuse(what: string, id?: string): void {
    this.double.mistakes.push(what)
    this.#error(id, 400, 'invalid_request')
  }

  #error(context_id: string | undefined, status_code: number, error_code: string): void {
    const facts = { title: 'Refused', message: 'SECRET-IN-MESSAGE', error_code, status_code }
    this.mouth.send({
      type: 'error',
      done: true,
      ...facts,
      request_id: 'r',
      ...(context_id && { context_id }),
    })
  }

  #send({ id }: Context, message: object): void {
    this.#touch()
    this.mouth.send({ done: false, status_code: 206, context_id: id, ...message })
  }
}
