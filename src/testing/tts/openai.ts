/**
 * OpenAI's `/v1/audio/speech` for tests, over a real server or in memory. It refuses what the SDK's types do not have;
 * what it objected to stands in `mistakes`. `gives: 'wav'` is a server that puts a header in front, whatever it was asked.
 */
import type { HttpDoubleAnswer } from '../carrier/http.ts'
import type { ProviderEntry } from '../double.ts'
import type { SoundOptions } from './double.ts'
import { HttpVoice, type VoiceRequest } from './http-voice.ts'
import { type Sentence, sentenceOf } from './sentence.ts'
import type { Fields } from './voice-double.ts'

export const SPEECH_KEY = 'sk-fake-0123456789'

export interface FakeSpeechOptions extends SoundOptions {
  /** `wav`: of a known length. `stream`: a header that leaves the length open. Left out: as asked, `wav` as a stream. */
  readonly gives?: 'pcm' | 'wav' | 'stream'
  readonly sampleRateHz?: number
}

const FIELDS = ['model', 'input', 'voice', 'instructions', 'response_format', 'speed', 'stream_format']
const FORMATS = ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']
const INPUT_CHARACTERS = 4_096

export class FakeSpeech extends HttpVoice<FakeSpeechOptions> {
  settingsAt(url: string): ProviderEntry {
    return { type: 'openai', apiKey: SPEECH_KEY, baseUrl: `${url}/v1` }
  }

  protected serve(asked: VoiceRequest): void {
    const { request, answer, fault: connection } = asked
    if (connection === 'refuse_429') {
      return refuse(answer, 429, 'rate_limit_exceeded', { 'retry-after': '7' })
    }
    const key = request.headers['authorization'] === `Bearer ${SPEECH_KEY}`
    if (connection === 'refuse_auth' || !key) return refuse(answer, 401, 'invalid_api_key')
    if (request.method !== 'POST' || request.url.pathname !== '/v1/audio/speech') {
      return this.#mistake(answer, 404, `${request.method} ${request.url.pathname}`)
    }
    const body = parsed(request.body)
    this.bodies.push(body)
    const mistakes = mistakesOf(body)
    if (mistakes.length > 0) return this.#mistake(answer, 400, mistakes.join('; '))
    const text = body['input'] as string
    const { sampleRateHz = 24_000 } = this.options
    const sentence = sentenceOf(this, text, { encoding: 'pcm16', sampleRateHz }, {})
    const { fault } = sentence
    if (fault === 'error_in_context') return refuse(answer, 400, 'invalid_value')
    if (fault === 'error_without_context' || fault === 'refuse_in_context') {
      return refuse(answer, 503, 'server_error')
    }
    if (fault === 'rate_in_context') return refuse(answer, 429, 'rate_limit_exceeded')
    if (fault === 'malformed_json') {
      answer.head(200, { 'content-type': 'text/html' })
      answer.write('<html>SECRET sign in</html>')
      return answer.end()
    }
    this.#speak(sentence, body['response_format'], asked)
  }

  #speak(sentence: Sentence, asksFor: unknown, asked: VoiceRequest): void {
    const { chunks, fault } = sentence
    const { answer } = asked
    const { sampleRateHz = 24_000, gives } = this.options
    const hz = fault === 'wrong_sample_rate' ? sampleRateHz / 2 : sampleRateHz
    const bytes = chunks.reduce((all, chunk) => all + chunk.audio.length, 0)
    const kind = gives ?? (asksFor === 'wav' ? 'stream' : 'pcm')
    this.say(sentence, asked, {
      begins: () => {
        answer.head(200, { 'content-type': kind === 'pcm' ? 'audio/pcm' : 'audio/wav' })
        if (kind === 'pcm') return
        const header = wavHeader(hz, kind === 'wav' ? bytes : 0xffff_ffff)
        // Pieces of a stream begin anywhere, in a header too.
        answer.write(header.subarray(0, 3))
        answer.write(header.subarray(3))
      },
      chunk: ({ audio }) => {
        // Never a whole sample.
        answer.write(audio.subarray(0, 1))
        answer.write(audio.subarray(1))
      },
      ends: () => {
        if (fault !== 'no_final') answer.end()
      },
      strikes: {},
    })
  }

  #mistake(answer: HttpDoubleAnswer, status: number, what: string): void {
    this.mistakes.push(what)
    refuse(answer, status, 'invalid_value')
  }
}

/** A streaming server's header: 44 bytes. */
export function wavHeader(hz: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(Math.min(0xffff_ffff, dataBytes + 36), 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(hz, 24)
  header.writeUInt32LE(hz * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(dataBytes, 40)
  return header
}

function parsed(body: string): Fields {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}

function mistakesOf(body: Fields): string[] {
  const found = Object.keys(body)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => `unknown field ${field}`)
  const { model, input, voice, response_format: format, speed, stream_format: stream } = body
  if (typeof model !== 'string' || model === '') found.push('no model')
  if (typeof input !== 'string' || input === '' || input.length > INPUT_CHARACTERS) found.push('input')
  if (typeof voice !== 'string' || voice === '') found.push('no voice')
  if (format !== undefined && !FORMATS.includes(String(format))) found.push('response_format')
  if (speed !== undefined && !(typeof speed === 'number' && speed >= 0.25 && speed <= 4)) found.push('speed')
  if (stream !== undefined && stream !== 'audio') found.push('stream_format')
  return found
}

function refuse(
  answer: HttpDoubleAnswer,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer.head(status, { 'content-type': 'application/json', ...headers })
  answer.write(
    JSON.stringify({ error: { message: `SECRET ${SPEECH_KEY}`, type: 'error', param: null, code } }),
  )
  answer.end()
}
