/**
 * A double of Deepgram v1 `listen`. It checks what it is sent and closes as Deepgram does; what it hears is data. The
 * official SDK is run against it in `test/sdks`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import { audioMistake, deepgramDouble, formatOf } from './deepgram-listen.ts'
import {
  fieldsOf,
  type HeardWord,
  Outlet,
  type SttDouble,
  type SttDoubleOptions,
  type SttScript,
  type SttSessionRecord,
  saidBy,
} from './double.ts'

const QUERY = new Set(
  `callback callback_method channels detect_entities diarize diarize_model dictation encoding endpointing extra
  filler_words interim_results keyterm keywords language mip_opt_out model multichannel no_delay numerals
  profanity_filter punctuate redact replace sample_rate search smart_format tag utterance_end_ms vad_events version`.split(
    /\s+/,
  ),
)
const SWITCHES = ['interim_results', 'punctuate', 'smart_format', 'no_delay', 'vad_events']
const SILENCE_LIMIT_MS = 10_000
/** Between two interim results. */
const INTERIM_MS = 200
/** Less than that it does not bother to finalize. */
const NOTICEABLE_MS = 60

export function fakeDeepgram(options: SttDoubleOptions = {}): SttDouble {
  return deepgramDouble(
    options,
    queryMistake,
    (peer, record, { clock, script }) => new Listening(peer, record, clock, script),
  )
}

function queryMistake({ pathname, searchParams: query }: URL): string | undefined {
  if (pathname !== '/v1/listen') return `no such path: ${pathname}`
  const unknown = [...query.keys()].find((name) => !QUERY.has(name))
  if (unknown !== undefined) return `unknown parameter: ${unknown}`
  if (!query.get('model')) return 'model is missing'
  const wrong = audioMistake(query)
  if (wrong !== undefined) return wrong
  if (!/^(false|\d+)$/.test(query.get('endpointing') ?? '10')) return 'endpointing is false or milliseconds'
  return SWITCHES.find((name) => !/^(true|false)$/.test(query.get(name) ?? 'true'))
}

class Listening implements DoubleTalk {
  readonly #out: Outlet
  readonly #format: AudioFormat
  readonly #interim: boolean
  readonly #endpointingMs: number
  /** Where the segment begins that is not settled. */
  #segmentMs = 0
  #interimAtMs = 0
  #next = 0

  constructor(
    peer: DoublePeer,
    private readonly record: SttSessionRecord,
    clock: Clock,
    private readonly script: SttScript,
  ) {
    const { searchParams: query } = record.url
    this.#format = formatOf(query)
    this.#interim = query.get('interim_results') === 'true'
    const endpointing = query.get('endpointing') ?? '10'
    this.#endpointingMs = endpointing === 'false' ? Number.POSITIVE_INFINITY : Number(endpointing)
    this.#out = new Outlet(peer, record, clock, script, this.#format, this.#results([], 0, {}))
    const silent = 'NET-0001: no audio data or keep-alive was received within the timeout window'
    this.#out.whenSilentFor(SILENCE_LIMIT_MS, () => peer.close(1011, silent))
  }

  binary(bytes: Uint8Array): void {
    if (bytes.length === 0) return this.#finish()
    if (this.#format.encoding === 'pcm16' && bytes.length % 2 === 1) {
      return this.#out.refuse('half a sample', 1008, 'DATA-0000: the payload cannot be decoded as audio')
    }
    if (this.script.fault === 'wrong_sample_rate') {
      return this.#out.peer.close(1008, 'DATA-0000: the payload cannot be decoded as audio')
    }
    this.#out.alive()
    this.#out.heard(bytes, () => this.#out.peer.close(1011, 'NET-0000: internal error'))
    const { audioMs } = this.record
    const words = saidBy(audioMs, this.script, this.#next)
    const lastEnd = words.at(-1)?.endMs
    if (lastEnd !== undefined && audioMs - lastEnd >= this.#endpointingMs) {
      this.#settle(words, audioMs, { speech_final: true })
    } else if (this.#interim && audioMs - this.#interimAtMs >= INTERIM_MS) {
      this.#interimAtMs = audioMs
      this.#out.say(this.#results(words, audioMs, {}))
    }
  }

  text(text: string): void {
    const message = fieldsOf(text)
    const extra = message && Object.keys(message).find((name) => name !== 'type' && name !== 'channel')
    if (!message || extra !== undefined) {
      return this.#out.refuse(`not a message: ${text}`, 1008, 'DATA-0000: the payload cannot be decoded')
    }
    this.#out.heardMessage(message.type)
    if (message.type === 'KeepAlive') {
      // Without any audio there is no session to keep alive.
      if (this.record.audioMs > 0) this.#out.alive()
    } else if (message.type === 'Finalize') this.#finalize()
    else if (message.type === 'CloseStream') this.#finish()
    else this.#out.refuse(`unknown message ${message.type}`, 1008, 'DATA-0000: unknown message')
  }

  gone(close: { code: number; reason: string }): void {
    this.#out.gone(close)
  }

  #finalize(): void {
    const { audioMs } = this.record
    if (audioMs - this.#segmentMs < NOTICEABLE_MS) return
    this.#settle(saidBy(audioMs, this.script, this.#next), audioMs, { from_finalize: true })
  }

  #finish(): void {
    const { fault, answerMs = 0 } = this.script
    const { audioMs } = this.record
    if (audioMs > this.#segmentMs) this.#settle(saidBy(audioMs, this.script, this.#next), audioMs, {})
    if (fault === 'late_after_cancel')
      this.#out.later(100, () => this.#out.sendNow(this.#results([], audioMs, {})))
    this.#out.later(answerMs + (fault === 'late_after_cancel' ? 200 : 0), () => {
      this.#out.sendNow(metadata(audioMs))
      this.#out.peer.close(1000)
    })
  }

  #settle(words: readonly HeardWord[], audioMs: number, flags: object): void {
    this.#out.say(this.#results(words, audioMs, { is_final: true, ...flags }), 'final')
    this.#next += words.length
    this.#segmentMs = audioMs
    this.#interimAtMs = audioMs
  }

  /** Only of `language=multi`. */
  #languagesOf(words: readonly HeardWord[]): { readonly languages?: readonly string[] } {
    const languages = new Set(words.map(({ language = 'en' }) => language))
    return this.record.url.searchParams.get('language') === 'multi' ? { languages: [...languages] } : {}
  }

  #results(words: readonly HeardWord[], audioMs: number, flags: object): object {
    const transcript = words.map(({ text }) => text).join(' ')
    return {
      type: 'Results',
      channel_index: [0, 1],
      start: this.#segmentMs / 1000,
      duration: (audioMs - this.#segmentMs) / 1000,
      is_final: false,
      speech_final: false,
      from_finalize: false,
      ...flags,
      channel: {
        alternatives: [
          {
            transcript,
            ...this.#languagesOf(words),
            confidence: words.length > 0 ? 0.98 : 0,
            words: words.map(({ text, startMs, endMs }) => ({
              word: text.toLowerCase().replace(/[^\p{L}\p{N}']/gu, ''),
              punctuated_word: text,
              start: startMs / 1000,
              end: endMs / 1000,
              confidence: 0.98,
            })),
          },
        ],
      },
      metadata: {
        request_id: '00000000-0000-4000-8000-000000000000',
        model_info: { name: 'general-nova-3', version: '2025-01-09.0', arch: 'nova-3' },
        model_uuid: '00000000-0000-4000-8000-000000000001',
      },
    }
  }
}

function metadata(audioMs: number): object {
  return {
    type: 'Metadata',
    transaction_key: 'deprecated',
    request_id: '00000000-0000-4000-8000-000000000000',
    sha256: '0'.repeat(64),
    created: '2026-11-22T00:00:00.000Z',
    duration: audioMs / 1000,
    channels: 1,
  }
}
