/**
 * A double of Deepgram v2 `listen` (Flux). It checks what it is sent, keeps Flux's order of a turn's events and closes as
 * Deepgram does; what it hears is data. The official SDK is run against it in `test/sdks`.
 *
 *     StartOfTurn ─► Update* ─► (EagerEndOfTurn ─► (TurnResumed ─► Update*)?)* ─► EndOfTurn
 *
 * A script's words are where the caller says them: silence that the client made up (zeros) moves them.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import { CallerAudio } from './caller-audio.ts'
import { audioMistake, deepgramDouble, formatOf } from './deepgram-listen.ts'
import {
  fieldsOf,
  type HeardWord,
  Outlet,
  type SttDouble,
  type SttDoubleOptions,
  type SttScript,
  type SttSessionRecord,
} from './double.ts'

const MODELS = ['flux-general-en', 'flux-general-multi']
const QUERY = new Set(
  `model encoding sample_rate eager_eot_threshold eot_threshold eot_timeout_ms keyterm language_hint profanity_filter
  numerals redact mip_opt_out tag`.split(/\s+/),
)
const UPDATE_MS = 240
const SILENCE_LIMIT_MS = 20_000
const REQUEST = '00000000-0000-4000-8000-000000000000'

export interface FakeFluxOptions extends SttDoubleOptions {
  /** `untimed` ones come without their times, as the SDK allows. */
  readonly words?: 'timed' | 'untimed'
}

export function fakeFlux(options: FakeFluxOptions = {}): SttDouble {
  const { words = 'timed' } = options
  return deepgramDouble(
    options,
    queryMistake,
    (peer, record, { clock, script }) => new Flux(peer, record, clock, script, words),
  )
}

function queryMistake({ pathname, searchParams: query }: URL): string | undefined {
  if (pathname !== '/v2/listen') return `no such path: ${pathname}`
  const unknown = [...query.keys()].find((name) => !QUERY.has(name))
  if (unknown !== undefined) return `unknown parameter: ${unknown}`
  const model = query.get('model') ?? ''
  if (!MODELS.includes(model)) return 'model is missing or unknown'
  if (query.has('language_hint') && model !== 'flux-general-multi') return 'language_hint is for multi'
  const wrong = audioMistake(query)
  if (wrong !== undefined) return wrong
  const { sure, eager, timeoutMs } = rulesOf(query)
  if (!(sure >= 0.5 && sure <= 1)) return 'eot_threshold is 0.5 to 1'
  if (eager !== undefined && !(eager >= 0.3 && eager <= 0.9 && eager <= sure)) return 'eager_eot_threshold'
  return timeoutMs >= 500 && timeoutMs <= 60_000 ? undefined : 'eot_timeout_ms is 500 to 60000'
}

function rulesOf(query: URLSearchParams) {
  const eager = query.get('eager_eot_threshold')
  return {
    sure: Number(query.get('eot_threshold') ?? 0.7),
    eager: eager === null ? undefined : Number(eager),
    timeoutMs: Number(query.get('eot_timeout_ms') ?? 5_000),
  }
}

/** How long after a word it is sure of the end, where the script says that it is. */
const EAGER_MS = 160
const SURE_MS = 320

class Flux implements DoubleTalk {
  readonly #out: Outlet
  readonly #format: AudioFormat
  readonly #caller: CallerAudio
  readonly #rules: ReturnType<typeof rulesOf>
  #sequence = 0
  #turn = 0
  #turnFromMs = 0
  #updateAtMs = 0
  /** Words from here on are of this turn. */
  #next = 0
  #state: 'none' | 'open' | 'eager' = 'none'

  constructor(
    peer: DoublePeer,
    private readonly record: SttSessionRecord,
    clock: Clock,
    private readonly script: SttScript,
    private readonly times: 'timed' | 'untimed',
  ) {
    const { searchParams: query } = record.url
    this.#format = formatOf(query)
    this.#caller = new CallerAudio(this.#format)
    this.#rules = rulesOf(query)
    this.#out = new Outlet(peer, record, clock, script, this.#format, this.#info('Update', []))
    // The client must have its socket before it hears of it.
    queueMicrotask(() =>
      this.#out.sendNow({ type: 'Connected', request_id: REQUEST, sequence_id: this.#sequence++ }),
    )
    this.#out.whenSilentFor(SILENCE_LIMIT_MS, () => peer.close(1011, 'NET-0001: no audio was received'))
  }

  binary(bytes: Uint8Array): void {
    if (this.script.fault === 'wrong_sample_rate') return this.#fail('UNPARSABLE_CLIENT_MESSAGE')
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) {
      this.record.mistakes.push('half a sample')
      return this.#fail('UNPARSABLE_CLIENT_MESSAGE')
    }
    this.#out.alive()
    const known = this.#caller.heard.length
    this.#out.heard(bytes, () => this.#fail('INTERNAL_SERVER_ERROR'))
    this.record.silentMs += this.#caller.take(bytes, this.script.words ?? [])
    this.#listen(known)
  }

  text(text: string): void {
    const message = fieldsOf(text)
    if (message?.type !== 'CloseStream' || Object.keys(message).length > 1) {
      // `ForceEndTurn` too: where it is not enabled, it is no message.
      this.record.mistakes.push(`not a message: ${text}`)
      return this.#fail('UNPARSABLE_CLIENT_MESSAGE')
    }
    this.#out.heardMessage(message.type)
    const late = this.script.fault === 'late_after_cancel' ? 200 : 0
    if (late > 0) this.#out.later(100, () => this.#out.sendNow(this.#info('Update', [])))
    this.#out.later((this.script.answerMs ?? 0) + late, () => this.#out.peer.close(1000))
  }

  gone(close: { code: number; reason: string }): void {
    this.#out.gone(close)
  }

  /** `known`: words that were heard before. */
  #listen(known: number): void {
    const { audioMs } = this.record
    const words = this.#caller.heard.slice(this.#next)
    const last = words.at(-1)
    if (this.#caller.heard.length > known) this.#goOn(words)
    if (last) this.#judge(words, last, audioMs)
    if (audioMs - this.#updateAtMs >= UPDATE_MS) this.#say('Update', this.#caller.heard.slice(this.#next))
  }

  /** There is another word. */
  #goOn(words: readonly HeardWord[]): void {
    const before = this.#state
    this.#state = 'open'
    if (before === 'none') this.#say('StartOfTurn', words)
    else if (before === 'eager') this.#say('TurnResumed', words)
  }

  #judge(words: readonly HeardWord[], last: HeardWord, audioMs: number): void {
    const { sure, eager = Number.POSITIVE_INFINITY, timeoutMs } = this.#rules
    const silenceMs = audioMs - last.endMs
    const confidence = last.endsTurn ?? 0
    if (silenceMs >= SURE_MS && confidence >= sure) return this.#end(words, 'model')
    if (silenceMs >= timeoutMs) return this.#end(words, 'timeout')
    if (this.#state !== 'open' || silenceMs < EAGER_MS || confidence < eager) return
    this.#state = 'eager'
    this.#say('EagerEndOfTurn', words)
  }

  #end(words: readonly HeardWord[], trigger: string): void {
    if (this.script.fault === 'no_final') return
    this.#say('EndOfTurn', words, { trigger })
    this.#state = 'none'
    this.#next = this.#caller.heard.length
    this.#turn++
    this.#turnFromMs = this.record.audioMs
  }

  #say(event: string, words: readonly HeardWord[], more: object = {}): void {
    this.#updateAtMs = this.record.audioMs
    this.#out.say({ ...this.#info(event, words), ...more }, event === 'EndOfTurn' ? 'final' : 'other')
  }

  #info(event: string, words: readonly HeardWord[]): object {
    return {
      type: 'TurnInfo',
      request_id: REQUEST,
      sequence_id: this.#sequence++,
      event,
      turn_index: this.#turn,
      audio_window_start: this.#turnFromMs / 1000,
      audio_window_end: this.record.audioMs / 1000,
      transcript: words.map(({ text }) => text).join(' '),
      words: words.map(({ text, startMs, endMs }) => ({
        word: text,
        confidence: 0.97,
        ...(this.times === 'timed' && { start: startMs / 1000, end: endMs / 1000 }),
      })),
      end_of_turn_confidence: words.at(-1)?.endsTurn ?? 0.05,
    }
  }

  #fail(code: string): void {
    const description = 'what went wrong'
    this.#out.sendNow({ type: 'Error', sequence_id: this.#sequence++, code, description })
    this.#out.peer.close(1011, code)
  }
}
