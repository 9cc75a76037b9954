/**
 * A double of Speechmatics real-time v2. It checks what it is sent and fails as Speechmatics does, by an `Error` and then a
 * close; what it hears is data. The official SDK is run against it in `test/sdks`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import {
  type HeardWord,
  Outlet,
  type SttDirections,
  type SttDouble,
  type SttDoubleOptions,
  type SttSessionRecord,
  sttDouble,
} from './double.ts'

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = { pcm_s16le: 'pcm16', mulaw: 'mulaw' }
const MODELS = ['standard', 'enhanced']
const CONFIG = new Set(
  `language domain output_locale additional_vocab diarization max_delay max_delay_mode speaker_diarization_config
  audio_filtering_config transcript_filtering_config enable_partials enable_entities operating_point model
  punctuation_overrides conversation_config channel_diarization_labels`.split(/\s+/),
)
/** What each message may hold besides its `message`. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  StartRecognition: ['audio_format', 'transcription_config', 'translation_config', 'audio_events_config'],
  ForceEndOfUtterance: ['channel', 'timestamp'],
  EndOfStream: ['last_seq_no'],
  SetRecognitionConfig: ['transcription_config'],
  GetSpeakers: ['final'],
}
/** Between two partials. */
const PARTIAL_MS = 200

export interface FakeSpeechmaticsOptions extends SttDoubleOptions {
  /** What a forced end is answered with where no word was said since the last. Left out: nothing. */
  readonly emptyEnds?: 'answered'
  /** Left out: a space. */
  readonly wordDelimiter?: string
}

export interface FakeSpeechmatics extends SttDouble {
  /** The first message of each. */
  readonly starts: readonly Record<string, unknown>[]
}

export function fakeSpeechmatics(options: FakeSpeechmaticsOptions = {}): FakeSpeechmatics {
  const starts: Record<string, unknown>[] = []
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'speechmatics', apiKey, baseUrl })
  const double = sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (url.pathname !== '/v2') return { status: 404 }
    const given = url.searchParams.get('jwt') ?? headers['authorization']?.replace(/^Bearer /, '')
    if (given !== key) return { status: 401 }
    return (peer, record) =>
      new Recognising(peer, record, { ...options, clock, script }, (start) => starts.push(start))
  })
  return Object.assign(double, { starts })
}

function startMistake(start: Record<string, unknown>): string | undefined {
  const format = start['audio_format'] as Record<string, unknown> | undefined
  if (format?.['type'] !== 'raw') return 'this double takes raw audio'
  if (!ENCODINGS[String(format['encoding'])]) return 'this double takes pcm_s16le and mulaw'
  if (!Number.isInteger(format['sample_rate'])) return 'sample_rate is missing'
  const config = (start['transcription_config'] ?? {}) as Record<string, unknown>
  const unknown = Object.keys(config).find((name) => !CONFIG.has(name))
  if (unknown !== undefined) return `unknown setting ${unknown}`
  if (!/^[a-z]{2,3}$/.test(String(config['language']))) return 'language is missing, or no ISO code'
  if (config['model'] !== undefined && !MODELS.includes(String(config['model']))) return 'no such model'
  const delay = Number(config['max_delay'] ?? 4)
  if (!(delay >= 0.7 && delay <= 4)) return 'max_delay is 0.7 to 4'
  const conversation = (config['conversation_config'] ?? {}) as Record<string, unknown>
  const trigger = Number(conversation['end_of_utterance_silence_trigger'] ?? 0)
  return trigger >= 0 && trigger <= 2 ? undefined : 'end_of_utterance_silence_trigger is 0 to 2'
}

class Recognising implements DoubleTalk {
  #out: Outlet
  #format: AudioFormat = { encoding: 'pcm16', sampleRateHz: 16_000 }
  #state: 'new' | 'started' | 'ended' = 'new'
  #delayMs = 4_000
  #triggerMs = 0
  #partials = false
  #partialAtMs = 0
  #next = 0
  /** A word was settled since the last end of an utterance. */
  #spoke = false

  constructor(
    private readonly peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly options: FakeSpeechmaticsOptions & SttDirections,
    private readonly onStart: (start: Record<string, unknown>) => void,
  ) {
    this.#out = this.#outlet()
  }

  #outlet(): Outlet {
    const { clock, script } = this.options
    return new Outlet(this.peer, this.record, clock, script, this.#format, { message: 'Info', type: 'none' })
  }

  get #script() {
    return this.options.script
  }

  binary(bytes: Uint8Array): void {
    if (this.#state === 'ended') return
    if (this.#state === 'new') return this.#refuse('audio before RecognitionStarted', 'protocol_error')
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) {
      return this.#refuse('half a sample', 'invalid_message')
    }
    this.#out.heard(bytes, () => this.#fail('job_error'))
    const { audioMs, framesMs } = this.record
    this.#out.sendNow({ message: 'AudioAdded', seq_no: framesMs.length })
    const due = this.#wordsUntil(audioMs).filter(({ endMs }) => audioMs - endMs >= this.#delayMs)
    if (due.length > 0) this.#settle(due)
    const last = this.#heardUntil(audioMs).at(-1)
    if (this.#triggerMs > 0 && last && this.#spokeAfterEnd() && audioMs - last.endMs >= this.#triggerMs) {
      return this.#endUtterance(audioMs)
    }
    if (!this.#partials || audioMs - this.#partialAtMs < PARTIAL_MS) return
    this.#partialAtMs = audioMs
    this.#out.say(this.#transcript('AddPartialTranscript', this.#wordsUntil(audioMs)))
  }

  text(text: string): void {
    const message = fieldsOf(text)
    const name = typeof message?.['message'] === 'string' ? message['message'] : ''
    const allowed = MESSAGES[name]
    const strange = Object.keys(message ?? {}).find((key) => key !== 'message' && !allowed?.includes(key))
    if (!message || !allowed || strange !== undefined) {
      return this.#refuse(`not a message: ${text}`, 'invalid_message')
    }
    this.#out.heardMessage(name)
    if (name === 'StartRecognition') return this.#start(message)
    if (this.#state !== 'started') return this.#refuse(`${name} out of order`, 'protocol_error')
    if (name === 'ForceEndOfUtterance') this.#force(message['timestamp'])
    else if (name === 'EndOfStream') this.#finish(message['last_seq_no'])
  }

  gone(close: { code: number; reason: string }): void {
    this.#out.gone(close)
  }

  #start(message: Record<string, unknown>): void {
    const { fault } = this.#script
    if (this.#state !== 'new') return this.#refuse('a second StartRecognition', 'protocol_error')
    this.onStart(message)
    if (fault === 'refuse_auth') return this.#fail('not_authorised')
    const mistake = startMistake(message)
    if (mistake !== undefined) return this.#refuse(mistake, 'invalid_config')
    if (fault === 'wrong_sample_rate') return this.#fail('invalid_audio_type')
    const format = message['audio_format'] as Record<string, string>
    const config = message['transcription_config'] as Record<string, unknown>
    const conversation = (config['conversation_config'] ?? {}) as Record<string, number>
    this.#format = {
      encoding: ENCODINGS[format['encoding']!]!,
      sampleRateHz: Number(format['sample_rate']),
    }
    this.#out = this.#outlet()
    this.#delayMs = Number(config['max_delay'] ?? 4) * 1000
    this.#triggerMs = (conversation['end_of_utterance_silence_trigger'] ?? 0) * 1000
    this.#partials = config['enable_partials'] === true
    this.#state = 'started'
    this.#out.sendNow({
      message: 'RecognitionStarted',
      id: '00000000-0000-4000-8000-000000000000',
      language_pack_info: {
        word_delimiter: this.options.wordDelimiter ?? ' ',
        writing_direction: 'left-to-right',
      },
    })
    this.#out.sendNow({ message: 'Info', type: 'recognition_quality', reason: 'x', quality: 'broadcast' })
  }

  #force(timestamp: unknown): void {
    const { audioMs } = this.record
    const atMs = timestamp === undefined ? audioMs : Number(timestamp) * 1000
    // A hair's breadth of rounding.
    if (!(atMs <= audioMs + 1)) return this.#refuse(`forced at ${atMs} of ${audioMs} ms`, 'invalid_message')
    this.#endUtterance(atMs)
  }

  #endUtterance(atMs: number): void {
    const words = this.#wordsUntil(atMs)
    if (words.length === 0 && !this.#spoke && this.options.emptyEnds !== 'answered') return
    this.#settle(words)
    this.#spoke = false
    const seconds = atMs / 1000
    const metadata = { start_time: seconds, end_time: seconds }
    this.#out.say({ message: 'EndOfUtterance', metadata }, 'final')
  }

  #finish(last: unknown): void {
    const { fault, answerMs = 0 } = this.#script
    const { audioMs, framesMs } = this.record
    if (last !== framesMs.length) {
      this.record.mistakes.push(`last_seq_no is ${String(last)} after ${framesMs.length} frames`)
    }
    this.#state = 'ended'
    const words = this.#wordsUntil(audioMs)
    if (words.length > 0) this.#settle(words)
    const late = fault === 'late_after_cancel' ? 200 : 0
    if (late > 0) this.#out.later(100, () => this.#out.sendNow(this.#transcript('AddTranscript', [])))
    this.#out.later(answerMs + late, () => {
      this.#out.sendNow({ message: 'EndOfTranscript' })
      this.#out.peer.close(1000)
    })
  }

  #spokeAfterEnd(): boolean {
    return this.#spoke || this.#wordsUntil(this.record.audioMs).length > 0
  }

  #heardUntil(audioMs: number): HeardWord[] {
    const words = this.#script.words ?? []
    return words.filter(({ startMs, endMs }) => (startMs + endMs) / 2 < audioMs)
  }

  /** Not settled yet. */
  #wordsUntil(audioMs: number): HeardWord[] {
    return this.#heardUntil(audioMs).slice(this.#next)
  }

  #settle(words: readonly HeardWord[]): void {
    this.#out.say(this.#transcript('AddTranscript', words), 'final')
    this.#next += words.length
    if (words.length > 0) this.#spoke = true
    this.#partialAtMs = this.record.audioMs
  }

  #transcript(message: string, words: readonly HeardWord[]): object {
    const results = words.flatMap(resultsOf)
    const [first, last] = [words[0], words.at(-1)]
    return {
      message,
      format: '2.9',
      metadata: {
        start_time: (first?.startMs ?? this.record.audioMs) / 1000,
        end_time: (last?.endMs ?? this.record.audioMs) / 1000,
        transcript: words.map(({ text }) => `${text} `).join(''),
      },
      results,
    }
  }

  #refuse(mistake: string, type: string): void {
    this.record.mistakes.push(mistake)
    this.#fail(type)
  }

  #fail(type: string): void {
    this.#state = 'ended'
    this.#out.sendNow({ message: 'Error', type, reason: 'SECRET-IN-REASON' })
    this.#out.peer.close(1008, type)
  }
}

/** A word and its punctuation are two. */
function resultsOf({ text, startMs, endMs }: HeardWord): object[] {
  const [, word = '', mark = ''] = /^(.*?)([.,!?]?)$/.exec(text) ?? []
  const at = { start_time: startMs / 1000, end_time: endMs / 1000 }
  const alternatives = (content: string) => [{ content, confidence: 0.97, language: 'en', speaker: 'UU' }]
  const end = { start_time: endMs / 1000, end_time: endMs / 1000 }
  return [
    ...(word === '' ? [] : [{ type: 'word', ...at, alternatives: alternatives(word) }]),
    ...(mark === ''
      ? []
      : [
          {
            type: 'punctuation',
            ...end,
            attaches_to: 'previous',
            is_eos: mark !== ',',
            alternatives: alternatives(mark),
          },
        ]),
  ]
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
