/**
 * Soniox text to speech over its WebSocket: what is sent, what comes back. Pure.
 * Written from the types and the client of `@soniox/node` 2.3.0 (S), read on 2026-11-25. Not yet run with real keys.
 *
 *     ─► {api_key,model,language,voice,audio_format,sample_rate,speed?,return_timestamps,stream_id}   opens a stream
 *     ─► {"text":"Hello.","text_end":true,"stream_id":S}
 *     ◄─ {stream_id,audio,timestamps{characters,character_start_times_seconds,character_end_times_seconds}} … {stream_id,audio_end}
 *     ◄─ {stream_id,terminated}                       only then a stream is over
 *     ─► {"stream_id":S,"cancel":true}                answered with `terminated`
 *     ─► {"keep_alive":true}
 *     ◄─ {stream_id?,error_code,error_message}
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { Alignment } from '../aligned-words.ts'
import { type Fields, isFields } from '../message.ts'

export const SONIOX_KEEP_ALIVE = '{"keep_alive":true}'

const FORMATS = { pcm16: 'pcm_s16le', mulaw: 'pcm_mulaw', alaw: 'pcm_alaw' } as const
const SPEED = { min: 0.7, max: 1.3 }

export interface VoiceRequest {
  readonly apiKey: string
  readonly model: string
  readonly voice: string
  readonly format: AudioFormat
  /** BCP-47. */
  readonly language: string | undefined
  readonly speed: number
}

/** What opens a stream but for its id. A language is demanded: English where none is known. */
export function streamFields(request: VoiceRequest): Fields {
  const { apiKey, model, voice, format, language = 'en', speed } = request
  return {
    // Its client says the key in the message; newer documents have a header, which is sent too.
    api_key: apiKey,
    model,
    language: language.split('-')[0]!.toLowerCase(),
    voice,
    audio_format: FORMATS[format.encoding],
    sample_rate: format.sampleRateHz,
    ...(speed !== 1 && { speed: Math.min(SPEED.max, Math.max(SPEED.min, speed)) }),
    return_timestamps: true,
  }
}

export function wholeText(stream: string, text: string): string {
  return JSON.stringify({ text, text_end: true, stream_id: stream })
}

export function cancelStream(stream: string): string {
  return JSON.stringify({ stream_id: stream, cancel: true })
}

export interface VoiceMessage {
  readonly stream: string | undefined
  readonly audio: Uint8Array | undefined
  readonly alignment: Alignment | undefined
  readonly terminated: boolean
  /** HTTP's numbers. */
  readonly error: number | undefined
}

/** Undefined: not what this protocol speaks. */
export function readVoice(json: string): VoiceMessage | undefined {
  let message: unknown
  try {
    message = JSON.parse(json)
  } catch {}
  if (!isFields(message)) return undefined
  const { stream_id: stream, audio, terminated, error_code: error } = message
  return {
    stream: typeof stream === 'string' ? stream : undefined,
    audio: typeof audio === 'string' && audio !== '' ? Buffer.from(audio, 'base64') : undefined,
    alignment: alignmentOf(message['timestamps']),
    terminated: terminated === true,
    error: error === undefined || error === null ? undefined : typeof error === 'number' ? error : 0,
  }
}

/** Seconds become milliseconds here. */
function alignmentOf(times: unknown): Alignment | undefined {
  if (!isFields(times)) return undefined
  const {
    characters: chars,
    character_start_times_seconds: starts,
    character_end_times_seconds: ends,
  } = times
  if (!isTexts(chars) || !isNumbers(starts) || !isNumbers(ends)) return undefined
  if (chars.length === 0 || starts.length !== chars.length || ends.length !== chars.length) return undefined
  const startsMs = starts.map((start) => start * 1000)
  return { chars, startsMs, durationsMs: ends.map((end, i) => Math.max(0, end * 1000 - startsMs[i]!)) }
}

function isTexts(list: unknown): list is string[] {
  return Array.isArray(list) && list.every((one) => typeof one === 'string')
}

function isNumbers(list: unknown): list is number[] {
  return Array.isArray(list) && list.every((one) => Number.isFinite(one))
}
