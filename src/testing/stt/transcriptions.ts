/**
 * A double of `/v1/audio/transcriptions`. It refuses what OpenAI's refuses, hears words at places of the stream (`placed`), and
 * answers in the shapes of different servers. The `openai` SDK is run against it in its own test.
 */
import { readWav } from '../../audio/wav.ts'
import { type Clock, realClock } from '../../clock.ts'
import {
  type HttpDoubleAnswer,
  type HttpDoubleRequest,
  type HttpDoubleServer,
  reply,
  type WholeReply,
} from '../carrier/http.ts'
import { type Form, formIn } from '../carrier/multipart.ts'
import type { Double } from '../double.ts'
import { FAKE_KEY, type HeardWord } from './double.ts'
import { placeOf } from './placed-sound.ts'

export type TranscriptionFault =
  | 'refuse_auth'
  | 'refuse_429'
  | 'refuse_quota'
  | 'refuse_503'
  | 'hang_on_connect'
  | 'drop_mid_stream'
  | 'malformed_json'
  | 'no_transcription'
  /** 400 for all but `json`. */
  | 'plain_only'

export interface TranscriptionScript {
  readonly words?: readonly HeardWord[]
  /** In place of `words`: what a file's samples hold, with times in the file. */
  hear?(samples: Int16Array): readonly HeardWord[]
  readonly answerMs?: number
  readonly fault?: TranscriptionFault | undefined
  /** Whose answers it gives. Left out: OpenAI's. */
  readonly shape?: 'openai' | 'whisper.cpp' | 'vllm'
  /** What is heard where no word is; it is sure of nothing then. */
  readonly invents?: string
}

export interface TranscriptionRequest {
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly audioMs: number
  /** Where in the stream its audio begins; undefined for silence. */
  readonly fromMs: number | undefined
  /** Of the audio, without silence at its end. */
  readonly soundMs: number
  /** The client broke off. */
  gone: boolean
}

const FIELDS = new Set(
  `model response_format language prompt temperature timestamp_granularities[] stream include[] keywords[] languages[]
  chunking_strategy`.split(/\s+/),
)
const FORMATS = ['json', 'verbose_json', 'text', 'srt', 'vtt']

export interface FakeTranscriptionsOptions {
  readonly clock?: Clock
  readonly script?: TranscriptionScript
  /** Another script for each request. */
  readonly scriptOf?: () => TranscriptionScript
  /** Of every request; left out: as its script says. */
  readonly fault?: TranscriptionFault
  /** null: it asks for none. */
  readonly key?: string | null
}

export interface FakeTranscriptions extends Double {
  readonly requests: TranscriptionRequest[]
  /** What it held against requests. */
  readonly mistakes: string[]
  readonly http: HttpDoubleServer
  readonly sessions: readonly TranscriptionRequest[]
}

export function fakeTranscriptions(options: FakeTranscriptionsOptions = {}): FakeTranscriptions {
  const { clock = realClock, key = FAKE_KEY } = options
  const requests: TranscriptionRequest[] = []
  const mistakes: string[] = []
  const http: HttpDoubleServer = (request, answer) => {
    const next = options.scriptOf?.() ?? options.script ?? {}
    const script = options.fault === undefined ? next : { ...next, fault: options.fault }
    const refusal = refusalOf(request, script.fault, key)
    if (refusal) return reply(clock, answer, refusal)
    const form = formIn(request.headers['content-type'] ?? '', request.bytes)
    const mistake = typeof form === 'string' ? form : mistakeIn(form)
    if (mistake !== undefined || typeof form === 'string') {
      mistakes.push(mistake ?? '')
      return reply(clock, answer, refused(400, 'invalid_request_error', 'invalid_value', mistake))
    }
    const { samples } = readWav(form.file!.bytes)
    const record: TranscriptionRequest = {
      fields: form.fields,
      audioMs: samples.length / 16,
      fromMs: placeOf(samples),
      soundMs: (samples.findLastIndex((sample) => sample !== 0) + 1) / 16,
      gone: false,
    }
    requests.push(record)
    let state: 'open' | 'answered' = 'open'
    const told: HttpDoubleAnswer = {
      ...answer,
      end() {
        state = 'answered'
        answer.end()
      },
    }
    const heard = script.hear ? [...script.hear(samples)] : wordsIn(script, record)
    const cancel = reply(clock, told, { ...replyTo(script, record, heard), afterMs: script.answerMs ?? 0 })
    return () => {
      cancel()
      record.gone = state === 'open'
    }
  }
  const settingsAt = (url: string) => ({
    type: key === null ? 'openai-compatible' : 'openai',
    ...(key !== null && { apiKey: key }),
    baseUrl: `${url}/v1`,
  })
  return { requests, sessions: requests, mistakes, http, settingsAt }
}

function refusalOf(
  { method, url, headers }: HttpDoubleRequest,
  fault: TranscriptionFault | undefined,
  key: string | null,
): WholeReply | undefined {
  if (method !== 'POST' || url.pathname !== '/v1/audio/transcriptions') {
    return refused(404, 'invalid_request_error', 'unknown_url')
  }
  const known = key === null || headers['authorization'] === `Bearer ${key}`
  if (fault === 'refuse_auth' || !known) return refused(401, 'invalid_request_error', 'invalid_api_key')
  if (fault === 'refuse_429') {
    const { status, body } = refused(429, 'requests', 'rate_limit_exceeded')
    return { status, body, headers: { 'retry-after': '7' } }
  }
  if (fault === 'refuse_quota') return refused(429, 'insufficient_quota', 'insufficient_quota')
  if (fault === 'refuse_503') return refused(503, 'server_error', null)
  if (fault === 'hang_on_connect') return 'hang'
  if (fault === 'drop_mid_stream') return 'drop'
  return undefined
}

function refused(status: number, type: string, code: string | null, why = 'refused') {
  const message = `${why}: SECRET-IN-MESSAGE`
  return { status, body: JSON.stringify({ error: { message, type, param: null, code } }) }
}

function mistakeIn({ fields, file }: Form): string | undefined {
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name))
  if (unknown !== undefined) return `unknown field ${unknown}`
  const many = Object.entries(fields).find(([name, values]) => values.length > 1 && !name.endsWith('[]'))
  if (many) return `${many[0]} comes more than once`
  const [model = ''] = fields['model'] ?? []
  const [format = 'json'] = fields['response_format'] ?? []
  if (model === '') return 'model is missing'
  if (!FORMATS.includes(format)) return `no such response_format: ${format}`
  if (!/whisper/.test(model) && format !== 'json') return `${format} is not compatible with ${model}`
  const granularities = fields['timestamp_granularities[]'] ?? []
  if (granularities.length > 0 && format !== 'verbose_json') return 'timestamps need verbose_json'
  if (granularities.some((one) => one !== 'word' && one !== 'segment')) return 'timestamp_granularities'
  if (!/^[a-z]{2,3}$/.test(fields['language']?.[0] ?? 'en')) return 'language is ISO-639'
  if (!file) return 'file is missing'
  if (!/\.wav$/.test(file.name)) return 'this double reads WAV files by their name'
  return wavMistake(file.bytes)
}

function wavMistake(bytes: Buffer): string | undefined {
  if (bytes.length < 44 || bytes.toString('latin1', 0, 4) !== 'RIFF') return 'file is no WAV'
  if (bytes.readUInt32LE(4) !== bytes.length - 8) return 'the RIFF header is not as long as the file'
  if (bytes.readUInt32LE(40) !== bytes.length - 44) return 'the data is not as long as its header says'
  if (bytes.readUInt16LE(22) !== 1 || bytes.readUInt16LE(34) !== 16) return 'one channel of 16 bits, please'
  if (bytes.readUInt32LE(24) !== 16_000) return 'this double hears 16 kHz'
  return bytes.length - 44 < 3_200 ? 'audio is shorter than 0.1 seconds' : undefined
}

function replyTo(
  script: TranscriptionScript,
  request: TranscriptionRequest,
  words: HeardWord[],
): Exclude<WholeReply, string> {
  const [format = 'json'] = request.fields['response_format'] ?? []
  const { fault } = script
  if (fault === 'plain_only' && format !== 'json') {
    return refused(400, 'BadRequestError', null, 'only json is supported')
  }
  if (fault === 'malformed_json') return { status: 200, body: '{"text":' }
  if (fault === 'no_transcription') return { status: 200, body: '{"task":"transcribe"}' }
  const body = format === 'verbose_json' ? verbose(script, request, words) : { text: joined(words) }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Times within the file. whisper.cpp hears nothing in less than a second. */
function wordsIn(
  { words = [] }: TranscriptionScript,
  { fromMs, soundMs, audioMs }: TranscriptionRequest,
): HeardWord[] {
  if (fromMs === undefined || audioMs < 1_000) return []
  return words.flatMap(({ text, startMs, endMs }) => {
    const middle = (startMs + endMs) / 2
    const isIn = middle >= fromMs && middle < fromMs + soundMs
    return isIn ? [{ text, startMs: startMs - fromMs, endMs: endMs - fromMs }] : []
  })
}

function joined(words: readonly HeardWord[]): string {
  return words.map(({ text }) => text).join(' ')
}

function verbose(script: TranscriptionScript, request: TranscriptionRequest, words: HeardWord[]): object {
  const { shape = 'openai', invents } = script
  const isInvented = words.length === 0 && invents !== undefined
  const text = isInvented ? invents : joined(words)
  const granularities = request.fields['timestamp_granularities[]'] ?? ['segment']
  const segment = {
    id: 0,
    seek: 0,
    start: 0,
    end: request.audioMs / 1000,
    text: ` ${text}`,
    tokens: [1],
    temperature: 0,
    avg_logprob: isInvented ? -1.2 : shape === 'vllm' ? -1 : -0.2,
    compression_ratio: 1,
    no_speech_prob: isInvented ? 0.9 : 0.01,
  }
  const seconds = { task: 'transcribe', duration: request.audioMs / 1000 }
  if (shape === 'vllm') return { ...seconds, language: 'en', text: ` ${text}`, segments: [segment] }
  if (shape === 'whisper.cpp') {
    const tokens = words.flatMap(({ text: word, startMs, endMs }) =>
      tokensOf(word, startMs / 1000, endMs / 1000),
    )
    const { id, start, end } = segment
    const one = {
      id,
      start,
      end,
      text: ` ${text}`,
      tokens: [1],
      words: tokens,
      temperature: 0,
      avg_logprob: -0.2,
    }
    return { ...seconds, language: 'english', text: ` ${text}\n`, segments: [one] }
  }
  const timed = words.map(({ text: word, startMs, endMs }) => ({
    word,
    start: startMs / 1000,
    end: endMs / 1000,
  }))
  return {
    ...seconds,
    language: 'english',
    text,
    ...(granularities.includes('word') && { words: timed }),
    ...(granularities.includes('segment') && { segments: text === '' ? [] : [segment] }),
    usage: { type: 'duration', seconds: Math.ceil(request.audioMs / 1000) },
  }
}

/** The last letter is a token of its own. */
function tokensOf(word: string, start: number, end: number): object[] {
  const middle = (start + end) / 2
  return [
    { word: ` ${word.slice(0, -1)}`, start, end: middle, probability: 0.9 },
    { word: word.slice(-1), start: middle, end, probability: 0.9 },
  ]
}
