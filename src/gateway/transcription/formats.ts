/** A transcription in each of OpenAI's response formats. Shapes are those of the `openai` package 7.57. */
import { deflateSync } from 'node:zlib'
import type { TranscriptionRequest } from './request.ts'
import type { Recognised } from './run.ts'
import { type Segment, segmentsOf, textOf } from './segments.ts'

export interface Transcript {
  readonly pieces: readonly Recognised[]
  readonly durationMs: number
  /** Asked for, or the pipeline's. */
  readonly language: string | null
}

export interface Encoded {
  readonly contentType: string
  readonly body: string
}

const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

/** `trailer`: our record, in the formats that have a place for it. */
export function encodeTranscript(
  { format, times }: Pick<TranscriptionRequest, 'format' | 'times'>,
  transcript: Transcript,
  trailer: Readonly<Record<string, unknown>>,
): Encoded {
  const { pieces } = transcript
  switch (format) {
    case 'json':
      return json({ text: textOf(pieces), usage: usageOf(transcript), ...trailer })
    case 'verbose_json':
      return json({ ...verbose(transcript, times), ...trailer })
    case 'text':
      return { contentType: TEXT_TYPE, body: `${textOf(pieces)}\n` }
    case 'srt':
      return { contentType: TEXT_TYPE, body: cues(segmentsOf(pieces), ',', (i) => `${i + 1}\n`) }
    case 'vtt':
      return {
        contentType: 'text/vtt; charset=utf-8',
        body: `WEBVTT\n\n${cues(segmentsOf(pieces), '.', () => '')}`,
      }
    default:
      return format satisfies never
  }
}

function json(body: object): Encoded {
  return { contentType: JSON_TYPE, body: JSON.stringify(body) }
}

function verbose(transcript: Transcript, times: TranscriptionRequest['times']): object {
  const { pieces, durationMs, language } = transcript
  const spoken = pieces.find((one) => one.language !== null)?.language ?? language
  const words = pieces.flatMap((one) => one.words)
  return {
    task: 'transcribe',
    language: nameOf(spoken),
    duration: seconds(durationMs),
    text: textOf(pieces),
    ...(times.has('segment') ? { segments: segmentsOf(pieces).map(verboseSegment) } : {}),
    ...(times.has('word')
      ? {
          words: words.map(({ text, startMs, endMs }) => ({
            word: text,
            start: seconds(startMs),
            end: seconds(endMs),
          })),
        }
      : {}),
    usage: usageOf(transcript),
  }
}

/** Members that only Whisper has are as it defines them where that can be told, and else what says nothing. */
function verboseSegment({ startMs, endMs, text, confidence, speech }: Segment, id: number): object {
  return {
    id,
    // Of Whisper's frames, 10 ms each.
    seek: Math.round(startMs / 10),
    start: seconds(startMs),
    end: seconds(endMs),
    text,
    tokens: [],
    temperature: 0,
    avg_logprob: confidence === null ? 0 : Math.log(Math.max(confidence, 1e-6)),
    compression_ratio: Math.round((Buffer.byteLength(text) / deflateSync(text).length) * 1000) / 1000,
    no_speech_prob: Math.round((1 - speech) * 1000) / 1000,
  }
}

/** `english`, as Whisper says it. */
function nameOf(code: string | null): string {
  if (code === null) return 'unknown'
  const name = new Intl.DisplayNames(['en'], { type: 'language' }).of(code.split('-')[0] ?? code)
  return (name ?? code).toLowerCase()
}

function usageOf({ durationMs }: Transcript): object {
  return { type: 'duration', seconds: Math.ceil(durationMs / 1000) }
}

function cues(segments: readonly Segment[], decimal: ',' | '.', head: (index: number) => string): string {
  return segments
    .map(
      ({ startMs, endMs, text }, i) =>
        `${head(i)}${stamp(startMs, decimal)} --> ${stamp(endMs, decimal)}\n${cueText(text)}\n\n`,
    )
    .join('')
}

/** An empty line ends a cue, and an arrow begins one. */
function cueText(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replaceAll('-->', '->')
}

function stamp(ms: number, decimal: ',' | '.'): string {
  const whole = Math.round(ms)
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, '0')
  const clock = [
    part(whole / 3_600_000, 2),
    part((whole / 60_000) % 60, 2),
    part((whole / 1000) % 60, 2),
  ].join(':')
  return `${clock}${decimal}${part(whole % 1000, 3)}`
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
