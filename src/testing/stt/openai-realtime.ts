/**
 * A double of OpenAI's realtime transcription sessions. It checks what it is sent and answers as OpenAI does: what is wrong is an
 * `error` event, and the session goes on. What it hears is data. The `openai` package is run against it.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import {
  FAKE_KEY,
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

type Fields = Readonly<Record<string, unknown>>

/** Write while they hear, and leave turns to the client. */
const LIVE = new Set(['gpt-live-transcribe', 'gpt-realtime-whisper'])
const MODELS = new Set([
  ...LIVE,
  'gpt-transcribe',
  'gpt-4o-transcribe',
  'gpt-4o-mini-transcribe',
  'gpt-4o-mini-transcribe-2025-12-15',
  'whisper-1',
])
const FORMATS: Readonly<Record<string, AudioFormat>> = {
  'audio/pcm': { encoding: 'pcm16', sampleRateHz: 24_000 },
  'audio/pcmu': { encoding: 'mulaw', sampleRateHz: 8_000 },
  'audio/pcma': { encoding: 'alaw', sampleRateHz: 8_000 },
}
const MEMBERS = {
  'session.update': ['type', 'event_id', 'session'],
  'input_audio_buffer.append': ['type', 'event_id', 'audio'],
  'input_audio_buffer.commit': ['type', 'event_id'],
  'input_audio_buffer.clear': ['type', 'event_id'],
} as const
const TRANSCRIPTION = 'conversation.item.input_audio_transcription'
const DELTA_MS = 200
const COMMIT_LEAST_MS = 100
const APPEND_BYTES = 15 * 1024 * 1024

export interface FakeOpenAiRealtimeOptions extends SttDoubleOptions {
  /** Told as `expires_at`; left out: it is not. */
  readonly sessionMs?: number
}

export interface FakeOpenAiRealtime extends SttDouble {
  /** What each session was set to. */
  readonly settings: readonly Fields[]
}

export function fakeOpenAiRealtime(options: FakeOpenAiRealtimeOptions = {}): FakeOpenAiRealtime {
  const settings: Fields[] = []
  const entryAt = (url: string, apiKey: string) => ({
    type: 'openai',
    apiKey,
    baseUrl: `${url}/v1`,
    // Other addresses than OpenAI's own are sent files.
    stt: 'realtime',
  })
  const double = sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (!/^(\/v1)?\/realtime$/.test(url.pathname) || url.search !== '?intent=transcription')
      return { status: 404 }
    const isKnown = headers['authorization'] === `Bearer ${key}` && script.fault !== 'refuse_auth'
    if (!isKnown) return { status: 401, body: `{"error":{"message":"Incorrect API key provided: ${key}"}}` }
    return (peer, record) => new Transcribing(peer, record, { ...options, clock, script }, settings)
  })
  return Object.assign(double, { settings })
}

class Transcribing implements DoubleTalk {
  #out: Outlet | undefined
  #format: AudioFormat = FORMATS['audio/pcm']!
  #live = false
  #committedMs = 0
  #deltaAtMs = 0
  #next = 0
  /** Words of the item that were said. */
  #said = 0
  #item = 0
  #events = 0

  constructor(
    private readonly peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly options: FakeOpenAiRealtimeOptions & SttDirections,
    private readonly settings: Fields[],
  ) {
    // The client must have its socket before it hears of it.
    queueMicrotask(() => this.#tell({ type: 'session.created', session: this.#session({}) }))
  }

  binary(): void {
    this.#refuse('audio as bytes')
  }

  text(text: string): void {
    const message = fieldsOf(text)
    const members: readonly string[] | undefined =
      message && Object.hasOwn(MEMBERS, message.type)
        ? MEMBERS[message.type as keyof typeof MEMBERS]
        : undefined
    const strange = message && Object.keys(message).find((name) => !members?.includes(name))
    if (!message || !members || strange !== undefined) return this.#refuse(`not an event: ${strange}`)
    if (message.type === 'session.update') return this.#update(message['session'])
    if (!this.#out) return this.#refuse('audio before the session is set')
    if (message.type === 'input_audio_buffer.append') return this.#hear(message['audio'])
    this.#out.heardMessage(message.type.replace('input_audio_buffer.', ''))
    if (message.type === 'input_audio_buffer.commit') this.#commit()
  }

  gone(close: { code: number; reason: string }): void {
    if (this.#out) this.#out.gone(close)
    else this.record.closed = close
  }

  #update(session: unknown): void {
    const { script, clock } = this.options
    const mistake = sessionMistake(session)
    if (mistake !== undefined) return this.#refuse(mistake)
    const input = inputOf(session as Fields)
    this.settings.push(session as Fields)
    this.#format = FORMATS[String(fieldsIn(input, 'format')['type'] ?? 'audio/pcm')]!
    this.#live = LIVE.has(String(fieldsIn(input, 'transcription')['model']))
    this.#out = new Outlet(this.peer, this.record, clock, script, this.#format, {
      type: 'rate_limits.updated',
      event_id: 'event_0',
      rate_limits: [],
    })
    if (script.fault === 'wrong_sample_rate') return this.#error('invalid_request_error', 'invalid_value')
    this.#tell({ type: 'session.updated', session: this.#session(session as Fields) })
  }

  #session(session: Fields): object {
    const { sessionMs, clock } = this.options
    const expires_at = sessionMs === undefined ? 0 : Math.floor((clock.wallMs() + sessionMs) / 1000)
    return { object: 'realtime.transcription_session', id: 'sess_1', expires_at, ...session }
  }

  #hear(audio: unknown): void {
    if (typeof audio !== 'string' || audio.length > APPEND_BYTES) return this.#refuse('no audio in base64')
    const bytes = Buffer.from(audio, 'base64')
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) return this.#refuse('half a sample')
    this.#out!.heard(bytes, () => this.#error('server_error', undefined))
    const { audioMs } = this.record
    if (!this.#live || audioMs - this.#deltaAtMs < DELTA_MS) return
    this.#deltaAtMs = audioMs
    this.#say(saidBy(audioMs, this.options.script, this.#next))
  }

  /** What was not said of them yet. */
  #say(words: readonly HeardWord[]): void {
    for (const [at, { text }] of words.entries()) {
      if (at < this.#said) continue
      this.#said = at + 1
      const delta = at === 0 ? text : ` ${text}`
      this.#later({ type: `${TRANSCRIPTION}.delta`, item_id: this.#itemId, content_index: 0, delta }, 'other')
    }
  }

  #commit(): void {
    const { audioMs } = this.record
    const leftMs = audioMs - this.#committedMs
    if (leftMs < COMMIT_LEAST_MS - 0.1) {
      this.record.mistakes.push(`a commit of ${leftMs} ms`)
      return this.#error('invalid_request_error', 'input_audio_buffer_commit_empty')
    }
    const item_id = this.#itemId
    const words = saidBy(audioMs, this.options.script, this.#next)
    const previous_item_id = this.#item === 0 ? null : `item_${this.#item - 1}`
    this.#tell({ type: 'input_audio_buffer.committed', item_id, previous_item_id })
    this.#tell({ type: 'conversation.item.added', previous_item_id, item: { id: item_id, type: 'message' } })
    this.#say(words)
    const transcript = words.map(({ text }) => text).join(' ')
    const usage = { type: 'duration', seconds: leftMs / 1000 }
    this.#later({ type: `${TRANSCRIPTION}.completed`, item_id, content_index: 0, transcript, usage }, 'final')
    this.#next += words.length
    this.#said = 0
    this.#committedMs = audioMs
    this.#deltaAtMs = audioMs
    this.#item++
  }

  get #itemId(): string {
    return `item_${this.#item}`
  }

  #later(event: object, kind: 'final' | 'other'): void {
    this.#out!.say({ event_id: `event_${++this.#events}`, ...event }, kind)
  }

  #tell(event: object): void {
    const told = { event_id: `event_${++this.#events}`, ...event }
    if (this.#out) this.#out.sendNow(told)
    else this.peer.send(JSON.stringify(told))
  }

  #refuse(mistake: string): void {
    this.record.mistakes.push(mistake)
    this.#error('invalid_request_error', 'invalid_value')
  }

  #error(type: string, code: string | undefined): void {
    const error = { type, code: code ?? null, message: `about ${FAKE_KEY}`, param: null, event_id: null }
    this.#tell({ type: 'error', error })
  }
}

function sessionMistake(session: unknown): string | undefined {
  if (typeof session !== 'object' || session === null) return 'no session'
  const fields = session as Fields
  const strange = Object.keys(fields).find((name) => !['type', 'audio', 'include'].includes(name))
  if (strange !== undefined) return `unknown session.${strange}`
  if (fields['type'] !== 'transcription') return 'session.type is transcription'
  const input = inputOf(fields)
  const known = ['format', 'transcription', 'turn_detection', 'noise_reduction']
  const other = Object.keys(input).find((name) => !known.includes(name))
  if (other !== undefined) return `unknown input.${other}`
  const format = fieldsIn(input, 'format')
  if (!FORMATS[String(format['type'])]) return 'format.type is unknown'
  if (format['type'] === 'audio/pcm' && format['rate'] !== 24_000) return 'format.rate is 24000'
  return transcriptionMistake(fieldsIn(input, 'transcription'), input['turn_detection'])
}

function transcriptionMistake(transcription: Fields, turns: unknown): string | undefined {
  const known = ['model', 'language', 'languages', 'prompt', 'keywords', 'delay']
  const strange = Object.keys(transcription).find((name) => !known.includes(name))
  if (strange !== undefined) return `unknown transcription.${strange}`
  const model = String(transcription['model'])
  if (!MODELS.has(model)) return `unknown model ${model}`
  if (turns !== null && LIVE.has(model)) return 'turn detection is not supported for this model'
  if (turns !== null) return 'this double leaves turns to the client'
  if ('keywords' in transcription && !/^gpt-(live-)?transcribe$/.test(model)) return 'no keywords'
  if ('prompt' in transcription && model === 'gpt-realtime-whisper') return 'no prompt'
  if ('delay' in transcription && model !== 'gpt-realtime-whisper') return 'no delay'
  return undefined
}

function inputOf(session: Fields): Fields {
  return fieldsIn(fieldsIn(session, 'audio'), 'input')
}

function fieldsIn(fields: Fields, name: string): Fields {
  const value = fields[name]
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
