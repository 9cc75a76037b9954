/**
 * Inworld's `/tts/v1/voice:stream` for tests, over a real server or in memory. It refuses what the SDK's types do not
 * have; what it objected to stands in `mistakes`. Sources: `src/provider/inworld/wire.ts`. Left open by the documents and
 * so an option: whether times fall back inside a request, and whether chunks of samples begin with a header.
 */
import type { AudioFormat, Encoding } from '../../audio/format.ts'
import type { HttpDoubleAnswer } from '../carrier/http.ts'
import type { ProviderEntry } from '../double.ts'
import { type SoundOptions, wordsOf } from './double.ts'
import { HttpVoice, type VoiceRequest } from './http-voice.ts'
import { wavHeader } from './openai.ts'
import { type Sentence, sentenceOf } from './sentence.ts'
import type { Fields } from './voice-double.ts'

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

export class FakeInworld extends HttpVoice<FakeInworldOptions> {
  settingsAt(baseUrl: string): ProviderEntry {
    return { type: 'inworld', apiKey: INWORLD_KEY, baseUrl }
  }

  protected serve(asked: VoiceRequest): void {
    const { request, answer, fault: connection } = asked
    if (connection === 'refuse_429') return refuse(answer, 429, 8, { 'retry-after': '7' })
    const key = request.headers['authorization'] === `Basic ${INWORLD_KEY}`
    if (connection === 'refuse_auth' || !key) return refuse(answer, 401, 16)
    if (request.method !== 'POST' || request.url.pathname !== '/tts/v1/voice:stream') {
      this.mistakes.push(`${request.method} ${request.url.pathname}`)
      return refuse(answer, 404, 5)
    }
    const body = JSON.parse(request.body) as Fields
    this.bodies.push(body)
    const mistakes = mistakesOf(body)
    if (mistakes.length > 0) {
      this.mistakes.push(...mistakes)
      return refuse(answer, 400, 3)
    }
    const text = body['text'] as string
    const config = body['audioConfig'] as Fields
    const format: AudioFormat = {
      encoding: ENCODINGS[String(config['audioEncoding'])] ?? 'pcm16',
      sampleRateHz: Number(config['sampleRateHertz']),
    }
    const sentence = sentenceOf(this, text, format, {})
    const { fault } = sentence
    if (fault === 'refuse_in_context') return refuse(answer, 503, 14)
    if (fault === 'rate_in_context') return refuse(answer, 429, 8)
    answer.head(200, { 'content-type': 'application/json' })
    this.#speak(sentence, body, format, asked)
  }

  #speak(sentence: Sentence, body: Fields, format: AudioFormat, asked: VoiceRequest): void {
    const { text, chunks, fault } = sentence
    const { answer } = asked
    const { headers, chunkMs = 100 } = this.options
    const late = body['timestampTransportStrategy'] === 'ASYNC'
    const fail = (code: number) => () => {
      line(answer, { error: { code, message: 'SECRET', details: [] } })
      answer.end()
    }
    this.say(sentence, asked, {
      chunk: ({ audio, startMs }) => {
        const header =
          headers && format.encoding === 'pcm16' ? [wavHeader(format.sampleRateHz, audio.length)] : []
        const audioContent = Buffer.concat([...header, audio]).toString('base64')
        const times = late ? {} : this.#times(text, body, startMs, startMs + chunkMs)
        line(answer, { result: { audioContent, ...times } })
      },
      ends: () => {
        if (fault === 'no_final') return
        if (late && chunks.length > 0) {
          line(answer, { result: this.#times(text, body, 0, Number.POSITIVE_INFINITY) })
        }
        answer.end()
      },
      strikes: {
        malformed_json: () => answer.write('{"result":{"audioContent":"SECRET\n'),
        error_without_context: fail(13),
        error_in_context: fail(3),
      },
    })
  }

  /** Words that begin between two moments, in seconds. */
  #times(text: string, body: Fields, fromMs: number, toMs: number): object {
    if (body['timestampType'] !== 'WORD') return {}
    const { times } = this.options
    const all = wordsOf(text, this.options)
    const half = times === 'fall back' ? Math.ceil(all.length / 2) : all.length
    const backMs = all[half - 1]?.endMs ?? 0
    const words = all
      .map((one, i) => ({ ...one, backMs: i < half ? 0 : backMs }))
      .filter(({ startMs }) => startMs >= fromMs && startMs < toMs)
    const wordAlignment = {
      words: words.map(({ word }) => word),
      wordStartTimeSeconds: words.map(({ startMs, backMs }) => (startMs - backMs) / 1000),
      wordEndTimeSeconds: words.map(({ endMs, backMs }) => (endMs - backMs) / 1000),
      phoneticDetails: [],
    }
    return { timestampInfo: { wordAlignment } }
  }
}

function mistakesOf(body: Fields): string[] {
  const config = body['audioConfig']
  const audio = (typeof config === 'object' && config !== null ? config : {}) as Fields
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
