/**
 * Inworld's `/tts/v1/voice:stream` for tests, over a real server or in memory. It refuses what the SDK's types do not
 * have; what it objected to stands in `mistakes`. Sources: `src/provider/inworld/wire.ts`. Left open by the documents and
 * so an option: whether times fall back inside a request, and whether chunks of samples begin with a header.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
import type { HttpDoubleAnswer, HttpDoubleRequest, HttpDoubleServer } from '../carrier/http.ts'
import type { Double, ProviderEntry } from '../double.ts'
import {
  type Clocked,
  clocked,
  DRIP_MS,
  FaultPlan,
  type SoundOptions,
  soundOf,
  Timers,
  type TtsFault,
} from './double.ts'
import { wavHeader } from './openai.ts'

export const INWORLD_KEY = 'ZmFrZTowMTIzNDU2Nzg5'

export interface FakeInworldOptions extends SoundOptions {
  readonly headers?: 'on every chunk'
  /** After the first half of the words. */
  readonly times?: 'fall back'
}

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  PCM: 'pcm16',
  LINEAR16: 'pcm16',
  MULAW: 'mulaw',
  ALAW: 'alaw',
}
const FIELDS = [
  'text',
  'voiceId',
  'modelId',
  'audioConfig',
  'temperature',
  'timestampType',
  'timestampTransportStrategy',
  'applyTextNormalization',
  'deliveryMode',
  'language',
]
const AUDIO_FIELDS = ['audioEncoding', 'sampleRateHertz', 'speakingRate', 'bitRate']
const TEXT_CHARACTERS = 2_000

type Body = Readonly<Record<string, unknown>>

export class FakeInworld implements Double {
  readonly options: Clocked<FakeInworldOptions>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []
  readonly bodies: Body[] = []

  constructor(options: FakeInworldOptions = {}) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options.fault)
  }

  /** The bodies of requests, in order. */
  get sessions(): readonly object[] {
    return this.bodies
  }

  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'inworld', apiKey: INWORLD_KEY, baseUrl }
  }

  readonly http: HttpDoubleServer = (request, answer) => {
    const timers = new Timers(this.options.clock)
    this.#answer(request, answer, timers)
    return () => timers.end()
  }

  #answer(request: HttpDoubleRequest, answer: HttpDoubleAnswer, timers: Timers): void {
    const connection = this.faults.ofConnection()
    if (connection === 'hang_on_connect') return
    if (connection === 'refuse_429') return refuse(answer, 429, 8, { 'retry-after': '7' })
    const key = request.headers['authorization'] === `Basic ${INWORLD_KEY}`
    if (connection === 'refuse_auth' || !key) return refuse(answer, 401, 16)
    if (request.method !== 'POST' || request.url.pathname !== '/tts/v1/voice:stream') {
      this.mistakes.push(`${request.method} ${request.url.pathname}`)
      return refuse(answer, 404, 5)
    }
    const body = JSON.parse(request.body) as Body
    this.bodies.push(body)
    const mistakes = mistakesOf(body)
    if (mistakes.length > 0) {
      this.mistakes.push(...mistakes)
      return refuse(answer, 400, 3)
    }
    const text = body['text'] as string
    const fault = this.options.faultOf?.(text, {})?.fault ?? this.faults.ofSentence()
    if (fault === 'refuse_in_context') return refuse(answer, 503, 14)
    if (fault === 'rate_in_context') return refuse(answer, 429, 8)
    answer.head(200, { 'content-type': 'application/json' })
    this.#speak(text, body, fault, answer, timers)
  }

  #speak(
    text: string,
    body: Body,
    fault: TtsFault | undefined,
    answer: HttpDoubleAnswer,
    timers: Timers,
  ): void {
    const { firstAudioMs = 0, everyMs = 10, headers } = this.options
    const config = body['audioConfig'] as Body
    const format: AudioFormat = {
      encoding: ENCODINGS[String(config['audioEncoding'])] ?? 'pcm16',
      sampleRateHz: Number(config['sampleRateHertz']),
    }
    const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
    const chunks = fault === 'no_sound' ? [] : soundOf(text, format, this.options, hz)
    const strikesAt = Math.ceil(chunks.length / 2)
    const late = body['timestampTransportStrategy'] === 'ASYNC'
    const step = (at: number): void => {
      if (at === strikesAt && misbehave(fault, answer)) return
      const chunk = chunks[at]
      if (!chunk) {
        if (fault === 'no_final') return
        if (late && chunks.length > 0)
          line(answer, { result: this.#times(text, body, 0, Number.POSITIVE_INFINITY) })
        return answer.end()
      }
      const header =
        headers && format.encoding === 'pcm16' ? [wavHeader(format.sampleRateHz, chunk.audio.length)] : []
      const audioContent = Buffer.concat([...header, chunk.audio]).toString('base64')
      const { chunkMs = 100 } = this.options
      const times = late ? {} : this.#times(text, body, chunk.startMs, chunk.startMs + chunkMs)
      line(answer, { result: { audioContent, ...times } })
      timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
    }
    timers.after(firstAudioMs, () => step(0))
  }

  /** Words that begin between two moments, in seconds. */
  #times(text: string, body: Body, fromMs: number, toMs: number): object {
    if (body['timestampType'] !== 'WORD') return {}
    const { msPerChar = 50, times } = this.options
    const all = [...text.trim().matchAll(/\S+/g)].map((found) => ({
      word: found[0],
      start: found.index * msPerChar,
      end: (found.index + found[0].length) * msPerChar,
    }))
    const half = times === 'fall back' ? Math.ceil(all.length / 2) : all.length
    const backMs = all[half - 1]?.end ?? 0
    const words = all
      .map((one, i) => ({ ...one, backMs: i < half ? 0 : backMs }))
      .filter(({ start }) => start >= fromMs && start < toMs)
    const wordAlignment = {
      words: words.map(({ word }) => word),
      wordStartTimeSeconds: words.map(({ start, backMs }) => (start - backMs) / 1000),
      wordEndTimeSeconds: words.map(({ end, backMs }) => (end - backMs) / 1000),
      phoneticDetails: [],
    }
    return { timestampInfo: { wordAlignment } }
  }
}

function mistakesOf(body: Body): string[] {
  const config = body['audioConfig']
  const audio = (typeof config === 'object' && config !== null ? config : {}) as Body
  const found = [
    ...Object.keys(body).filter((field) => !FIELDS.includes(field)),
    ...Object.keys(audio).filter((field) => !AUDIO_FIELDS.includes(field)),
  ].map((field) => `unknown field ${field}`)
  const { text, voiceId, modelId, timestampType } = body
  if (typeof text !== 'string' || text === '' || text.length > TEXT_CHARACTERS) found.push('text')
  if (typeof voiceId !== 'string' || voiceId === '') found.push('voiceId')
  if (typeof modelId !== 'string' || modelId === '') found.push('modelId')
  if (timestampType !== undefined && timestampType !== 'WORD' && timestampType !== 'CHARACTER') {
    found.push('timestampType')
  }
  const encoding = ENCODINGS[String(audio['audioEncoding'])]
  if (!encoding) found.push('audioEncoding')
  const hz = Number(audio['sampleRateHertz'])
  if (encoding === 'pcm16' ? !(hz >= 8_000 && hz <= 48_000) : hz !== 8_000) found.push('sampleRateHertz')
  const rate = Number(audio['speakingRate'] ?? 1)
  if (!(rate >= 0.5 && rate <= 1.5)) found.push('speakingRate')
  return found
}

/** True when nothing more of this sentence comes. */
function misbehave(fault: TtsFault | undefined, answer: HttpDoubleAnswer): boolean {
  switch (fault) {
    case 'drop_mid_stream':
      answer.drop()
      return true
    case 'close_clean_early':
      answer.end()
      return true
    case 'silent_after_ms':
      return true
    case 'malformed_json':
      answer.write('{"result":{"audioContent":"SECRET\n')
      return true
    case 'error_without_context':
    case 'error_in_context':
      line(answer, { error: { code: fault === 'error_in_context' ? 3 : 13, message: 'SECRET', details: [] } })
      answer.end()
      return true
    default:
      return false
  }
}

/** In two pieces, as a network may cut it. */
function line(answer: HttpDoubleAnswer, message: object): void {
  const text = `${JSON.stringify(message)}\n`
  answer.write(text.slice(0, 9))
  answer.write(text.slice(9))
}

function refuse(
  answer: HttpDoubleAnswer,
  status: number,
  code: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer.head(status, { 'content-type': 'application/json', ...headers })
  answer.write(JSON.stringify({ code, message: `SECRET ${INWORLD_KEY}`, details: [] }))
  answer.end()
}
