/** OpenAI's request for a transcription, read from its form. */
import { RequestFault } from '../../dialect/faults.ts'
import type { Form } from './form.ts'
import { CUTTING, type Cutting } from './pieces.ts'

export const RESPONSE_FORMATS = ['json', 'text', 'verbose_json', 'srt', 'vtt'] as const
export type ResponseFormat = (typeof RESPONSE_FORMATS)[number]

export interface TranscriptionRequest {
  readonly model: string
  readonly language: string | null
  /** Words to listen for. */
  readonly hints: readonly string[]
  readonly format: ResponseFormat
  readonly times: ReadonlySet<'word' | 'segment'>
  readonly delivery: 'stream' | 'whole'
  /** How pauses are found. */
  readonly cutting: Pick<Cutting, 'threshold' | 'pauseMs' | 'padMs'>
  /** Fields that were given and that nobody here takes. */
  readonly ignored: readonly string[]
}

const MAX_MODEL_CHARS = 512
/** Providers take some fifty to a hundred. */
const MAX_HINTS = 50
/** Longer ones are sentences, which say how to write and not what to listen for. */
const MAX_HINT_CHARS = 50
const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$/

/** Throws `RequestFault`. */
export function readTranscription({ fields }: Form): TranscriptionRequest {
  const read = new Fields(fields)
  const model = read.text('model')
  if (model === undefined || model === '')
    throw new RequestFault('model', "Missing required parameter: 'model'.", 'missing_required_parameter')
  if (model.length > MAX_MODEL_CHARS) throw new RequestFault('model', "Invalid 'model': too long.")
  refuseWhatNobodyDoes(read)
  const format = formatOf(read.text('response_format') ?? 'json')
  const delivery = read.flag('stream') ? 'stream' : 'whole'
  if (delivery === 'stream' && format !== 'json' && format !== 'text')
    throw unsupported('stream', `only the formats 'json' and 'text' are streamed`)
  const temperature = read.number('temperature', 0, 1)
  return {
    model,
    language: languageOf(read),
    hints: hintsOf(read),
    format,
    times: timesOf(read, format),
    delivery,
    cutting: cuttingOf(read),
    ignored: temperature === undefined ? [] : ['temperature'],
  }
}

class Fields {
  constructor(private readonly fields: Form['fields']) {}

  list(name: string): readonly string[] {
    return this.fields.get(name) ?? []
  }

  text(name: string): string | undefined {
    const values = this.list(name)
    if (values.length > 1)
      throw new RequestFault(name, `Invalid '${name}': it is given ${values.length} times.`)
    return values[0]
  }

  flag(name: string): boolean {
    const value = this.text(name)
    if (value === undefined || value === 'false' || value === '') return false
    if (value === 'true') return true
    throw new RequestFault(name, `Invalid value for '${name}': there are 'true' and 'false'.`)
  }

  number(name: string, from: number, to: number): number | undefined {
    const value = this.text(name)
    if (value === undefined || value === '') return undefined
    const number = Number(value)
    if (Number.isFinite(number) && number >= from && number <= to) return number
    throw new RequestFault(name, `Invalid '${name}': expected a number from ${from} to ${to}.`)
  }
}

function refuseWhatNobodyDoes(read: Fields): void {
  if (read.list('include').length > 0)
    throw unsupported('include', 'no recogniser here tells log probabilities')
  for (const name of ['known_speaker_names', 'known_speaker_references']) {
    if (read.list(name).length > 0) throw unsupported(name, 'speakers are not told apart here')
  }
}

function formatOf(format: string): ResponseFormat {
  const found = RESPONSE_FORMATS.find((one) => one === format)
  if (found) return found
  if (format === 'diarized_json') throw unsupported('response_format', 'speakers are not told apart here')
  const there = RESPONSE_FORMATS.map((one) => `'${one}'`).join(', ')
  throw new RequestFault('response_format', `Invalid value for 'response_format': there are ${there}.`)
}

function languageOf(read: Fields): string | null {
  const several = read.list('languages')
  const given = read.text('language') ?? (several.length === 1 ? several[0] : undefined)
  if (given === undefined || given === '') return null
  if (LANGUAGE.test(given)) return given
  throw new RequestFault('language', "Invalid 'language': expected a code such as 'en'.")
}

/** `keywords` as they are, and of the prompt what is a term and not a sentence. */
function hintsOf(read: Fields): string[] {
  const prompt = (read.text('prompt') ?? '').split(/[,;\n]/).map((term) => term.trim().replace(/[.!?]$/, ''))
  const terms = [...read.list('keywords').map((term) => term.trim()), ...prompt]
  const fit = terms.filter((term) => term !== '' && term.length <= MAX_HINT_CHARS)
  return [...new Set(fit)].slice(0, MAX_HINTS)
}

function timesOf(read: Fields, format: ResponseFormat): ReadonlySet<'word' | 'segment'> {
  const name = 'timestamp_granularities'
  const given = read.list(name)
  if (given.length === 0) return new Set(format === 'verbose_json' ? ['segment'] : [])
  if (format !== 'verbose_json')
    throw unsupported(name, `they come with 'response_format' 'verbose_json' only`)
  return new Set(
    given.map((value) => {
      if (value === 'word' || value === 'segment') return value
      throw new RequestFault(name, `Invalid value for '${name}': there are 'word' and 'segment'.`)
    }),
  )
}

/** `auto`, an object as JSON, or its members as fields of their own, as the `openai` package sends them. */
function cuttingOf(read: Fields): TranscriptionRequest['cutting'] {
  const name = 'chunking_strategy'
  const given = read.text(name)
  if (given === undefined || given === '' || given === 'auto' || given === 'null') return vadOf(read, name)
  let parsed: unknown
  try {
    parsed = JSON.parse(given)
  } catch {}
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new RequestFault(name, `Invalid value for '${name}': there are 'auto' and an object.`)
  const members = Object.entries(parsed).map(([key, value]) => [`${name}[${key}]`, [String(value)]] as const)
  return vadOf(new Fields(new Map(members)), name)
}

function vadOf(read: Fields, name: string): TranscriptionRequest['cutting'] {
  const type = read.text(`${name}[type]`)
  if (type !== undefined && type !== 'server_vad')
    throw new RequestFault(`${name}.type`, `Invalid value for '${name}.type': there is 'server_vad'.`)
  return {
    threshold: read.number(`${name}[threshold]`, 0.05, 0.95) ?? CUTTING.threshold,
    pauseMs: read.number(`${name}[silence_duration_ms]`, 100, 10_000) ?? CUTTING.pauseMs,
    padMs: read.number(`${name}[prefix_padding_ms]`, 0, 2_000) ?? CUTTING.padMs,
  }
}

function unsupported(param: string, why: string): RequestFault {
  return new RequestFault(param, `Unsupported value: '${param}': ${why}.`, 'unsupported_value')
}
