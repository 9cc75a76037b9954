/**
 * A double of AssemblyAI Universal-Streaming v3. It checks what it is sent and closes with AssemblyAI's codes; what it
 * hears is data. The official SDK is run against it in `test/sdks`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import {
  fieldsOf,
  type HeardWord,
  Outlet,
  type SttDirections,
  type SttDouble,
  type SttDoubleOptions,
  type SttSessionRecord,
  saidBy,
  sttDouble,
} from './double.ts'

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  pcm_s16le: 'pcm16',
  pcm_mulaw: 'mulaw',
}
const MODELS = new Set(
  `universal-streaming-english universal-streaming-multilingual u3-rt-pro u3-rt-pro-beta-1 whisper-rt
  universal-3-5-pro universal-3-6 universal-3-6-pro u3-pro`.split(/\s+/),
)
const QUERY = new Set(
  `token sample_rate encoding speech_model format_turns end_of_turn_confidence_threshold min_turn_silence
  min_end_of_turn_silence_when_confident max_turn_silence vad_threshold keyterms_prompt prompt agent_context
  language_code language_codes language_detection inactivity_timeout speaker_labels max_speakers mode
  interruption_delay turn_left_pad_ms continuous_partials include_partial_turns session_heartbeat acknowledge_silence
  voice_focus voice_focus_threshold filter_profanity domain redact_pii redact_pii_policies redact_pii_sub llm_gateway`.split(
    /\s+/,
  ),
)
/** What each message may hold besides its `type`. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  ForceEndpoint: [],
  KeepAlive: [],
  Terminate: [],
  UpdateConfiguration: [
    'end_of_turn_confidence_threshold',
    'min_turn_silence',
    'max_turn_silence',
    'vad_threshold',
    'format_turns',
    'keyterms_prompt',
    'prompt',
    'language_codes',
  ],
}
/** Between two partials. */
const PARTIAL_MS = 200
const HEARTBEAT_MS = 1_000
/** A silence that it calls a pause: `utterance` has what was said before. */
const PAUSE_MS = 160
/** A heartbeat of a recogniser that has not heard anything. */
const NOTHING = {
  type: 'Heartbeat',
  total_audio_received_ms: 0,
  total_duration_ms: 0,
  realtime_factor: 0,
  max_speech_probability: 0,
}
/** How far audio may run ahead: twice real time after this much. A guess; the real figure is not said. */
const AHEAD_MS = 2_000

export interface FakeAssemblyAiOptions extends SttDoubleOptions {
  /** From the beginning to the session's end. */
  readonly sessionMs?: number
}

export function fakeAssemblyAi(options: FakeAssemblyAiOptions = {}): SttDouble {
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'assemblyai', apiKey, baseUrl })
  return sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (url.pathname !== '/v3/ws') return { status: 404 }
    const given = url.searchParams.get('token') ?? headers['authorization']
    const isKnown = given === key && script.fault !== 'refuse_auth'
    const mistake = isKnown ? queryMistake(url.searchParams) : 'auth'
    return (peer, record) => new Streaming(peer, record, { ...options, clock, script }, mistake)
  })
}

function queryMistake(query: URLSearchParams): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY.has(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  if (!MODELS.has(query.get('speech_model') ?? '')) return 'speech_model is missing or unknown'
  if (!ENCODINGS[query.get('encoding') ?? 'pcm_s16le']) return 'this double takes pcm_s16le and pcm_mulaw'
  if (!/^\d{4,5}$/.test(query.get('sample_rate') ?? '')) return 'sample_rate is missing'
  const threshold = Number(query.get('end_of_turn_confidence_threshold') ?? 0.4)
  if (!(threshold >= 0 && threshold <= 1)) return 'end_of_turn_confidence_threshold is 0 to 1'
  const [least, longest] = [query.get('min_turn_silence') ?? '400', query.get('max_turn_silence') ?? '1280']
  if (!/^\d+$/.test(least) || !/^\d+$/.test(longest)) return 'silences are whole milliseconds'
  if (Number(least) > Number(longest)) return 'min_turn_silence is above max_turn_silence'
  return undefined
}

class Streaming implements DoubleTalk {
  readonly #out: Outlet
  readonly #format: AudioFormat
  readonly #formatted: boolean
  readonly #detects: boolean
  /** Words of the turn that an `utterance` had already. */
  #toldPauses = 0
  /** Sure enough of the end after the least silence, or not after the longest. */
  readonly #rules: { readonly confidence: number; readonly leastMs: number; readonly longestMs: number }
  readonly #startedAt: number
  #turn = 0
  #partialAtMs = 0
  #beatAtMs = 0
  #next = 0
  /** Words before are of an ended turn. */
  #over = false

  constructor(
    peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly options: FakeAssemblyAiOptions & SttDirections,
    mistake: string | undefined,
  ) {
    const { clock, script, sessionMs = 3 * 3_600_000 } = options
    const { searchParams: query } = record.url
    const encoding = ENCODINGS[query.get('encoding') ?? 'pcm_s16le'] ?? 'pcm16'
    this.#format = { encoding, sampleRateHz: Number(query.get('sample_rate')) || 16_000 }
    this.#formatted = query.get('format_turns') === 'true'
    this.#detects = query.get('language_detection') === 'true'
    this.#rules = {
      confidence: Number(query.get('end_of_turn_confidence_threshold') ?? 0.4),
      leastMs: Number(query.get('min_turn_silence') ?? 400),
      longestMs: Number(query.get('max_turn_silence') ?? 1280),
    }
    this.#startedAt = clock.now()
    this.#out = new Outlet(peer, record, clock, script, this.#format, NOTHING)
    // The client must have its socket before it hears of it.
    queueMicrotask(() => this.#begin(mistake, sessionMs, query.get('session_heartbeat') === 'true'))
  }

  #begin(mistake: string | undefined, sessionMs: number, heartbeat: boolean): void {
    if (mistake === 'auth') return this.#fail(4001, 'Not authorized')
    if (mistake !== undefined) return this.#refuse(mistake, 3006, 'Input validation error')
    if (this.options.script.fault === 'wrong_sample_rate') return this.#fail(4000, 'Bad sample rate')
    const expires_at = Math.floor((this.options.clock.wallMs() + sessionMs) / 1000)
    this.#out.sendNow({ type: 'Begin', id: '00000000-0000-4000-8000-000000000000', expires_at })
    this.#out.later(sessionMs, () => this.#fail(3008, 'Session expired'))
    if (heartbeat) this.#out.later(HEARTBEAT_MS, () => this.#beat())
  }

  binary(bytes: Uint8Array): void {
    if (this.#over) return
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) {
      return this.#refuse('half a sample', 3006, 'Input validation error')
    }
    const before = this.record.audioMs
    this.#out.heard(bytes, () => this.#out.sendNow({ type: 'Error', error: 'something went wrong' }))
    const { audioMs } = this.record
    const frameMs = audioMs - before
    if (frameMs < 49.9 || frameMs > 1000.1) {
      return this.#refuse(`a frame of ${frameMs} ms`, 3007, 'Input duration violation')
    }
    if (audioMs > 2 * (this.options.clock.now() - this.#startedAt) + AHEAD_MS) {
      return this.#refuse('audio too fast', 3007, 'Audio transmission rate exceeded')
    }
    const words = saidBy(audioMs, this.options.script, this.#next)
    if (this.#isOver(words, audioMs)) return this.#endTurn()
    if (this.#pauses(words, audioMs)) return this.#tellPause(words)
    if (words.length === 0 || audioMs - this.#partialAtMs < PARTIAL_MS) return
    this.#partialAtMs = audioMs
    this.#out.say(this.#turnOf(words, { end_of_turn: false, turn_is_formatted: false }))
  }

  text(text: string): void {
    const message = fieldsOf(text)
    const allowed = message && MESSAGES[message.type]
    const strange =
      message && Object.keys(message).find((name) => name !== 'type' && !allowed?.includes(name))
    if (!message || !allowed || strange !== undefined) {
      return this.#refuse(`not a message: ${text}`, 3006, 'Input validation error')
    }
    this.#out.heardMessage(message.type)
    if (message.type === 'ForceEndpoint') this.#endTurn()
    else if (message.type === 'Terminate') this.#terminate()
  }

  gone(close: { code: number; reason: string }): void {
    this.#out.gone(close)
  }

  #isOver(words: readonly HeardWord[], audioMs: number): boolean {
    const last = words.at(-1)
    if (!last) return false
    const { confidence, leastMs, longestMs } = this.#rules
    const silenceMs = audioMs - last.endMs
    return silenceMs >= longestMs || (silenceMs >= leastMs && (last.endsTurn ?? 0) >= confidence)
  }

  /** Where no turn has begun, none ends. */
  #endTurn(): void {
    const words = saidBy(this.record.audioMs, this.options.script, this.#next)
    if (words.length === 0) return
    this.#out.say(this.#turnOf(words, { end_of_turn: true, turn_is_formatted: false }), 'final')
    if (this.#formatted) {
      this.#out.say(this.#turnOf(words, { end_of_turn: true, turn_is_formatted: true }), 'final')
    }
    this.#next += words.length
    this.#toldPauses = 0
    this.#turn++
    this.#partialAtMs = this.record.audioMs
  }

  #terminate(): void {
    const { script, clock } = this.options
    const { fault, answerMs = 0 } = script
    this.#over = true
    if (fault === 'late_after_cancel') this.#endTurn()
    this.#out.later(answerMs + (fault === 'late_after_cancel' ? 200 : 0), () => {
      this.#out.sendNow({
        type: 'Termination',
        audio_duration_seconds: this.record.audioMs / 1000,
        session_duration_seconds: (clock.now() - this.#startedAt) / 1000,
      })
      this.#out.peer.close(1000)
    })
  }

  /** A pause within a turn is told once. */
  #pauses(words: readonly HeardWord[], audioMs: number): boolean {
    const last = words.at(-1)
    return last !== undefined && words.length > this.#toldPauses && audioMs - last.endMs >= PAUSE_MS
  }

  #tellPause(words: readonly HeardWord[]): void {
    const utterance = words
      .slice(this.#toldPauses)
      .map(({ text }) => text)
      .join(' ')
    this.#toldPauses = words.length
    this.#out.say(this.#turnOf(words, { end_of_turn: false, turn_is_formatted: false, utterance }))
  }

  #turnOf(words: readonly HeardWord[], flags: object): object {
    const isOver = ('end_of_turn' in flags && flags.end_of_turn === true) || 'utterance' in flags
    return {
      type: 'Turn',
      turn_order: this.#turn,
      end_of_turn_confidence: words.at(-1)?.endsTurn ?? 0.1,
      transcript: words.map(({ text }) => text).join(' '),
      ...(this.#detects && { language_code: words.at(-1)?.language ?? 'en' }),
      utterance: '',
      words: words.map(({ text, startMs, endMs }, i) => ({
        start: startMs,
        end: endMs,
        text,
        confidence: 0.97,
        word_is_final: isOver || i < words.length - 1,
      })),
      ...flags,
    }
  }

  /** Was there a word since the last heartbeat? */
  #spokeUntil(audioMs: number): boolean {
    const words = this.options.script.words ?? []
    return words.some(({ startMs, endMs }) => startMs < audioMs && endMs > this.#beatAtMs)
  }

  #beat(): void {
    const total_audio_received_ms = Math.round(this.record.audioMs)
    const total_duration_ms = Math.round(this.options.clock.now() - this.#startedAt)
    this.#out.sendNow({
      type: 'Heartbeat',
      total_audio_received_ms,
      total_duration_ms,
      realtime_factor: total_audio_received_ms / Math.max(1, total_duration_ms),
      max_speech_probability: this.#spokeUntil(this.record.audioMs) ? 0.9 : 0.05,
    })
    this.#beatAtMs = this.record.audioMs
    this.#out.later(HEARTBEAT_MS, () => this.#beat())
  }

  #refuse(mistake: string, code: number, reason: string): void {
    this.record.mistakes.push(mistake)
    this.#fail(code, reason)
  }

  #fail(code: number, error: string): void {
    this.#over = true
    this.#out.sendNow({ type: 'Error', error_code: code, error })
    this.#out.peer.close(code, error)
  }
}
