/**
 * Google's recogniser and voices for tests: in memory as an `Rpc`, or behind a gRPC server (`test/sdks/google-server.ts`). It
 * refuses what the types do not have; what it objected to stands in `mistakes`. Sources: `src/provider/google-speech/wire.ts`.
 * Words of the script are placed in all audio of all calls, as a caller's are.
 */
import type { AudioFormat } from '../../src/audio/format.ts'
import type { CallHearing, Rpc } from '../../src/provider/call.ts'
import type { GoogleRpc } from '../../src/provider/google-speech/sdk.ts'
import { faultOf } from '../../src/provider/google-speech/wire.ts'
import { Outlet, type SttScript, type SttSessionRecord } from '../../src/testing/stt/double.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from '../../src/testing/tts/double.ts'

export interface FakeGoogleOptions extends SoundOptions {
  readonly script?: SttScript
  /** Of each call, whatever is said; for what the recognition cannot do. */
  readonly callLimitMs?: number
}

/** The double's end of a call. */
export interface CallPeer {
  send(message: object): void
  end(): void
  /** A gRPC status, with what `google.rpc` adds. */
  fail(code: number, more?: { readonly reason?: string; readonly retryAfterMs?: number }): void
}

export interface CallTalk {
  message(request: Fields): void
  /** The client writes no more. */
  finished(): void
  gone(): void
}

type Fields = Record<string, unknown>

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  LINEAR16: 'pcm16',
  PCM: 'pcm16',
  MULAW: 'mulaw',
  ALAW: 'alaw',
}
const MOST_BYTES = 25_600
/** A pause after which it settles what was said. */
const PAUSE_MS = 700

export class FakeGoogle {
  readonly options: Clocked<FakeGoogleOptions>
  readonly faults = new FaultPlan()
  readonly mistakes: string[] = []
  readonly record: SttSessionRecord
  readonly sessions: readonly SttSessionRecord[]
  /** First messages of all calls. */
  readonly configs: Fields[] = []
  readonly texts: string[] = []
  readonly #open = new Set<object>()

  constructor(options: FakeGoogleOptions) {
    this.options = clocked(options)
    const url = new URL('grpc://speech.googleapis.com')
    this.record = { url, messages: [], framesMs: [], audioMs: 0, silentMs: 0, mistakes: this.mistakes }
    this.sessions = [this.record]
  }

  /** Calls, and openings that hang. */
  get open(): number {
    return this.#open.size
  }

  recognise(peer: CallPeer): CallTalk {
    return new Recognising(this, peer)
  }

  synthesise(peer: CallPeer): CallTalk {
    return new Speaking(this, peer, this.faults.ofConnection())
  }

  rpc(serve: 'recognise' | 'synthesise'): GoogleRpc {
    const hangs = () =>
      serve === 'recognise'
        ? this.options.script?.fault === 'hang_on_connect'
        : this.faults.takes('hang_on_connect')
    return {
      ready: (signal) => {
        if (signal.aborted) return Promise.reject(signal.reason)
        return hangs() ? this.#hang(signal) : Promise.resolve()
      },
      call: (hearing) => this.#call(this[serve].bind(this), hearing),
      project: async () => 'of-the-credentials',
      close: async () => {},
    }
  }

  #hang(signal: AbortSignal): Promise<never> {
    this.#open.add(signal)
    return new Promise((_resolve, reject) => {
      const end = () => {
        this.#open.delete(signal)
        reject(signal.reason)
      }
      signal.addEventListener('abort', end, { once: true })
    })
  }

  #call(serve: (peer: CallPeer) => CallTalk, hearing: CallHearing): ReturnType<Rpc['call']> {
    const call = {}
    this.#open.add(call)
    const over = () => {
      if (!this.#open.delete(call)) return false
      talk.gone()
      return true
    }
    const talk = serve({
      send: (message) => {
        if (this.#open.has(call)) hearing.message(message)
      },
      end: () => {
        if (over()) hearing.ended()
      },
      fail: (code, { reason, retryAfterMs } = {}) => {
        if (over()) hearing.failed(faultOf({ code, reason }, retryAfterMs))
      },
    })
    const carry = (act: () => void) =>
      queueMicrotask(() => {
        if (this.#open.has(call)) act()
      })
    return {
      write: (request, taken) =>
        carry(() => {
          taken()
          talk.message(request as Fields)
        }),
      end: () => carry(() => talk.finished()),
      cancel: () => void over(),
    }
  }
}

class Recognising implements CallTalk {
  readonly #script: SttScript
  readonly #baseMs: number
  #out: Outlet | undefined
  #format: AudioFormat | undefined
  /** Words of the script that were told for good, and those told at all. */
  #settled: number
  #told: number
  #over = false

  constructor(
    private readonly double: FakeGoogle,
    private readonly peer: CallPeer,
  ) {
    this.#script = double.options.script ?? {}
    this.#baseMs = double.record.audioMs
    const before = (this.#script.words ?? []).filter((word) => word.endMs <= this.#baseMs).length
    this.#settled = before
    this.#told = before
  }

  message(request: Fields): void {
    if (this.#over) return
    const { streamingConfig, audio, recognizer } = request
    if (!this.#out) return this.#begin(String(recognizer), streamingConfig as Fields | undefined, request)
    if (!(audio instanceof Uint8Array) || streamingConfig) return this.#refuse('audio is due')
    if (audio.length === 0 || audio.length > MOST_BYTES) return this.#refuse(`audio of ${audio.length} bytes`)
    if (this.#format?.encoding === 'pcm16' && audio.length % 2 === 1) return this.#refuse('half a sample')
    this.#out.heard(audio, () => this.#fail(13))
    if (!this.#over) this.#listen()
  }

  finished(): void {
    if (this.#over || !this.#out) return
    this.#out.heardMessage('end')
    this.#settle()
    if (this.#script.fault !== 'no_final') this.#out.say({ end: true })
  }

  gone(): void {
    this.#over = true
    this.#out?.gone({ code: 1000, reason: '' })
  }

  #begin(recognizer: string, streaming: Fields | undefined, request: Fields): void {
    const { fault } = this.#script
    if (fault === 'refuse_auth') return this.#fail(16)
    if (fault === 'refuse_quota') return this.#fail(7, { reason: 'BILLING_DISABLED' })
    if (fault === 'refuse_429') return this.#fail(8, { retryAfterMs: 7_000 })
    if (fault === 'refuse_503') return this.#fail(14)
    const config = (streaming?.['config'] ?? {}) as Fields
    const decoding = (config['explicitDecodingConfig'] ?? {}) as Fields
    const encoding = ENCODINGS[String(decoding['encoding'])]
    const hz = Number(decoding['sampleRateHertz'])
    const languages = config['languageCodes'] as unknown[] | undefined
    if (!/^projects\/[^/]+\/locations\/[^/]+\/recognizers\/_$/.test(recognizer))
      return this.#refuse('recognizer')
    if (!encoding || !(hz >= 8_000 && hz <= 48_000)) return this.#refuse('explicitDecodingConfig')
    if (decoding['audioChannelCount'] !== 1) return this.#refuse('audioChannelCount')
    if (!languages?.length || languages.some((one) => !/^(auto|[a-z]{2,3}-[A-Z]{2})$/.test(String(one)))) {
      return this.#refuse('languageCodes')
    }
    if (!config['model'] || fault === 'wrong_sample_rate') return this.#fail(3)
    this.double.configs.push(request)
    this.#format = { encoding, sampleRateHz: hz }
    const peer = {
      send: (data: string | Uint8Array) => this.#send(String(data)),
      close: (code: number) => (code === 1000 ? this.peer.end() : this.#fail(13)),
      drop: () => this.#fail(14),
    }
    const { clock, callLimitMs } = this.double.options
    this.#out = new Outlet(peer, this.double.record, clock, this.#script, this.#format, { results: [] })
    if (callLimitMs !== undefined) this.#out.later(callLimitMs, () => this.#fail(10))
  }

  #send(json: string): void {
    let message: Fields | undefined
    try {
      message = JSON.parse(json)
    } catch {}
    if (message?.['end'] === true) this.peer.end()
    else if (Array.isArray(message?.['results'])) this.peer.send(message)
    // What is no protobuf of its type cannot be decoded: an error of gRPC's.
    else this.#fail(13)
  }

  #listen(): void {
    const { words = [] } = this.#script
    const atMs = this.double.record.audioMs
    const heard = words.filter((word) => word.endMs <= atMs).length
    const last = words[heard - 1]
    if (heard > this.#settled && last && atMs - last.endMs >= PAUSE_MS) {
      this.#settle()
      const offset = duration(last.endMs - this.#baseMs)
      return this.#out?.say({
        results: [],
        speechEventType: 'SPEECH_ACTIVITY_END',
        speechEventOffset: offset,
      })
    }
    if (heard === this.#told) return
    this.#told = heard
    const open = words.slice(this.#settled, heard)
    this.#out?.say({ results: [this.#result(open.map((word) => word.text).join(' '), atMs, false)] })
  }

  #settle(): void {
    const { words = [] } = this.#script
    const atMs = this.double.record.audioMs
    const open = words.filter((word) => word.endMs <= atMs).slice(this.#settled)
    if (open.length === 0) return
    this.#settled += open.length
    this.#told = this.#settled
    const result = this.#result(open.map((word) => word.text).join(' '), atMs, true)
    const [best] = result.alternatives
    Object.assign(best!, {
      confidence: 0.9,
      words: open.map(({ text, startMs, endMs }) => ({
        word: text,
        startOffset: duration(Math.max(0, startMs - this.#baseMs)),
        endOffset: duration(endMs - this.#baseMs),
      })),
    })
    this.#out?.say({ results: [result], speechEventType: 'SPEECH_EVENT_TYPE_UNSPECIFIED' }, 'final')
  }

  #result(transcript: string, atMs: number, isFinal: boolean) {
    return {
      // As it comes: with a space before it.
      alternatives: [{ transcript: ` ${transcript}` }],
      isFinal,
      stability: isFinal ? 0 : 0.9,
      resultEndOffset: duration(atMs - this.#baseMs),
      languageCode: 'en-us',
    }
  }

  #refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#fail(3)
  }

  #fail(code: number, more?: Parameters<CallPeer['fail']>[1]): void {
    this.#over = true
    this.peer.fail(code, more)
  }
}

class Speaking implements CallTalk {
  readonly #timers: Timers
  #format: AudioFormat | undefined
  #text = ''
  #over = false

  constructor(
    private readonly double: FakeGoogle,
    private readonly peer: CallPeer,
    private readonly refusal: TtsFault | undefined,
  ) {
    this.#timers = new Timers(double.options.clock)
  }

  message(request: Fields): void {
    if (this.#over) return
    const { streamingConfig, input } = request
    if (this.#format) {
      const text = (input as Fields | undefined)?.['text']
      if (typeof text !== 'string' || text === '') return this.#refuse('a text is due')
      this.#text += text
      return
    }
    if (this.refusal === 'refuse_auth') return this.#fail(16)
    if (this.refusal === 'refuse_429') return this.#fail(8, { retryAfterMs: 7_000 })
    const { voice, streamingAudioConfig } = (streamingConfig ?? {}) as Record<string, Fields | undefined>
    const encoding = ENCODINGS[String(streamingAudioConfig?.['audioEncoding'])]
    const hz = Number(streamingAudioConfig?.['sampleRateHertz'])
    if (!encoding || !(hz >= 8_000 && hz <= 48_000)) return this.#refuse('streamingAudioConfig')
    if (!/^[a-z]{2,3}-[A-Z]{2}$/.test(String(voice?.['languageCode'])) || !voice?.['name']) {
      return this.#refuse('voice')
    }
    this.double.configs.push(request)
    this.#format = { encoding, sampleRateHz: hz }
  }

  finished(): void {
    if (this.#over) return
    if (!this.#format || this.#text === '') return this.#refuse('an end without a text')
    this.double.texts.push(this.#text)
    this.#speak(this.#text, this.#format)
  }

  gone(): void {
    this.#over = true
    this.#timers.end()
  }

  #speak(text: string, format: AudioFormat): void {
    const { firstAudioMs = 0, everyMs = 10, faultOf } = this.double.options
    const fault = faultOf?.(text, this)?.fault ?? this.double.faults.ofSentence()
    const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, format, this.double.options, hz)
    const strikesAt = Math.ceil(chunks.length / 2)
    const step = (at: number): void => {
      if (this.#over || (at === strikesAt && this.#misbehave(fault))) return
      const chunk = chunks[at]
      if (!chunk) {
        if (fault !== 'no_final') this.peer.end()
        return
      }
      // Cut inside a sample.
      const data = Buffer.from(chunk.audio)
      for (const audioContent of [data.subarray(0, 1), data.subarray(1)]) this.peer.send({ audioContent })
      this.#timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    this.#timers.after(firstAudioMs, () => step(0))
  }

  /** True when nothing more of this sentence comes. */
  #misbehave(fault: TtsFault | undefined): boolean {
    const code = {
      drop_mid_stream: 14,
      malformed_json: 13,
      error_without_context: 13,
      error_in_context: 3,
    }[fault as string]
    if (code !== undefined) this.#fail(code)
    if (fault === 'close_clean_early') this.peer.end()
    return code !== undefined || fault === 'close_clean_early' || fault === 'silent_after_ms'
  }

  #refuse(what: string): void {
    this.double.mistakes.push(what)
    this.#fail(3)
  }

  #fail(code: number, more?: Parameters<CallPeer['fail']>[1]): void {
    this.#over = true
    this.peer.fail(code, more)
  }
}

/** As protobuf's loader gives one: seconds are a text. */
function duration(ms: number) {
  return { seconds: String(Math.floor(ms / 1000)), nanos: Math.round(ms % 1000) * 1_000_000 }
}
