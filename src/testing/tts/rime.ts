/**
 * Rime's `/ws3` for tests, over a real socket or in memory. It refuses what the documents do not have; what it objected
 * to stands in `mistakes`. Sources: `src/provider/rime/wire.ts`. Only `segment=never` is played. Left open by the
 * documents and so an option: whether times come with each chunk or once, and for which languages.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { type SoundOptions, type TtsFault, wordsOf } from './double.ts'
import { type Sentence, sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

export const RIME_KEY = 'rime_fake_0123456789'

export interface FakeRimeOptions extends SoundOptions {
  readonly times?: 'once, first' | 'none'
}

const QUERY = [
  'speaker',
  'modelId',
  'audioFormat',
  'samplingRate',
  'segment',
  'lang',
  'speedAlpha',
  'timeScaleFactor',
]
const MODELS = ['coda', 'arcana', 'mistv2', 'mistv3']
const RATES = [8_000, 16_000, 22_050, 24_000, 44_100]
const OPERATIONS = ['flush', 'clear', 'eos']

export class FakeRime extends SocketVoice<FakeRimeOptions> {
  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'rime', apiKey: RIME_KEY, baseUrl }
  }

  protected upgrade({ url, headers }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    if (fault === 'refuse_auth' || headers['authorization'] !== `Bearer ${RIME_KEY}`) return { status: 401 }
    if (url.pathname !== '/ws3') return { status: 404 }
    const mistake = queryMistake(url.searchParams)
    if (mistake !== undefined) {
      this.mistakes.push(mistake)
      return { status: 400, body: mistake }
    }
    const { searchParams: query } = url
    const format: AudioFormat = {
      encoding: query.get('audioFormat') === 'mulaw' ? 'mulaw' : 'pcm16',
      sampleRateHz: Number(query.get('samplingRate')),
    }
    return (mouth) => new Speaking(this, mouth, format)
  }
}

function queryMistake(query: URLSearchParams): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY.includes(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  if (!query.get('speaker')) return 'speaker'
  if (!MODELS.includes(query.get('modelId') ?? '')) return 'modelId'
  if (!['pcm', 'mulaw'].includes(query.get('audioFormat') ?? '')) return 'audioFormat'
  if (!RATES.includes(Number(query.get('samplingRate')))) return 'samplingRate'
  if (query.get('segment') !== 'never') return 'this double plays segment=never'
  return /^[a-z]{2,3}$/.test(query.get('lang') ?? 'eng') ? undefined : 'lang'
}

class Speaking implements VoiceTalk {
  #buffer = ''
  /** Flushed while something is spoken: what is held until that has ended. */
  #held = ''
  #busy = false

  constructor(
    private readonly double: FakeRime,
    private readonly mouth: Mouth,
    private readonly format: AudioFormat,
  ) {}

  heard(frame: Fields): void {
    const { operation, text, contextId, ...more } = frame
    if (Object.keys(more).length > 0) return this.refuse(`unknown field ${Object.keys(more)[0]}`)
    if (contextId !== undefined && typeof contextId !== 'string') return this.refuse('contextId')
    if (operation !== undefined) return this.#operate(String(operation), text)
    if (typeof text !== 'string' || text === '') return this.refuse('neither text nor operation')
    this.#buffer += text
  }

  #operate(operation: string, text: unknown): void {
    if (!OPERATIONS.includes(operation) || text !== undefined) return this.refuse(`operation ${operation}`)
    if (operation === 'clear') {
      this.#buffer = ''
      this.#held = ''
      return
    }
    if (operation === 'eos') return this.mouth.peer.close(1000)
    // Two flushes that wait become one utterance.
    if (this.#held !== '') this.double.mistakes.push('two utterances held at once')
    this.#held += this.#buffer
    this.#buffer = ''
    this.#work()
  }

  #work(): void {
    if (this.#busy || this.#held.trim() === '') return
    const text = this.#held
    this.#held = ''
    this.#busy = true
    const sentence = sentenceOf(this.double, text, this.format, this)
    const { times, chunkMs = 100 } = this.double.options
    const { mouth } = this
    mouth.say(sentence, {
      chunk: ({ audio, startMs }) => {
        if (startMs === 0 && times === 'once, first') this.#times(text, 0, Number.POSITIVE_INFINITY)
        const data = Buffer.from(audio)
        // Cut anywhere, inside a sample too.
        for (const part of [data.subarray(0, 1), data.subarray(1)]) {
          mouth.send({ type: 'chunk', data: part.toString('base64'), contextId: null })
        }
        if (times === undefined) this.#times(text, startMs, startMs + chunkMs)
      },
      ends: () => this.#finish(sentence),
      strikes: {
        malformed_json: () => mouth.peer.send('{"type":"chunk","data":"SECRET'),
        error_without_context: () => mouth.peer.close(1011, 'SECRET'),
        error_in_context: () => mouth.send({ type: 'error', message: 'SECRET' }),
      },
    })
  }

  #finish({ fault }: Sentence): void {
    this.#busy = false
    if (fault === 'no_final') return
    this.mouth.send({ type: 'done', contextId: null })
    this.#work()
  }

  /** Words that begin between two moments, in seconds. */
  #times(text: string, fromMs: number, toMs: number): void {
    const words = wordsOf(text, this.double.options).filter(
      ({ startMs }) => startMs >= fromMs && startMs < toMs,
    )
    if (words.length === 0) return
    const word_timestamps = {
      words: words.map(({ word }) => word),
      start: words.map(({ startMs }) => startMs / 1000),
      end: words.map(({ endMs }) => endMs / 1000),
    }
    this.mouth.send({ type: 'timestamps', word_timestamps, contextId: null })
  }

  refuse(what: string): void {
    this.double.mistakes.push(what)
    this.mouth.send({ type: 'error', message: what })
  }
}
