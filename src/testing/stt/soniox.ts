/**
 * A double of Soniox's real-time recognition. It checks what it is sent and ends the session with Soniox's codes; what it hears is
 * data, said in tokens smaller than words. The official SDK is run against it in `test/sdks`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import {
  FAKE_KEY,
  type HeardWord,
  Outlet,
  type SttDouble,
  type SttDoubleOptions,
  type SttScript,
  type SttSessionRecord,
  saidBy,
  sttDouble,
} from './double.ts'

const FORMATS: Readonly<Record<string, AudioFormat['encoding']>> = {
  pcm_s16le: 'pcm16',
  mulaw: 'mulaw',
  alaw: 'alaw',
}
const SETTINGS = new Set(
  `api_key model audio_format sample_rate num_channels language_hints language_hints_strict enable_speaker_diarization
  enable_language_identification enable_endpoint_detection client_reference_id max_endpoint_delay_ms endpoint_sensitivity
  endpoint_latency_adjustment_level context translation`.split(/\s+/),
)
const CONTEXT = new Set(['general', 'text', 'terms', 'translation_terms'])
/** Between two messages with what is not settled. */
const PARTIAL_MS = 200
/** What lies so far back it settles by itself. */
const SETTLES_AFTER_MS = 600
/** Before it is sure of an end. How long it waits, it does not say: a guess. */
const LEAST_SILENCE_MS = 400
const SILENCE_LIMIT_MS = 20_000
const KEEP_ALIVE = { tokens: [], final_audio_proc_ms: 0, total_audio_proc_ms: 0 }

type Fields = Readonly<Record<string, unknown>>

export interface FakeSoniox extends SttDouble {
  /** The first message of each session. */
  readonly starts: readonly Fields[]
}

export function fakeSoniox(options: SttDoubleOptions = {}): FakeSoniox {
  const starts: Fields[] = []
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'soniox', apiKey, baseUrl })
  const double = sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (url.pathname !== '/transcribe-websocket') return { status: 404 }
    const { authorization } = headers
    const isWrong = authorization !== undefined && authorization !== `Bearer ${key}`
    if (isWrong || script.fault === 'refuse_auth') return { status: 401 }
    // The SDK still sends its key in the first message.
    const expected = authorization === undefined ? key : undefined
    const judge = (start: Fields) => {
      starts.push(start)
      return start['api_key'] === expected ? startMistake(start) : 'auth'
    }
    return (peer, record) => new Session(peer, record, clock, script, judge)
  })
  return Object.assign(double, { starts })
}

function startMistake(start: Fields): string | undefined {
  const unknown = Object.keys(start).find((name) => !SETTINGS.has(name))
  if (unknown !== undefined) return `unknown setting ${unknown}`
  const { model, audio_format, sample_rate, num_channels, context } = start
  const version = Number(/^stt-rt-v([345])$/.exec(String(model))?.[1] ?? 0)
  if (version === 0) return 'model is missing or unknown'
  if (!FORMATS[String(audio_format)]) return 'this double takes pcm_s16le, mulaw and alaw'
  if (!Number.isInteger(sample_rate) || num_channels !== 1) return 'sample_rate and num_channels are needed'
  const delay = start['max_endpoint_delay_ms'] ?? 2_000
  if (typeof delay !== 'number' || delay < 500 || delay > 3_000) return 'max_endpoint_delay_ms is 500 to 3000'
  const sensitivity = start['endpoint_sensitivity'] ?? 0
  if (typeof sensitivity !== 'number' || Math.abs(sensitivity) > 1) return 'endpoint_sensitivity is -1 to 1'
  if (version < 5 && 'endpoint_sensitivity' in start) return 'endpoint_sensitivity came with v5'
  const strange = Object.keys((context as Fields) ?? {}).find((name) => !CONTEXT.has(name))
  return strange === undefined ? undefined : `unknown context ${strange}`
}

interface Token {
  readonly text: string
  readonly start_ms: number
  readonly end_ms: number
  readonly confidence: number
  readonly language: string
}

class Session implements DoubleTalk {
  #out: Outlet | undefined
  #format: AudioFormat = { encoding: 'pcm16', sampleRateHz: 16_000 }
  #endpoints: { readonly least: number; readonly maxDelayMs: number } | undefined
  #partialAtMs = 0
  #next = 0
  /** Of the turn. */
  #last: HeardWord | undefined
  #over = false

  constructor(
    private readonly peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly clock: Clock,
    private readonly script: SttScript,
    private readonly judge: (start: Fields) => string | undefined,
  ) {}

  text(text: string): void {
    if (this.#over) return
    if (text === '') return this.#finish()
    const fields = objectOf(text)
    if (!fields) return this.#refuse('no JSON object', 400)
    if (!this.#out) return this.#start(fields)
    const { type, ...more } = fields
    this.#out.alive()
    if (type === 'keepalive' && Object.keys(more).length === 0) return this.#out.heardMessage('keepalive')
    const isFinalize =
      type === 'finalize' && Object.keys(more).every((name) => name === 'trailing_silence_ms')
    if (!isFinalize) return this.#refuse(`not a message: ${text}`, 400)
    this.#out.heardMessage('finalize')
    this.#settle(saidBy(this.record.audioMs, this.script, this.#next), '<fin>')
  }

  binary(bytes: Uint8Array): void {
    if (this.#over) return
    if (bytes.length === 0) return this.#finish()
    if (!this.#out) return this.#refuse('audio before the start message', 400)
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) return this.#refuse('half a sample', 400)
    this.#out.alive()
    this.#out.heard(bytes, () => this.#fail(503))
    const { audioMs } = this.record
    const words = saidBy(audioMs, this.script, this.#next)
    this.#last = words.at(-1) ?? this.#last
    if (this.#last && this.#isOver(this.#last, audioMs)) return this.#settle(words, '<end>')
    if (!this.script.words || audioMs - this.#partialAtMs < PARTIAL_MS) return
    this.#partialAtMs = audioMs
    const old = words.filter(({ endMs }) => endMs <= audioMs - SETTLES_AFTER_MS)
    this.#next += old.length
    const fresh = words.slice(old.length)
    this.#say([...tokensOf(old, true), ...tokensOf(fresh, false)], old.length > 0 ? 'final' : 'other')
  }

  gone(close: { code: number; reason: string }): void {
    this.#over = true
    if (this.#out) this.#out.gone(close)
    else this.record.closed = close
  }

  #start(start: Fields): void {
    this.#format = {
      encoding: FORMATS[String(start['audio_format'])] ?? 'pcm16',
      sampleRateHz: Number(start['sample_rate']) || 16_000,
    }
    if (start['enable_endpoint_detection'] === true) {
      this.#endpoints = {
        least: 0.5 - Number(start['endpoint_sensitivity'] ?? 0) / 2,
        maxDelayMs: Number(start['max_endpoint_delay_ms'] ?? 2_000),
      }
    }
    this.#out = new Outlet(this.peer, this.record, this.clock, this.script, this.#format, KEEP_ALIVE)
    const mistake = this.judge(start)
    if (mistake === 'auth') return this.#fail(401)
    if (mistake !== undefined) return this.#refuse(mistake, 400)
    if (this.script.fault === 'wrong_sample_rate') return this.#fail(400)
    this.#out.whenSilentFor(SILENCE_LIMIT_MS, () => this.#fail(408))
  }

  /** Sure enough by what was said, or the longest delay is over. */
  #isOver(last: HeardWord, audioMs: number): boolean {
    if (!this.#endpoints) return false
    const { least, maxDelayMs } = this.#endpoints
    const silenceMs = audioMs - last.endMs
    return silenceMs >= maxDelayMs || (silenceMs >= LEAST_SILENCE_MS && (last.endsTurn ?? 0) >= least)
  }

  #settle(words: readonly HeardWord[], mark: string): void {
    this.#say([...tokensOf(words, true), { text: mark, is_final: true, confidence: 1 }], 'final')
    this.#next += words.length
    this.#last = undefined
    this.#partialAtMs = this.record.audioMs
  }

  #say(tokens: readonly object[], kind: 'final' | 'other'): void {
    const total_audio_proc_ms = Math.round(this.record.audioMs)
    this.#out?.say({ tokens, final_audio_proc_ms: total_audio_proc_ms, total_audio_proc_ms }, kind)
  }

  #finish(): void {
    if (!this.#out) return this.#refuse('no start message', 400)
    const { fault, answerMs = 0 } = this.script
    this.record.messages.push('end')
    this.#over = true
    if (fault === 'late_after_cancel')
      this.#settle(saidBy(this.record.audioMs, this.script, this.#next), '<end>')
    this.#out.later(answerMs + (fault === 'late_after_cancel' ? 200 : 0), () => {
      this.#out?.sendNow({ ...KEEP_ALIVE, finished: true })
      this.peer.close(1000)
    })
  }

  #refuse(mistake: string, code: number): void {
    this.record.mistakes.push(mistake)
    this.#fail(code)
  }

  #fail(error_code: number): void {
    this.#over = true
    this.peer.send(JSON.stringify({ error_code, error_message: `Soniox says ${FAKE_KEY}` }))
    this.peer.close(1000)
  }
}

/** Each word in two pieces, its space before it: an end or a full stop has none. */
function tokensOf(
  words: readonly HeardWord[],
  is_final: boolean,
): readonly (Token & { is_final: boolean })[] {
  return words.flatMap(({ text, startMs, endMs, language = 'en' }) => {
    const cut = Math.ceil(text.length / 2)
    const middle = Math.round((startMs + endMs) / 2)
    const more = { confidence: 0.97, language, is_final }
    const head = { text: ` ${text.slice(0, cut)}`, start_ms: startMs, end_ms: middle, ...more }
    const tail = { text: text.slice(cut), start_ms: middle, end_ms: endMs, ...more }
    return tail.text === '' ? [{ ...head, end_ms: endMs }] : [head, tail]
  })
}

function objectOf(text: string): Fields | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
