/**
 * `/v1/audio/transcriptions`: what is asked, as a form, and what the answer says. Seconds become milliseconds here. Pure.
 *
 * Servers differ in what they tell. OpenAI, Groq and speaches give `words` beside `segments`; whisper.cpp puts them into the
 * segments, with a space in front of those that begin a word; vLLM has segments alone; `json` is the text alone.
 */
import { wavHeader } from '../../../audio/wav-header.ts'
import { StreamFault } from '../../../dialect/faults.ts'
import { isRecord } from '../../../dialect/openai-error.ts'
import type { Word } from '../../../stage/stt.ts'
import type { Heard } from '../../whole-utterance.ts'

export interface Question {
  readonly model: string
  /** With times and a language, or the text alone. */
  readonly style: Style
  readonly language: string | undefined
  readonly hints: readonly string[]
}

export type Style = 'verbose_json' | 'json'

export const SAMPLE_RATE_HZ = 16_000
/**
 * OpenAI refuses less than 100 ms, and whisper.cpp gives nothing for less than a second
 * (https://github.com/ggml-org/whisper.cpp/issues/1603): silence makes it up, so that a short yes is heard.
 */
const SHORTEST_SAMPLES = 1.1 * SAMPLE_RATE_HZ
/** Whisper looks at the last 224 tokens of a prompt. */
const PROMPT_CHARACTERS = 800

/** Of Whisper's family: others know `json` alone. */
export function isVerbose(model: string): boolean {
  return /whisper/i.test(model)
}

/** By what recognisers are called. Speakers are not told apart. */
export function isRecogniser(model: string): boolean {
  return /whisper|transcri|voxtral|parakeet|canary|\b(asr|stt)\b/i.test(model) && !/diarize/i.test(model)
}

/** The body of a request with this boundary. The audio is copied. */
export function formOf(question: Question, audio: Int16Array, boundary: string): Uint8Array {
  const fields = fieldsOf(question).map(([name, value]) => `${partOf(boundary, name)}\r\n\r\n${value}\r\n`)
  const file = `${partOf(boundary, 'file')}; filename="audio.wav"\r\ncontent-type: audio/wav\r\n\r\n`
  const missing = Math.max(0, SHORTEST_SAMPLES - audio.length) * 2
  return Buffer.concat([
    Buffer.from(fields.join('') + file),
    wavHeader(audio.byteLength + missing, SAMPLE_RATE_HZ),
    new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength),
    Buffer.alloc(missing),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
}

function partOf(boundary: string, name: string): string {
  return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`
}

function fieldsOf({ model, style, language, hints }: Question): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [
    ['model', model],
    ['response_format', style],
  ]
  if (style === 'verbose_json') {
    fields.push(['timestamp_granularities[]', 'word'], ['timestamp_granularities[]', 'segment'])
  }
  if (language !== undefined) fields.push(['language', language.toLowerCase().split('-')[0]!])
  if (hints.length > 0 && model.startsWith('gpt-transcribe')) {
    for (const hint of hints) fields.push(['keywords[]', hint])
  } else if (hints.length > 0) fields.push(['prompt', promptOf(hints)])
  return fields
}

function promptOf(hints: readonly string[]): string {
  let prompt = ''
  for (const hint of hints) {
    const longer = prompt === '' ? hint : `${prompt}, ${hint}`
    if (longer.length > PROMPT_CHARACTERS) break
    prompt = longer
  }
  return prompt
}

/** Whisper's own limits of what it takes for silence. */
const NO_SPEECH = 0.6
const UNSURE = -1
/** What Whisper writes of sounds that are no words: `[BLANK_AUDIO]`, `(coughs)`. Nobody says brackets. */
const SOUNDS_ALONE = /^(?:\s*(?:\[[^\]]*\]|\([^)]*\)|\*[^*]*\*))+\s*$/

/** Throws `StreamFault`. Words count from the beginning of the audio. */
export function readTranscription(body: unknown): Heard {
  if (!isRecord(body) || typeof body['text'] !== 'string') {
    throw new StreamFault('transient', 'the answer is no transcription')
  }
  const segments = recordsIn(body['segments'])
  const spoken = segments.filter((segment) => !isInvented(segment))
  const isWhole = spoken.length === segments.length
  const text = textOf(isWhole ? body['text'] : spoken.map((segment) => String(segment['text'])).join(' '))
  if (text === '') return { text: '' }
  const listed = recordsIn(body['words'])
  const all = listed.length > 0 ? listed : segments.flatMap((segment) => recordsIn(segment['words']))
  const words = wordsOf(
    isWhole ? all : all.filter((word) => spoken.some((segment) => isWithin(word, segment))),
  )
  const language = languageOf(body)
  return { text, ...(language !== undefined && { language }), ...(words.length > 0 && { words }) }
}

/** Whisper says something of silence, too, and knows that it guesses. */
function isInvented(segment: Record<string, unknown>): boolean {
  const { no_speech_prob: silence, avg_logprob: sure } = segment
  return typeof silence === 'number' && typeof sure === 'number' && silence > NO_SPEECH && sure < UNSURE
}

function isWithin(word: Record<string, unknown>, segment: Record<string, unknown>): boolean {
  const middle = (Number(word['start']) + Number(word['end'])) / 2
  return middle >= Number(segment['start']) && middle <= Number(segment['end'])
}

function textOf(text: string): string {
  return SOUNDS_ALONE.test(text) ? '' : text.trim().replace(/\s+/g, ' ')
}

function wordsOf(list: readonly Record<string, unknown>[]): Word[] {
  const words: Word[] = []
  const inPieces = list.some(({ word }) => typeof word === 'string' && word.startsWith(' '))
  for (const { word, start, end } of list) {
    if (typeof word !== 'string' || typeof start !== 'number' || typeof end !== 'number') continue
    const text = word.trim()
    const last = words.at(-1)
    if (inPieces && last && !word.startsWith(' ')) {
      words[words.length - 1] = { ...last, text: last.text + text, endMs: ms(end) }
    } else if (text !== '') words.push({ text, startMs: ms(start), endMs: ms(end) })
  }
  return words
}

function languageOf({ language, languages }: Record<string, unknown>): string | undefined {
  const detected = recordsIn(languages)[0]?.['code']
  if (typeof detected === 'string') return detected
  if (typeof language !== 'string') return undefined
  const name = language.toLowerCase()
  return /^[a-z]{2,3}$/.test(name) ? name : tagsByName().get(name)
}

let byName: Map<string, string> | undefined

/** Servers say `english` where others say `en`. */
function tagsByName(): Map<string, string> {
  if (byName) return byName
  const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' })
  byName = new Map()
  for (const first of LETTERS) {
    for (const second of LETTERS) {
      const name = names.of(first + second)
      if (name !== undefined && !byName.has(name.toLowerCase()))
        byName.set(name.toLowerCase(), first + second)
    }
  }
  return byName
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz']

function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}
