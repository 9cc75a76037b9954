/** What is wrong with a generation request for Cartesia, by the names and ranges of its own client's types. */
import type { AudioFormat, Encoding } from '../../audio/format.ts'

type Frame = Readonly<Record<string, unknown>>

const RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  pcm_s16le: 'pcm16',
  pcm_mulaw: 'mulaw',
  pcm_alaw: 'alaw',
}
const FIELDS = new Set([
  'model_id',
  'transcript',
  'voice',
  'output_format',
  'context_id',
  'continue',
  'flush',
  'language',
  'locale',
  'add_timestamps',
  'add_phoneme_timestamps',
  'use_normalized_timestamps',
  'normalization',
  'max_buffer_delay_ms',
  'generation_config',
  'pronunciation_dict_id',
  'duration',
])
/** What may differ between two messages of one context. */
const OWN_FIELDS = new Set(['transcript', 'continue', 'flush', 'duration'])

export function requestMistakes(frame: Frame): string[] {
  const found = Object.keys(frame)
    .filter((field) => !FIELDS.has(field))
    .map((field) => `unknown field ${field}`)
  if (typeof frame['model_id'] !== 'string' || frame['model_id'] === '') found.push('no model_id')
  if (typeof frame['transcript'] !== 'string') found.push('no transcript')
  if (!isRecord(frame['voice']) || typeof frame['voice']['id'] !== 'string') found.push('no voice.id')
  found.push(...formatMistakes(frame['output_format']), ...delayMistakes(frame['max_buffer_delay_ms']))
  if (frame['flush'] === true && (frame['transcript'] !== '' || frame['continue'] !== true)) {
    found.push('a flush with a transcript of its own, or at the end')
  }
  if (frame['language'] !== undefined && frame['locale'] !== undefined) found.push('language and locale')
  const speed = isRecord(frame['generation_config']) ? frame['generation_config']['speed'] : undefined
  if (speed !== undefined && !(typeof speed === 'number' && speed >= 0.6 && speed <= 1.5)) {
    found.push('generation_config.speed out of range')
  }
  return found
}

function formatMistakes(format: unknown): string[] {
  if (!isRecord(format)) return ['no output_format']
  const found = []
  if (format['container'] !== 'raw') found.push('output_format.container is not raw')
  if (!ENCODINGS[String(format['encoding'])]) found.push('output_format.encoding is unknown here')
  if (!RATES.includes(Number(format['sample_rate']))) found.push('output_format.sample_rate is unknown')
  return found
}

function delayMistakes(delay: unknown): string[] {
  if (delay === undefined || delay === null) return []
  return typeof delay === 'number' && delay >= 0 && delay <= 5_000 ? [] : ['max_buffer_delay_ms out of range']
}

export function formatOf(frame: Frame): AudioFormat {
  const format = frame['output_format'] as Record<string, unknown>
  return {
    encoding: ENCODINGS[String(format['encoding'])] ?? 'pcm16',
    sampleRateHz: Number(format['sample_rate']),
  }
}

export function sameContext(first: Frame, frame: Frame): boolean {
  return settings(first) === settings(frame)
}

function settings(frame: Frame): string {
  const own = Object.entries(frame).filter(([field]) => !OWN_FIELDS.has(field))
  return JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
