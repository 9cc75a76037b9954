/**
 * A double of Azure's recogniser: the WebSocket that Microsoft's own SDK opens, in its frames. It refuses what it cannot read, and a
 * wrong key. Sources: `src/provider/azure-speech/wire.ts`.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { SocketClose } from '../../provider/socket.ts'
import { BAD_REQUEST, BROKEN, type Frame, FramedTalk, TICKS_PER_MS } from '../carrier/azure-frames.ts'
import type { DoublePeer } from '../carrier/sockets.ts'
import { type CalledDialect, CalledHearing, fromMsOf } from './called.ts'
import {
  type HeardWord,
  type SttDirections,
  type SttDouble,
  type SttDoubleOptions,
  type SttSessionRecord,
  sttDouble,
} from './double.ts'

const PATH = /^\/speech\/recognition\/(conversation|interactive|dictation)\/cognitiveservices\/v1$/
/** Of the head of a WAV file. */
const WAVE_TAGS: Readonly<Record<number, AudioFormat['encoding']>> = { 1: 'pcm16', 6: 'alaw', 7: 'mulaw' }
const WAVE_HEAD_BYTES = 44

/**
 * A session is a connection, one for each stretch of speech. Words of `script` are placed in the audio of all sessions, as a caller's
 * are; with `scriptOf` each session begins its own. A step's `send` is `{ path, body }`.
 */
export function fakeAzureRecogniser(options: SttDoubleOptions = {}): SttDouble {
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'azure-speech', apiKey, baseUrl })
  const double: SttDouble = sttDouble(options, entryAt, ({ url, headers, script, clock, key }) => {
    if (!PATH.test(url.pathname)) return { status: 404 }
    if (script.fault === 'refuse_auth' || headers['ocp-apim-subscription-key'] !== key) return { status: 401 }
    if (!/^[a-z]{2,3}-[A-Z]{2}$/.test(url.searchParams.get('language') ?? '')) return { status: 400 }
    return (peer, record) => new Session(peer, record, { script, clock }, fromMsOf(options, double.sessions))
  })
  return double
}

class Session extends FramedTalk {
  #hearing: CalledHearing | undefined
  #format: AudioFormat = { encoding: 'pcm16', sampleRateHz: 16_000 }
  #over = false

  constructor(
    peer: DoublePeer,
    private readonly record: SttSessionRecord,
    private readonly directions: SttDirections,
    private readonly fromMs: number,
  ) {
    super(peer)
  }

  gone(close: SocketClose): void {
    this.#over = true
    if (this.#hearing) this.#hearing.out.gone(close)
    else this.record.closed = close
  }

  protected frame(frame: Frame): void {
    if (this.#over) return
    const { path, body } = frame
    if (path === 'speech.config' || path === 'speech.context') return void this.parsed(frame)
    if (path !== 'audio') return this.refuse(`path ${path}`)
    if (!this.#hearing) return this.#begin(frame)
    if (body.length === 0) return this.#hearing.finished()
    if (this.#format.encoding === 'pcm16' && body.length % 2 === 1) return this.refuse('half a sample')
    this.#hearing.heard(body, () => this.#end(BROKEN))
  }

  /** The first audio is the head of a WAV file, which says what the rest is. */
  #begin({ request, body }: Frame): void {
    const encoding = WAVE_TAGS[body.length >= WAVE_HEAD_BYTES ? body.readUInt16LE(20) : 0]
    if (!encoding || body.toString('latin1', 0, 4) !== 'RIFF')
      return this.refuse('the first audio is no WAV head')
    const { script } = this.directions
    if (script.fault === 'wrong_sample_rate') return this.#end(BAD_REQUEST)
    this.request = request
    this.#format = { encoding, sampleRateHz: body.readUInt32LE(24) }
    this.tell('turn.start', { context: { serviceTag: 'tag' } })
    const peer = {
      send: (json: string | Uint8Array) => this.#say(String(json)),
      close: (code: number) => this.peer.close(code),
      drop: () => this.peer.drop(),
    }
    const { record, fromMs } = this
    const facts = { ...this.directions, peer, record, fromMs, format: this.#format, dialect: DIALECT }
    this.#hearing = new CalledHearing(facts)
  }

  #say(json: string): void {
    try {
      const { path, body = {} } = JSON.parse(json) as { readonly path?: string; readonly body?: object }
      if (typeof path !== 'string') throw new TypeError('no path')
      this.tell(path, body)
    } catch {
      // A body that is no JSON.
      this.tell('speech.hypothesis', json.slice(0, -1))
    }
  }

  protected refuse(what: string): void {
    this.record.mistakes.push(what)
    this.#end(BAD_REQUEST)
  }

  #end(code: number): void {
    if (this.#over) return
    this.#over = true
    this.peer.close(code, 'SECRET')
  }
}

const DIALECT: CalledDialect = {
  partial: (words, atMs) => ({
    path: 'speech.hypothesis',
    body: { Text: textOf(words), Offset: 0, Duration: atMs * TICKS_PER_MS },
  }),
  final: (words, atMs) => {
    const text = textOf(words)
    const from = words[0]!.startMs * TICKS_PER_MS
    const Words = words.map((word) => ({
      // As it was spoken: what is displayed has marks and capitals.
      Word: word.text.toLowerCase().replaceAll(/[.,]/g, ''),
      Offset: word.startMs * TICKS_PER_MS,
      Duration: (word.endMs - word.startMs) * TICKS_PER_MS,
    }))
    const best = { Confidence: 0.9, Lexical: text, ITN: text, MaskedITN: text, Display: text, Words }
    return {
      path: 'speech.phrase',
      body: {
        RecognitionStatus: 'Success',
        DisplayText: text,
        NBest: [best],
        Offset: from,
        Duration: atMs * TICKS_PER_MS - from,
        PrimaryLanguage: { Language: words[0]?.language ?? 'en-US' },
      },
    }
  },
  paused: (lastMs) => ({ path: 'speech.endDetected', body: { Offset: lastMs * TICKS_PER_MS } }),
  ended: { path: 'turn.end' },
  keepAlive: { path: 'speech.startDetected', body: { Offset: 0 } },
}

function textOf(words: readonly HeardWord[]): string {
  return words.map(({ text }) => text).join(' ')
}
