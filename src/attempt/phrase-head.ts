/** What stands beside a phrase's sound in its file, and a phrase again from that. Pure. */
import { type AudioFormat, bytesPerSample, bytesToMs } from '../audio/format.ts'
import type { SpokenWord } from '../stage/tts.ts'
import type { StoredSound } from '../store/audio-files.ts'
import type { Phrase } from './phrase.ts'

const ENCODINGS: ReadonlySet<unknown> = new Set<AudioFormat['encoding']>(['pcm16', 'mulaw', 'alaw'])

export function headOf({ text, target, format, words }: Phrase): unknown {
  return { text, target, format, words }
}

/** Null: nothing, or not the sound of `text`. */
export function phraseOf(sound: StoredSound | null, text: string): Phrase | null {
  if (!sound) return null
  const { head, audio } = sound
  if (!isRecord(head) || head['text'] !== text || typeof head['target'] !== 'string') return null
  const format = formatOf(head['format'])
  const words = Array.isArray(head['words']) ? head['words'] : null
  if (!format || !words?.every(isWord) || audio.length === 0 || audio.length % bytesPerSample(format) > 0)
    return null
  return { text, target: head['target'], format, audio, ms: bytesToMs(format, audio.length), words }
}

function formatOf(value: unknown): AudioFormat | null {
  if (!isRecord(value) || !ENCODINGS.has(value['encoding'])) return null
  const { sampleRateHz } = value
  return Number.isInteger(sampleRateHz) && Number(sampleRateHz) > 0 ? (value as unknown as AudioFormat) : null
}

function isWord(value: unknown): value is SpokenWord {
  if (!isRecord(value)) return false
  const { text, startMs, endMs } = value
  return typeof text === 'string' && Number.isFinite(startMs) && Number.isFinite(endMs)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
