/**
 * Cartesia's TTS WebSocket for tests, over a real socket or in memory. It refuses what the documents forbid; what it
 * objected to stands in `mistakes`. Sources: `src/provider/cartesia/wire.ts`. What the documents leave open is an
 * option: which number a `flush_done` bears, whether words' times start again after a flush, whether a context that
 * dies of age says so.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer } from '../carrier/sockets.ts'
import type { Double, ProviderEntry } from '../double.ts'
import { formatOf, requestMistakes, sameContext } from './cartesia-mistakes.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  KEEP_ALIVE_MS,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from './double.ts'

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

export class FakeCartesia implements Double {
  readonly options: Clocked<FakeCartesiaOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  /** Every frame heard, parsed. */
  readonly frames: Record<string, unknown>[] = []
  readonly addresses: URL[] = []
  /** Ids of all contexts there ever were. */
  readonly contexts = new Set<string>()
  active = 0
  readonly #connections = new Set<Connection>()
  #listeners: (() => void)[] = []

  constructor(options: FakeCartesiaOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'cartesia', apiKey: CARTESIA_KEY, baseUrl }
  }

  readonly server: DoubleServer = (request) => this.#upgrade(request)

  #upgrade({ url, headers }: DoubleRequest): DoubleAnswer {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    if (url.pathname !== '/tts/websocket') return { status: 404 }
    const bearer = headers['authorization'] === `Bearer ${CARTESIA_KEY}`
    const known = headers['x-api-key'] === CARTESIA_KEY || url.searchParams.get('api_key') === CARTESIA_KEY
    if (fault === 'refuse_auth' || !(known || bearer)) return { status: 401 }
    const version = headers['cartesia-version'] ?? url.searchParams.get('cartesia_version') ?? ''
    if (!/^\d{4}-\d\d-\d\d$/.test(version)) return { status: 400, body: 'no version' }
    this.addresses.push(url)
    return (peer) => {
      const connection = new Connection(this, peer)
      this.#connections.add(connection)
      return connection
    }
  }

  /** A message out of turn. */
  says(context_id: string, message: object): void {
    for (const connection of this.#connections) connection.says({ context_id, ...message })
  }

  /** Resolves once a frame was heard. */
  async heard(which: (frame: Record<string, unknown>) => boolean): Promise<void> {
    while (!this.frames.some(which)) await new Promise<void>((resolve) => this.#listeners.push(resolve))
  }

  took(frame: Record<string, unknown>): void {
    this.frames.push(frame)
    for (const listener of this.#listeners.splice(0)) listener()
  }
}

type Job = { readonly text: string } | 'flush' | 'end'

interface Context {
  readonly id: string
  readonly first: Record<string, unknown>
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

class Connection {
  readonly #double: FakeCartesia
  readonly #peer: DoublePeer
  readonly #timers: Timers
  readonly #contexts = new Map<string, Context>()
  #idle: Timer | undefined
  #over = false

  constructor(double: FakeCartesia, peer: DoublePeer) {
    this.#double = double
    this.#peer = peer
    this.#timers = new Timers(double.options.clock)
    this.#touch()
  }

  binary(): void {
    this.#refuse(undefined, 'a binary frame')
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
    this.#double.active -= this.#contexts.size
    this.#contexts.clear()
  }

  text(text: string): void {
    if (this.#over) return
    let frame: Record<string, unknown>
    try {
      frame = JSON.parse(text)
    } catch {
      return this.#refuse(undefined, 'a frame that is no JSON')
    }
    this.#double.took(frame)
    this.#touch()
    const id = frame['context_id']
    if (typeof id !== 'string') return this.#refuse(undefined, 'no context_id')
    if (frame['cancel'] === true) return this.#cancel(id, frame)
    const mistakes = requestMistakes(frame)
    if (mistakes.length > 0) return this.#refuse(id, mistakes.join('; '))
    const context = this.#contexts.get(id) ?? this.#begin(id, frame)
    if (context) this.#take(context, frame)
  }

  says(message: object): void {
    if (!this.#over) this.#peer.send(JSON.stringify(message))
  }

  #begin(id: string, frame: Record<string, unknown>): Context | undefined {
    const { contexts, options } = this.#double
    if (contexts.has(id)) {
      this.#refuse(id, `context ${id} is over, or of another connection`)
      return undefined
    }
    if (this.#double.active >= (options.concurrency ?? 1_000)) {
      this.#error(id, 429, 'concurrency_limited')
      return undefined
    }
    contexts.add(id)
    this.#double.active++
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

  #take(context: Context, frame: Record<string, unknown>): void {
    const { id, first } = context
    const text = frame['transcript'] as string
    if (!sameContext(first, frame)) return this.#refuse(id, 'another setting inside a context')
    if (text !== '') {
      const glued = context.last !== '' && !/\s$/.test(context.last) && !/^\s/.test(text)
      if (glued) return this.#refuse(id, 'two transcripts without a space between them')
      context.last = text
      context.jobs.push({ text })
    }
    if (frame['flush'] === true) context.jobs.push('flush')
    if (frame['continue'] !== true) context.jobs.push('end')
    context.death?.cancel()
    this.#work(context)
  }

  #work(context: Context): void {
    if (context.busy || this.#over || !this.#contexts.has(context.id)) return
    const job = context.jobs.shift()
    if (job === undefined) {
      context.death?.cancel()
      context.death = this.#timers.after(CONTEXT_LIFE_MS, () => this.#dies(context))
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
    const { flushDone = 'its own number' } = this.#double.options
    const flush_id = flushDone === 'the next number' ? context.flushId + 1 : context.flushId
    context.flushId++
    context.flushedMs = context.soundMs
    if (flushDone === 'none' || context.cancelled) return
    const message = { type: 'flush_done', flush_done: true, flush_id, data: '' }
    this.#send(context, message)
    if (context.twice) this.#send(context, message)
  }

  #dies(context: Context): void {
    if (this.#double.options.oldContext === 'says done') this.#end(context, 'done')
    else this.#end(context, 'silence')
  }

  #end(context: Context, how: 'done' | 'silence'): void {
    context.death?.cancel()
    if (!this.#contexts.delete(context.id)) return
    this.#double.active--
    if (how === 'done') this.#send(context, { type: 'done', done: true })
    if (how === 'done' && context.twice) this.#send(context, { type: 'done', done: true })
  }

  /** Only what has not begun is stopped. */
  #cancel(id: string, frame: Record<string, unknown>): void {
    if (Object.keys(frame).length !== 2) return this.#refuse(id, 'a cancel with other fields')
    const context = this.#contexts.get(id)
    if (!context) return
    context.jobs.length = 0
    context.cancelled = true
    if (!context.busy) this.#end(context, 'silence')
  }

  #speak(context: Context, text: string, waitMs: number): void {
    const { firstAudioMs = 0, everyMs = 10 } = this.#double.options
    const { format } = context
    const planned = this.#double.options.faultOf?.(text, context)
    const fault = planned?.fault ?? this.#double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, format, this.#double.options, hz)
    const strikesAt = planned?.at === 'start' ? 0 : Math.ceil(chunks.length / 2)
    let waited = planned?.waitMs === undefined
    const step = (at: number): void => {
      if (this.#over) return
      if (at === strikesAt && !waited) {
        waited = true
        return void this.#timers.after(planned?.waitMs ?? 0, () => step(at))
      }
      if (at === strikesAt && this.#misbehave(context, fault)) return
      const chunk = chunks[at]
      if (!chunk) {
        context.busy = false
        context.soundMs += chunks.length === 0 ? 0 : this.#spokenMs(text)
        if (fault === 'no_final') return void (context.jobs.length = 0)
        if (context.cancelled) return this.#end(context, 'silence')
        context.twice = fault === 'duplicate_final'
        return this.#work(context)
      }
      this.#timestamps(context, text, chunk.startMs)
      const data = Buffer.from(chunk.audio).toString('base64')
      this.#send(context, { type: 'chunk', data, step_time: 3, ...this.#flushId(context) })
      const drips = fault === 'slow_drip' && at >= (planned ? strikesAt : 0)
      this.#timers.after(drips ? (planned?.dripMs ?? DRIP_MS) : everyMs, () => step(at + 1))
    }
    this.#timers.after(waitMs + firstAudioMs, () => step(0))
  }

  #spokenMs(text: string): number {
    return text.trim().length * (this.#double.options.msPerChar ?? 50)
  }

  #flushId({ flushId }: Context): object {
    return this.#double.options.flushIds === 'no' ? {} : { flush_id: flushId }
  }

  /** Words that begin in the chunk at `startMs`, in seconds. */
  #timestamps(context: Context, text: string, startMs: number): void {
    if (context.first['add_timestamps'] !== true) return
    const { msPerChar = 50, chunkMs = 100, wordTimes = 'from the context' } = this.#double.options
    const base = wordTimes === 'from the context' ? context.soundMs : context.soundMs - context.flushedMs
    const words = [...text.trim().matchAll(/\S+/g)]
      .map((found) => ({ word: found[0], at: found.index * msPerChar }))
      .filter(({ at }) => at >= startMs && at < startMs + chunkMs)
    if (words.length === 0) return
    const word_timestamps = {
      words: words.map(({ word }) => word),
      start: words.map(({ at }) => (base + at) / 1000),
      end: words.map(({ word, at }) => (base + at + word.length * msPerChar) / 1000),
    }
    this.#send(context, { type: 'timestamps', word_timestamps, ...this.#flushId(context) })
  }

  /** True when nothing more of this sentence comes. */
  #misbehave(context: Context, fault: TtsFault | undefined): boolean {
    switch (fault) {
      case 'drop_mid_stream':
        this.#peer.drop()
        return true
      case 'silent_after_ms':
        return true
      case 'close_clean_early':
        this.#peer.close(1000, '')
        return true
      case 'malformed_json':
        this.#peer.send('{"type":"chunk","data":"SECRET')
        return true
      case 'error_without_context':
        this.#error(undefined, 503, 'internal_error')
        return true
      case 'error_in_context':
        this.#end(context, 'silence')
        this.#error(context.id, 400, 'invalid_transcript')
        return true
      case 'refuse_in_context':
        this.#end(context, 'silence')
        this.#error(context.id, 503, 'internal_error')
        return true
      case 'rate_in_context':
        this.#end(context, 'silence')
        this.#error(context.id, 429, 'concurrency_limited')
        return true
      case 'keep_alives_only':
        this.#keepAlive(context)
        return true
      default:
        return false
    }
  }

  #keepAlive(context: Context): void {
    if (context.cancelled) return this.#end(context, 'silence')
    this.#send(context, { type: 'timestamps', word_timestamps: { words: [], start: [], end: [] } })
    this.#timers.after(KEEP_ALIVE_MS, () => this.#keepAlive(context))
  }

  #touch(): void {
    this.#idle?.cancel()
    this.#idle = this.#timers.after(IDLE_MS, () => this.#peer.close(1000, 'connection idle timeout'))
  }

  #refuse(id: string | undefined, what: string): void {
    this.#double.mistakes.push(what)
    this.#error(id, 400, 'invalid_request')
  }

  #error(context_id: string | undefined, status_code: number, error_code: string): void {
    const facts = { title: 'Refused', message: 'SECRET-IN-MESSAGE', error_code, status_code }
    const message = {
      type: 'error',
      done: true,
      ...facts,
      request_id: 'r',
      ...(context_id && { context_id }),
    }
    if (!this.#over) this.#peer.send(JSON.stringify(message))
  }

  #send({ id }: Context, message: object): void {
    if (this.#over) return
    this.#touch()
    this.#peer.send(JSON.stringify({ done: false, status_code: 206, context_id: id, ...message }))
  }
}
