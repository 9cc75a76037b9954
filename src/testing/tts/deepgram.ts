/**
 * Deepgram's voices for tests: v1 `speak` and v2 `speak`, over a real socket or in memory. It refuses what the documents
 * forbid; what it objected to stands in `mistakes`. Sources: `src/provider/deepgram/speak-wire.ts`. Left open by the
 * documents and so an option: whether a flush that was cleared away is answered after all.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
import type { DoubleRequest } from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { lengthOf, type SoundOptions, type TtsFault } from './double.ts'
import { type Sentence, sentenceOf } from './sentence.ts'
import { type Mouth, SocketVoice, type VoiceAnswer, type VoiceTalk } from './socket-voice.ts'
import type { Fields } from './voice-double.ts'

export const SPEAK_KEY = 'dg_fake_0123456789'

export interface FakeSpeakOptions extends SoundOptions {
  readonly clearedFlush?: 'answered late'
}

const ENCODINGS: Readonly<Record<string, Encoding>> = { linear16: 'pcm16', mulaw: 'mulaw', alaw: 'alaw' }
const QUERY = {
  v1: ['model', 'encoding', 'sample_rate', 'speed', 'mip_opt_out'],
  v2: ['model', 'encoding', 'sample_rate', 'speed', 'expressivity', 'mip_opt_out', 'tag'],
}
const RATES = {
  v1: [8_000, 16_000, 24_000, 32_000, 48_000],
  v2: [8_000, 16_000, 24_000, 32_000, 44_100, 48_000],
}
const MESSAGES = {
  v1: ['Speak', 'Flush', 'Clear', 'Close'],
  v2: ['Speak', 'Flush', 'Interrupt', 'Configure', 'Close'],
}
/** From `Cleared` to the answers of what was cleared away. */
const LATE_MS = 50
const TEXT_CHARACTERS = 2_000
const FLUSHES = { most: 20, withinMs: 60_000 }

type Version = 'v1' | 'v2'

export class FakeSpeak extends SocketVoice<FakeSpeakOptions> {
  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'deepgram', apiKey: SPEAK_KEY, baseUrl }
  }

  protected upgrade({ url, headers }: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer {
    if (fault === 'refuse_auth' || headers['authorization'] !== `Token ${SPEAK_KEY}`) return { status: 401 }
    const version = /^\/(v[12])\/speak$/.exec(url.pathname)?.[1] as Version | undefined
    if (!version) return { status: 404 }
    const mistake = queryMistake(url.searchParams, version)
    if (mistake !== undefined) {
      this.mistakes.push(mistake)
      return { status: 400, body: JSON.stringify({ err_code: 'INVALID_QUERY_PARAMETER', err_msg: mistake }) }
    }
    const { searchParams: query } = url
    const format = {
      encoding: ENCODINGS[query.get('encoding')!]!,
      sampleRateHz: Number(query.get('sample_rate')),
    }
    return (mouth) => new Speaking(this, mouth, version, format)
  }

  /** Resolves once a frame of that type was heard. */
  heard(type: string): Promise<void> {
    return this.hears((frame) => frame['type'] === type)
  }
}

function queryMistake(query: URLSearchParams, version: Version): string | undefined {
  const unknown = [...query.keys()].find((name) => !QUERY[version].includes(name))
  if (unknown !== undefined) return `unknown parameter ${unknown}`
  const family = version === 'v1' ? /^aura(-2)?-[a-z]+-[a-z]{2}$/ : /^flux-[a-z]+-[a-z]{2}$/
  if (!family.test(query.get('model') ?? '')) return 'model'
  const encoding = ENCODINGS[query.get('encoding') ?? '']
  const hz = Number(query.get('sample_rate'))
  if (!encoding) return 'encoding'
  if (!(encoding === 'pcm16' ? RATES[version] : [8_000, 16_000]).includes(hz)) return 'sample_rate'
  const speed = query.get('speed')
  if (speed === null) return undefined
  const [least, step] = version === 'v1' ? [0.7, 0] : [0.5, 0.05]
  const pace = Number(speed)
  if (!(pace >= least && pace <= 1.5)) return 'SPEED_OUT_OF_RANGE'
  return step > 0 && Math.abs(pace / step - Math.round(pace / step)) > 1e-9
    ? 'SPEED_INCREMENT_INVALID'
    : undefined
}

class Speaking implements VoiceTalk {
  #text = ''
  #queue: { readonly text: string; readonly id: number }[] = []
  #busy = false
  #stop = () => {}
  #flushes = 0
  #clears = 0
  #flushedAt: number[] = []

  constructor(
    private readonly double: FakeSpeak,
    private readonly mouth: Mouth,
    private readonly version: Version,
    private readonly format: AudioFormat,
  ) {
    const names = { model_name: 'a', model_version: '2026.1', request_id: 'r' }
    if (version === 'v1') this.mouth.send({ type: 'Metadata', ...names, model_uuid: 'u' })
    else this.mouth.send({ type: 'Connected', ...names, model_uuids: ['u'] })
  }

  heard(frame: Fields): void {
    const { type, ...rest } = frame
    if (!MESSAGES[this.version].includes(String(type))) return this.refuse(`a message ${type}`)
    if (type === 'Speak') return this.#speak(rest)
    if (type === 'Flush') return this.#flush()
    if (type === 'Clear') return this.#clear()
    if (type === 'Close') this.mouth.peer.close(1000)
  }

  #speak({ text, ...more }: Fields): void {
    if (Object.keys(more).length > 0) return this.refuse('a Speak with more than its text')
    if (typeof text !== 'string' || text.length > TEXT_CHARACTERS) return this.refuse('a Speak without text')
    this.#text += text
  }

  #flush(): void {
    const { clock } = this.double.options
    const since = clock.now() - FLUSHES.withinMs
    this.#flushedAt = this.#flushedAt.filter((at) => at > since)
    if (this.version === 'v1' && this.#flushedAt.length >= FLUSHES.most) {
      this.double.mistakes.push('a flush too many')
      return this.mouth.send({ type: 'Warning', code: 'FLUSH', description: 'SECRET' })
    }
    this.#flushedAt.push(clock.now())
    this.#queue.push({ text: this.#text, id: this.#flushes++ })
    if (this.version === 'v2') this.mouth.send({ type: 'Flushed', speech_id: speechId(this.#flushes - 1) })
    this.#text = ''
    this.#work()
  }

  #clear(): void {
    this.#text = ''
    const cleared = this.#queue.splice(0)
    this.#busy = false
    this.#stop()
    // It takes a moment, in which the last sound may come.
    this.mouth.after(20, () => {
      if (cleared.length > 0) this.mouth.peer.send(new Uint8Array(640).fill(255))
      this.mouth.send({ type: 'Cleared', sequence_id: this.#clears++ })
      if (this.double.options.clearedFlush === 'answered late') {
        this.mouth.after(LATE_MS, () => {
          for (const { id } of cleared) this.mouth.send({ type: 'Flushed', sequence_id: id })
        })
      }
    })
  }

  #work(): void {
    const next = this.#queue[0]
    if (!next || this.#busy) return
    this.#busy = true
    const { mouth } = this
    const sentence = sentenceOf(this.double, next.text, this.format, this)
    if (this.version === 'v2') mouth.send({ type: 'SpeechStarted', speech_id: speechId(next.id) })
    const breaks = () => this.#fail('NET-0000', 1011)
    this.#stop = mouth.say(sentence, {
      chunk: ({ audio }) => mouth.peer.send(audio),
      ends: () => this.#finish(next.id, sentence),
      strikes: {
        malformed_json: () => mouth.peer.send('{"type":"Flushed","sequence_id":SECRET'),
        error_without_context: breaks,
        refuse_in_context: breaks,
        error_in_context: () => this.#fail('DATA-0000', 1008),
      },
    })
  }

  #finish(id: number, { fault, text }: Sentence): void {
    this.#queue.shift()
    this.#busy = false
    if (fault === 'no_final') return
    const count = text.length
    const done =
      this.version === 'v1'
        ? { type: 'Flushed', sequence_id: id }
        : {
            type: 'SpeechMetadata',
            speech_id: speechId(id),
            audio_duration_ms: lengthOf(text, this.double.options.msPerChar ?? 50),
            input_character_count: count,
            billable_character_count: count,
            controls_applied: { pronunciations_applied: 0, breaks_applied: 0, pronunciation_warnings: 0 },
          }
    this.mouth.send(done)
    if (fault === 'duplicate_final') this.mouth.send(done)
    this.#work()
  }

  #fail(code: string, close: number): void {
    if (this.version === 'v2') this.mouth.send({ type: 'Error', code, description: 'SECRET' })
    else this.mouth.peer.close(close, `${code} SECRET`)
  }

  refuse(what: string): void {
    this.double.mistakes.push(what)
    this.mouth.peer.close(1008, 'DATA-0000')
  }
}

function speechId(id: number): string {
  return `dg_sp_${id.toString(16).padStart(12, '0')}`
}
