/**
 * Hume's `/v0/tts/stream/input` for tests, over a real socket or in memory. It refuses what the SDK's types do not have;
 * what it objected to stands in `mistakes`. Sources: `src/provider/hume/wire.ts`. Left open by them and so options: from
 * where times count, and whether a sentence comes back in one snippet.
 */
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { lengthOf, type SoundOptions, type TtsFault, wordsOf } from './double.ts'
import { sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

export const HUME_KEY = 'hume_fake_0123456789'

export interface FakeHumeOptions extends SoundOptions {
  /** From where times count. Left out: from the sentence's own sound. */
  readonly times?: 'from the connection' | 'from the snippet' | 'none'
  /** Left out: one for each text. */
  readonly snippets?: 'two a text'
}

const QUERY: Readonly<Record<string, RegExp>> = {
  format_type: /^pcm$/,
  instant_mode: /^(true|false)$/,
  no_binary: /^true$/,
  strip_headers: /^(true|false)$/,
  version: /^[12]$/,
  include_timestamp_types: /^word$/,
  context_generation_id: /./,
  api_key: /./,
  access_token: /./,
  // The SDK says who it is.
  fernSdkLanguage: /./,
  fernSdkVersion: /./,
}
const FIELDS = ['text', 'voice', 'description', 'speed', 'trailing_silence', 'flush', 'close']
const FORMAT = { encoding: 'pcm16', sampleRateHz: 48_000 } as const

export class FakeHume extends SocketVoice<FakeHumeOptions> {
  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'hume', apiKey: HUME_KEY, baseUrl }
  }

  protected upgrade({ url, headers }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    const key = headers['x-hume-api-key'] ?? url.searchParams.get('api_key')
    if (fault === 'refuse_auth' || key !== HUME_KEY) return { status: 401 }
    if (url.pathname !== '/v0/tts/stream/input') return { status: 404 }
    const wrong = [...url.searchParams].find(([name, value]) => !QUERY[name]?.test(value))
    if (wrong) {
      this.mistakes.push(wrong[0])
      return { status: 400, body: wrong[0] }
    }
    return (mouth) => new Speaking(this, mouth, url.searchParams.get('include_timestamp_types') !== null)
  }
}

class Speaking implements VoiceTalk {
  readonly #texts: string[] = []
  #buffer = ''
  #voice: unknown
  #busy = false
  #closing = false
  #snippet = 0
  #spokenMs = 0

  constructor(
    private readonly double: FakeHume,
    private readonly mouth: Mouth,
    private readonly timed: boolean,
  ) {}

  heard(frame: Fields): void {
    const unknown = Object.keys(frame).find((name) => !FIELDS.includes(name))
    if (unknown !== undefined) return this.refuse(`unknown field ${unknown}`)
    const { text, voice, speed, flush, close } = frame
    if (voice !== undefined) this.#voice = voice
    if (voice !== undefined && !isVoice(voice)) return this.refuse('voice')
    if (speed !== undefined && (typeof speed !== 'number' || speed <= 0)) return this.refuse('speed')
    if (text !== undefined && typeof text !== 'string') return this.refuse('text')
    if (text !== undefined && this.#voice === undefined) return this.refuse('instant mode wants a voice')
    this.#buffer += text ?? ''
    if ((flush === true || close === true) && this.#buffer.trim() !== '') {
      this.#texts.push(this.#buffer)
      this.#buffer = ''
    }
    if (close === true) this.#closing = true
    this.#work()
  }

  #work(): void {
    if (this.#busy) return
    const text = this.#texts.shift()
    if (text !== undefined) return this.#speak(text)
    if (this.#closing) this.mouth.peer.close(1000)
  }

  #speak(text: string): void {
    this.#busy = true
    const { mouth, double } = this
    const { times, snippets, chunkMs = 100 } = double.options
    const sentence = sentenceOf(double, text, FORMAT, this)
    const { chunks, fault } = sentence
    const words = wordsOf(text, double.options)
    // A snippet ends between words; its sound need not.
    const cutAt = snippets ? Math.ceil(words.length / 2) : words.length
    const cutMs = words[cutAt]?.startMs ?? Number.POSITIVE_INFINITY
    const parts = [words.slice(0, cutAt), words.slice(cutAt)].filter((part) => part.length > 0)
    const said = parts.map((part) => part.map((one) => one.word).join(' '))
    const first = this.#snippet
    this.#snippet += parts.length
    const partOf = (ms: number) => (ms >= cutMs ? 1 : 0)
    mouth.say(sentence, {
      chunk: (chunk, at) => {
        const part = partOf(chunk.startMs)
        const next = chunks[at + 1]
        const isLast = !next || partOf(next.startMs) !== part
        for (const word of words) {
          const due = Math.max(word.startMs, part === 1 ? cutMs : 0)
          if (!this.timed || times === 'none' || partOf(word.startMs) !== part) continue
          const begins = part === 1 ? Math.ceil(cutMs / chunkMs) * chunkMs : 0
          const told = Math.max(begins, Math.floor(due / chunkMs) * chunkMs)
          if (told !== chunk.startMs) continue
          const from = times === 'from the connection' ? this.#spokenMs : 0
          const shift = times === 'from the snippet' && part === 1 ? -cutMs : from
          mouth.send({
            type: 'timestamp',
            generation_id: 'g',
            request_id: 'r',
            snippet_id: `s${first + part}`,
            timestamp: {
              type: 'word',
              text: word.word,
              time: { begin: word.startMs + shift, end: word.endMs + shift },
            },
          })
        }
        const ends = isLast && !(fault === 'no_final' && !next) ? 'last' : 'more'
        const data = Buffer.from(chunk.audio)
        // Cut inside a sample.
        this.#audio(first + part, said[part]!, data.subarray(0, 1), at * 2, 'more')
        this.#audio(first + part, said[part]!, data.subarray(1), at * 2 + 1, ends)
        if (fault === 'duplicate_final' && ends === 'last') {
          this.#audio(first + part, said[part]!, new Uint8Array(), at * 2 + 2, ends)
        }
      },
      ends: () => {
        if (chunks.length === 0 && fault !== 'no_final') {
          this.#audio(first, said.join(' '), new Uint8Array(), 0, 'last')
        }
        this.#finish(text, fault)
      },
      strikes: {
        malformed_json: () => mouth.peer.send('{"type":"audio","audio":"SECRET'),
        error_without_context: () => mouth.peer.close(1011, 'SECRET'),
        error_in_context: () =>
          mouth.send({ type: 'error', code: 'E0000', slug: 'SECRET', message: 'SECRET' }),
      },
    })
  }

  #finish(text: string, fault: TtsFault | undefined): void {
    this.#spokenMs += lengthOf(text, this.double.options.msPerChar ?? 50)
    this.#busy = false
    if (fault !== 'no_final') this.#work()
  }

  #audio(snippet: number, text: string, audio: Uint8Array, chunk: number, ends: 'last' | 'more'): void {
    this.mouth.send({
      type: 'audio',
      audio: Buffer.from(audio).toString('base64'),
      audio_format: 'pcm',
      chunk_index: chunk,
      generation_id: 'g',
      is_last_chunk: ends === 'last',
      request_id: 'r',
      snippet_id: `s${snippet}`,
      text,
      utterance_index: 0,
    })
  }

  refuse(what: string): void {
    this.double.mistakes.push(what)
    this.mouth.send({ type: 'error', message: what })
  }
}

function isVoice(voice: unknown): boolean {
  const { id, name, provider, ...more } = (voice ?? {}) as Record<string, unknown>
  if (Object.keys(more).length > 0 || (id === undefined) === (name === undefined)) return false
  return (
    typeof (id ?? name) === 'string' && ['HUME_AI', 'CUSTOM_VOICE', undefined].includes(provider as string)
  )
}
