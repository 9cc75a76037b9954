/**
 * A double of ElevenLabs' realtime recognition (Scribe). It checks what it is sent and fails as ElevenLabs does; what it
 * hears is data. The official SDK is run against it in `test/sdks`.
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

const FORMATS: Readonly<Record<string, AudioFormat>> = {
  pcm_8000: { encoding: 'pcm16', sampleRateHz: 8_000 },
  pcm_16000: { encoding: 'pcm16', sampleRateHz: 16_000 },
  pcm_24000: { encoding: 'pcm16', sampleRateHz: 24_000 },
  ulaw_8000: { encoding: 'mulaw', sampleRateHz: 8_000 },
}
const QUERY = new Set(
  `model_id audio_format commit_strategy vad_silence_threshold_secs vad_threshold min_speech_duration_ms
  min_silence_duration_ms language_code secondary_languages include_timestamps include_language_detection keyterms no_verbatim
  entity_detection transcript_edit filter_background_audio enable_logging token`.split(/\s+/),
)
const CHUNK = new Set(['message_type', 'audio_base_64', 'commit', 'sample_rate', 'previous_text'])
const PARTIAL_MS = 200
const COMMIT_LEAST_MS = 300
/** It commits by itself then, also where commits are the client's. */
const COMMIT_MOST_MS = 90_000
/** The largest chunk: a guess. */
const CHUNK_MOST_MS = 1_000
const SILENCE_LIMIT_MS = 10_000

export function fakeScribe(options: SttDoubleOptions = {}): SttDouble {
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'elevenlabs', apiKey, baseUrl })
  return sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (url.pathname !== '/v1/speech-to-text/realtime') return { status: 404 }
    if (headers['xi-api-key'] !== key || script.fault === 'refuse_auth') return { status: 403 }
    const mistake = queryMistake(url.searchParams)
    return (peer, record) => new Scribing(peer, record, clock, script, mistake)
  })
}

function queryMistake(query: URLSearchParams): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY.has(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  if (query.get('model_id') !== 'scribe_v2_realtime') return 'model_id is missing or unknown'
  if (!FORMATS[query.get('audio_format') ?? 'pcm_16000']) return 'audio_format is unknown to this double'
  if ((query.get('commit_strategy') ?? 'manual') !== 'manual')
    return 'this double leaves commits to the client'
  const terms = query.getAll('keyterms')
  if (terms.length > 50 || terms.some((term) => term.length > 20)) return '50 keyterms of 20 characters'
  return undefined
}

class Scribing implements DoubleTalk {
  readonly #out: Outlet
  readonly #format: AudioFormat
  readonly #timed: boolean
  readonly #detects: boolean
  #committedMs = 0
  #partialAtMs = 0
  #next = 0
  #first = true
  #over = false

  constructor(
    private readonly peer: DoublePeer,
    private readonly record: SttSessionRecord,
    clock: Clock,
    private readonly script: SttScript,
    mistake: string | undefined,
  ) {
    const { searchParams: query } = record.url
    this.#format = FORMATS[query.get('audio_format') ?? 'pcm_16000'] ?? FORMATS['pcm_16000']!
    this.#timed = query.get('include_timestamps') === 'true'
    this.#detects = query.get('include_language_detection') === 'true'
    this.#out = new Outlet(peer, record, clock, script, this.#format, {
      message_type: 'partial_transcript',
      text: '',
    })
    // The client must have its socket before it hears of it.
    queueMicrotask(() => this.#begin(mistake))
  }

  #begin(mistake: string | undefined): void {
    if (mistake !== undefined) return this.#refuse(mistake, 'invalid_request')
    if (this.script.fault === 'wrong_sample_rate') return this.#fail('input_error')
    this.#out.sendNow({
      message_type: 'session_started',
      session_id: '00000000000000000000000000000000',
      config: { sample_rate: this.#format.sampleRateHz, commit_strategy: 'manual' },
    })
    this.#out.whenSilentFor(SILENCE_LIMIT_MS, () => this.#fail('insufficient_audio_activity'))
  }

  binary(): void {
    this.#refuse('audio as bytes', 'input_error')
  }

  text(text: string): void {
    if (this.#over) return
    const chunk = chunkOf(text)
    if (typeof chunk === 'string') return this.#refuse(chunk, 'input_error')
    const { audio, commit, sampleRateHz, hasPrevious } = chunk
    if (sampleRateHz !== this.#format.sampleRateHz) return this.#refuse('another sample_rate', 'input_error')
    if (hasPrevious && !this.#first) return this.#refuse('previous_text in a later chunk', 'input_error')
    this.#first = false
    this.#out.alive()
    if (audio.length === 0 && !commit) return this.#out.heardMessage('keepalive')
    if (audio.length > 0) this.#hear(audio)
    if (!commit || this.#over) return
    this.#out.heardMessage('commit')
    const uncommittedMs = this.record.audioMs - this.#committedMs
    if (uncommittedMs >= COMMIT_LEAST_MS - 0.1) return this.#commit()
    this.record.mistakes.push(`a commit of ${uncommittedMs} ms`)
    this.#out.sendNow({ message_type: 'commit_throttled', error: 'Commit request ignored' })
  }

  gone(close: { code: number; reason: string }): void {
    this.#over = true
    this.#out.gone(close)
  }

  #hear(audio: Uint8Array): void {
    if (this.#format.encoding === 'pcm16' && audio.length % 2 === 1) {
      return this.#refuse('half a sample', 'input_error')
    }
    const before = this.record.audioMs
    this.#out.heard(audio, () => this.#fail('transcriber_error'))
    const { audioMs } = this.record
    if (audioMs - before > CHUNK_MOST_MS) return this.#refuse('a long chunk', 'chunk_size_exceeded')
    if (audioMs - this.#committedMs >= COMMIT_MOST_MS) return this.#commit()
    const words = saidBy(audioMs, this.script, this.#next)
    if (words.length === 0 || audioMs - this.#partialAtMs < PARTIAL_MS) return
    this.#partialAtMs = audioMs
    this.#out.say({ message_type: 'partial_transcript', text: textOf(words) })
  }

  #commit(): void {
    const { audioMs } = this.record
    const words = saidBy(audioMs, this.script, this.#next)
    this.#next += words.length
    this.#committedMs = audioMs
    this.#partialAtMs = audioMs
    this.#out.say({ message_type: 'committed_transcript', text: textOf(words) }, 'final')
    if (!this.#timed) return
    this.#out.say(
      {
        message_type: 'committed_transcript_with_timestamps',
        text: textOf(words),
        ...(this.#detects && { language_code: words.at(-1)?.language ?? 'en' }),
        words: words.flatMap(({ text, startMs, endMs }, i) => [
          ...(i > 0 ? [{ text: ' ', start: startMs / 1000, end: startMs / 1000, type: 'spacing' }] : []),
          { text, start: startMs / 1000, end: endMs / 1000, type: 'word', logprob: -0.02, characters: [] },
        ]),
      },
      'final',
    )
  }

  #refuse(mistake: string, error: string): void {
    this.record.mistakes.push(mistake)
    this.#fail(error)
  }

  #fail(message_type: string): void {
    this.#over = true
    this.#out.sendNow({ message_type, error: `ElevenLabs says ${FAKE_KEY}` })
    this.peer.close(1000)
  }
}

interface Chunk {
  readonly audio: Uint8Array
  readonly commit: boolean
  readonly sampleRateHz: number
  readonly hasPrevious: boolean
}

function chunkOf(text: string): Chunk | string {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  const strange = Object.keys(fields).find((name) => !CHUNK.has(name))
  if (strange !== undefined) return `unknown member ${strange}`
  const { message_type, audio_base_64, commit, sample_rate, previous_text } = fields
  if (message_type !== 'input_audio_chunk') return `not a message: ${message_type}`
  if (typeof audio_base_64 !== 'string' || typeof commit !== 'boolean') return 'a chunk without its members'
  return {
    audio: Buffer.from(audio_base_64, 'base64'),
    commit,
    sampleRateHz: Number(sample_rate),
    hasPrevious: previous_text !== undefined,
  }
}

function textOf(words: readonly HeardWord[]): string {
  return words.map(({ text }) => text).join(' ')
}
