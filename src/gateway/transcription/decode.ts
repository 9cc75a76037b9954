/** A file of sound, whatever its kind, as recognisers here want it: PCM16 at 16 kHz, mono. */
import { createConverter, loadAudio } from '../../audio/convert.ts'
import { type AudioFormat, bytesToMs, PCM16_16K } from '../../audio/format.ts'
import { Mp3Error, readMp3 } from '../../audio/mp3.ts'
import { OggError } from '../../audio/ogg.ts'
import { decodeOggOpus } from '../../audio/ogg-opus.ts'
import { loadOpus, OPUS_PCM } from '../../audio/opus.ts'
import { readWav, type WavAudio, WavError } from '../../audio/wav.ts'

/** What pieces of the sound are cut from. */
export const SOUND: AudioFormat = PCM16_16K

/** The file cannot be recognised. The message is for its sender. */
export class SoundError extends Error {
  override readonly name = 'SoundError'
  constructor(
    message: string,
    readonly code: 'invalid_value' | 'unsupported_value' = 'invalid_value',
  ) {
    super(message)
  }
}

export type SoundKind = 'wav' | 'ogg' | 'mp3'
const READABLE = 'WAV, MP3, and Opus in Ogg'

/** By what the file begins with, whatever it is called. Throws `SoundError`. */
export function kindOf(file: Uint8Array): SoundKind {
  const begins = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, 12)).toString('latin1')
  if (/^(RIFF|RIFX|RF64)....WAVE/s.test(begins)) return 'wav'
  if (begins.startsWith('OggS')) return 'ogg'
  // A tag, or the eleven bits that begin a frame, its layer being none of the reserved.
  if (begins.startsWith('ID3') || /^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]/.test(begins)) return 'mp3'
  const other = otherKind(begins)
  throw new SoundError(
    `Unsupported file: ${other ?? 'the format is not known'}. What can be read here: ${READABLE}.`,
    'unsupported_value',
  )
}

function otherKind(begins: string): string | null {
  if (begins.startsWith('fLaC')) return 'FLAC'
  if (begins.startsWith('ftyp', 4)) return 'MP4'
  if (begins.startsWith('\x1a\x45\xdf\xa3')) return 'WebM'
  return null
}

/** `maxMs`: of what may be recognised. Rejects with `SoundError`. It computes long: see `decode-elsewhere.ts`. */
export async function decodeSound(file: Uint8Array, maxMs: number): Promise<Uint8Array> {
  await Promise.all([loadAudio(), loadOpus()])
  try {
    const kind = kindOf(file)
    switch (kind) {
      case 'wav':
        return fromSamples(readWav(file), maxMs)
      case 'mp3':
        return fromSamples(await readMp3(file, maxMs), maxMs)
      case 'ogg':
        return resampled(decodeOggOpus(file, maxMs), OPUS_PCM)
      default:
        return kind satisfies never
    }
  } catch (error) {
    if (error instanceof WavError || error instanceof OggError || error instanceof Mp3Error)
      throw new SoundError(`The file cannot be read: ${error.message}.`)
    throw error
  }
}

/** Throws `SoundError`. */
function fromSamples({ samples, sampleRateHz }: WavAudio, maxMs: number): Uint8Array {
  const format: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  const pcm = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  if (bytesToMs(format, pcm.length) > maxMs) throw new SoundError('The sound is too long.')
  if (sampleRateHz < 4000 || sampleRateHz > 192_000)
    throw new SoundError(`The sound has a sample rate of ${sampleRateHz} Hz.`)
  return resampled(pcm, format)
}

function resampled(pcm: Uint8Array, from: AudioFormat): Uint8Array {
  const converter = createConverter(from, SOUND)
  try {
    const sound = converter.process(pcm)
    const rest = converter.flush()
    return rest.length === 0 ? sound : Buffer.concat([sound, rest])
  } finally {
    converter.close()
  }
}
