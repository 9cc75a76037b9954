/**
 * A double of Gladia v2 live: the request that makes a session, and the connection to its address. It checks what it is sent,
 * hears where speech begins and ends, and settles an utterance after the silence that was asked for. The official SDK is run
 * against it in `test/sdks`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { type Clock, realClock } from '../../clock.ts'
import { type HttpDoubleRequest, type HttpDoubleServer, reply, type WholeReply } from '../carrier/http.ts'
import type { DoublePeer, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import { CallerAudio } from './caller-audio.ts'
import {
  FAKE_KEY,
  fieldsOf,
  type HeardWord,
  mistakesIn,
  nextScript,
  Outlet,
  recordIn,
  type SttDouble,
  type SttDoubleOptions,
  type SttScript,
  type SttSessionRecord,
} from './double.ts'

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  'wav/pcm': 'pcm16',
  'wav/ulaw': 'mulaw',
  'wav/alaw': 'alaw',
}
const RATES = [8000, 16000, 32000, 44100, 48000]
const SETTINGS = new Set(
  `encoding bit_depth sample_rate channels custom_metadata model endpointing maximum_duration_without_endpointing language_config
  pre_processing realtime_processing post_processing messages_config callback callback_config`.split(/\s+/),
)
const MESSAGES = new Set(
  `receive_partial_transcripts receive_final_transcripts receive_speech_events receive_pre_processing_events
  receive_realtime_processing_events receive_post_processing_events receive_acknowledgments receive_errors
  receive_lifecycle_events`.split(/\s+/),
)
/** Between two partials. */
const PARTIAL_MS = 200
const SILENCE_LIMIT_MS = 30_000

type Settings = Record<string, unknown>

export interface FakeGladiaOptions extends SttDoubleOptions {
  /** Left out: where speech begins and ends is told. */
  readonly speech?: 'untold'
}

export interface FakeGladia extends SttDouble {
  readonly http: HttpDoubleServer
  /** What each session was asked for with. */
  readonly asked: readonly Settings[]
}

export function fakeGladia(given: FakeGladiaOptions = {}): FakeGladia {
  const { key = FAKE_KEY, clock = realClock } = given
  const options = { ...given, clock }
  const sessions: SttSessionRecord[] = []
  const asked: Settings[] = []
  const tokens = new Map<string, Settings>()
  const http: HttpDoubleServer = (request, answer) =>
    reply(clock, answer, refusalOf(request, nextScript(options), key) ?? made(request))
  function made({ url: { origin }, body }: HttpDoubleRequest): WholeReply {
    const settings = JSON.parse(body) as Settings
    const mistake = nextScript(options).fault === 'wrong_sample_rate' ? 'sample_rate' : mistakeIn(settings)
    if (mistake !== undefined) return problem(400, mistake)
    asked.push(settings)
    const token = `token-${asked.length}`
    tokens.set(token, settings)
    const url = `${origin.replace('http', 'ws')}/v2/live?token=${token}`
    const id = '00000000-0000-4000-8000-000000000000'
    return { status: 201, body: JSON.stringify({ id, created_at: '2026-11-25T00:00:00.000Z', url }) }
  }
  const server: DoubleServer = ({ url }) => {
    const settings = tokens.get(url.searchParams.get('token') ?? '')
    if (url.pathname !== '/v2/live') return { status: 404 }
    if (!settings) return { status: 401 }
    return (peer) => new Live(peer, recordIn(sessions, url), options, nextScript(options), settings)
  }
  return {
    http,
    server,
    sessions,
    asked,
    get mistakes() {
      return mistakesIn(sessions)
    },
    settingsAt: (baseUrl) => ({ type: 'gladia', apiKey: key, baseUrl }),
  }
}

function refusalOf(
  { method, url, headers }: HttpDoubleRequest,
  { fault }: SttScript,
  key: string,
): WholeReply | undefined {
  if (fault === 'hang_on_connect') return 'hang'
  if (method !== 'POST' || url.pathname !== '/v2/live') return problem(404, 'Not found')
  if (fault === 'refuse_auth' || headers['x-gladia-key'] !== key)
    return problem(401, `no such key: ${headers['x-gladia-key']}`)
  if (fault === 'refuse_429') return { ...problem(429, 'too many sessions'), headers: { 'retry-after': '7' } }
  if (fault === 'refuse_quota') return problem(402, 'no balance')
  if (fault === 'refuse_503') return problem(503, 'unavailable')
  return undefined
}

function problem(statusCode: number, message: string) {
  return { status: statusCode, body: JSON.stringify({ statusCode, message, request_id: 'G-1' }) }
}

function mistakeIn(settings: Settings): string | undefined {
  const unknown = Object.keys(settings).find((name) => !SETTINGS.has(name))
  if (unknown !== undefined) return `unknown setting ${unknown}`
  const encoding = ENCODINGS[String(settings['encoding'])]
  if (!encoding) return 'encoding'
  if (!RATES.includes(Number(settings['sample_rate']))) return 'sample_rate'
  if (settings['bit_depth'] !== (encoding === 'pcm16' ? 16 : 8)) return 'bit_depth does not fit the encoding'
  if ((settings['channels'] ?? 1) !== 1) return 'this double hears one channel'
  if (settings['model'] !== undefined && settings['model'] !== 'solaria-1') return 'no such model'
  const endpointing = Number(settings['endpointing'] ?? 0.05)
  if (!(endpointing >= 0.01 && endpointing <= 10)) return 'endpointing is 0.01 to 10'
  const longest = Number(settings['maximum_duration_without_endpointing'] ?? 5)
  if (!(longest >= 5 && longest <= 60)) return 'maximum_duration_without_endpointing is 5 to 60'
  const languages = (settings['language_config'] as Settings | undefined)?.['languages'] ?? []
  if (!Array.isArray(languages) || languages.some((one) => !/^[a-z]{2,3}$/.test(one))) return 'languages'
  const strange = Object.keys((settings['messages_config'] as Settings | undefined) ?? {})
  return strange.find((name) => !MESSAGES.has(name))
}

class Live implements DoubleTalk {
  readonly #out: Outlet
  readonly #format: AudioFormat
  readonly #caller: CallerAudio
  readonly #endpointingMs: number
  readonly #longestMs: number
  readonly #wants: (name: string) => boolean
  #bytes = 0
  #partialAtMs = 0
  /** Words from here on are of the utterance being spoken. */
  #next = 0
  #speaking = false
  #utterances = 0
  #over = false

  constructor(
    peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly options: FakeGladiaOptions & { readonly clock: Clock },
    private readonly script: SttScript,
    settings: Settings,
  ) {
    this.#format = {
      encoding: ENCODINGS[String(settings['encoding'])]!,
      sampleRateHz: Number(settings['sample_rate']),
    }
    this.#caller = new CallerAudio(this.#format)
    this.#endpointingMs = Number(settings['endpointing'] ?? 0.05) * 1000
    this.#longestMs = Number(settings['maximum_duration_without_endpointing'] ?? 5) * 1000
    const wanted = (settings['messages_config'] ?? {}) as Settings
    this.#wants = (name) => wanted[name] === true
    this.#out = new Outlet(
      peer,
      record,
      options.clock,
      script,
      this.#format,
      this.#message('start_session', {}),
    )
    this.#out.whenSilentFor(SILENCE_LIMIT_MS, () => peer.close(4408, 'no audio'))
  }

  binary(bytes: Uint8Array): void {
    if (this.#over) return
    this.#out.alive()
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) {
      return this.#out.refuse('half a sample', 4400, 'invalid audio')
    }
    if (bytes.length > 512 * 1024)
      return this.#out.refuse('a message of more than 512 KiB', 4413, 'too large')
    const from = this.record.audioMs
    this.#out.heard(bytes, () =>
      this.#out.sendNow({
        ...this.#message('error', null),
        acknowledged: false,
        error: { message: 'SECRET' },
      }),
    )
    this.record.silentMs += this.#caller.take(bytes, this.script.words ?? [])
    const range = {
      byte_range: [this.#bytes, this.#bytes + bytes.length],
      time_range: [from / 1000, this.record.audioMs / 1000],
    }
    this.#bytes += bytes.length
    if (this.#wants('receive_acknowledgments')) {
      this.#out.sendNow({ ...this.#message('audio_chunk', range), acknowledged: true, error: null })
    }
    this.#listen()
  }

  text(text: string): void {
    const message = fieldsOf(text)
    if (message?.type === 'audio_chunk') {
      const chunk = (message['data'] as Settings | undefined)?.['chunk']
      if (typeof chunk === 'string') return this.binary(Buffer.from(chunk, 'base64'))
    }
    if (message?.type !== 'stop_recording') {
      return this.#out.refuse(`not a message: ${text}`, 4400, 'invalid message')
    }
    this.#out.heardMessage('stop_recording')
    this.#finish()
  }

  gone(close: { code: number; reason: string }): void {
    this.#out.gone(close)
  }

  #listen(): void {
    const { audioMs } = this.record
    const words = this.#caller.heard.slice(this.#next)
    const [first, last] = [words[0], words.at(-1)]
    if (!first || !last) return
    if (!this.#speaking) {
      this.#speaking = true
      this.#event('speech_start', first.startMs)
    }
    const isSilent = !this.#caller.isWithin(this.script.words ?? [])
    if (
      (isSilent && audioMs - last.endMs >= this.#endpointingMs) ||
      audioMs - first.startMs >= this.#longestMs
    ) {
      return this.#settle(words)
    }
    if (!this.#wants('receive_partial_transcripts') || audioMs - this.#partialAtMs < PARTIAL_MS) return
    this.#partialAtMs = audioMs
    this.#out.say(this.#transcript(words, false))
  }

  #event(type: string, atMs: number): void {
    if (this.#wants('receive_speech_events') && this.options.speech !== 'untold') {
      this.#out.sendNow(this.#message(type, { time: atMs / 1000, channel: 0 }))
    }
  }

  #settle(words: readonly HeardWord[]): void {
    this.#speaking = false
    this.#event('speech_end', words.at(-1)!.endMs)
    this.#out.say(this.#transcript(words, true), 'final')
    this.#next += words.length
    this.#utterances++
    this.#partialAtMs = this.record.audioMs
  }

  #finish(): void {
    const { fault, answerMs = 0 } = this.script
    this.#over = true
    const words = this.#caller.heard.slice(this.#next)
    const late = fault === 'late_after_cancel' ? 200 : 0
    if (words.length > 0 || late > 0)
      this.#out.later(late / 2, () => this.#out.sendNow(this.#transcript(words, true)))
    this.#out.later(answerMs + late, () => {
      const left = { recording_duration: this.record.audioMs / 1000, recording_left_to_process: 0 }
      this.#out.sendNow({ ...this.#message('stop_recording', left), acknowledged: true, error: null })
      this.#out.peer.close(1000)
    })
  }

  #transcript(words: readonly HeardWord[], isFinal: boolean): object {
    const { audioMs } = this.record
    const seconds = (ms: number) => ms / 1000
    return this.#message('transcript', {
      id: `00_${String(this.#utterances).padStart(8, '0')}`,
      is_final: isFinal,
      utterance: {
        text: words.map(({ text }) => ` ${text}`).join(''),
        start: seconds(words[0]?.startMs ?? audioMs),
        end: seconds(words.at(-1)?.endMs ?? audioMs),
        language: words.at(-1)?.language ?? 'en',
        confidence: 0.9,
        channel: 0,
        words: words.map(({ text, startMs, endMs }) => ({
          word: ` ${text}`,
          start: seconds(startMs),
          end: seconds(endMs),
          confidence: 0.9,
        })),
      },
    })
  }

  #message(type: string, data: object | null): object {
    return {
      type,
      session_id: '00000000-0000-4000-8000-000000000000',
      created_at: '2026-11-25T00:00:00.000Z',
      data,
    }
  }
}
