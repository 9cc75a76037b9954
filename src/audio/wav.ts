/** WAV files in and out, whole, by the `wavefile` library. For files, never for streams: it is slow and copies. */
import wavefile from 'wavefile'

export interface WavAudio {
  /** Mono: several channels are averaged. */
  readonly samples: Int16Array
  readonly sampleRateHz: number
}

/** The bytes are no WAV that can be read; the message says why and holds nothing of the content. */
export class WavError extends Error {
  override readonly name = 'WavError'
}

interface Format {
  readonly audioFormat: number
  readonly numChannels: number
  readonly sampleRate: number
  readonly subformat: readonly number[]
}

const PCM = 1
const FLOAT = 3
const ALAW = 6
const MULAW = 7
const EXTENSIBLE = 0xfffe
const READABLE = new Set([PCM, FLOAT, ALAW, MULAW, EXTENSIBLE])
const MAX_CHANNELS = 32

/**
 * Reads PCM of 8 to 32 bits, floats and G.711 into mono 16-bit samples. A file whose header promises more
 * than there is (a recorder that was cut off, a pipe) gives what is there. Throws `WavError` on anything else.
 */
export function readWav(bytes: Uint8Array): WavAudio {
  const file = parse(bytes)
  const { numChannels, sampleRate } = formatOf(file)
  const channels = file.getSamples(false, Int16Array) as unknown
  return { samples: numChannels === 1 ? (channels as Int16Array) : mixed(channels), sampleRateHz: sampleRate }
}

/** A mono 16-bit PCM file. */
export function writeWav(samples: Int16Array, sampleRateHz: number): Uint8Array {
  const file = new wavefile.WaveFile()
  file.fromScratch(1, sampleRateHz, '16', samples)
  return file.toBuffer()
}

function parse(bytes: Uint8Array): wavefile.WaveFile {
  const file = new wavefile.WaveFile()
  try {
    file.fromBuffer(bytes)
  } catch (error) {
    throw new WavError(`not a WAV file: ${reason(error)}`)
  }
  const { audioFormat, numChannels, sampleRate, subformat } = formatOf(file)
  // An extensible header names its real format in the first word of the sub-format.
  const float = audioFormat === EXTENSIBLE && subformat[0] === FLOAT
  if (!READABLE.has(audioFormat) || float) throw new WavError(`WAV encoding ${audioFormat} is not supported`)
  if (numChannels < 1 || numChannels > MAX_CHANNELS) throw new WavError(`WAV with ${numChannels} channels`)
  if (sampleRate < 1) throw new WavError(`WAV with a sample rate of ${sampleRate} Hz`)
  try {
    if (audioFormat === ALAW) file.fromALaw()
    else if (audioFormat === MULAW) file.fromMuLaw()
    if (file.bitDepth !== '16') file.toBitDepth('16')
  } catch (error) {
    throw new WavError(`the WAV cannot be decoded: ${reason(error)}`)
  }
  return file
}

function formatOf(file: wavefile.WaveFile): Format {
  return file.fmt as Format
}

function mixed(channels: unknown): Int16Array {
  const all = channels as readonly Int16Array[]
  const samples = new Int16Array(Math.min(...all.map((channel) => channel.length)))
  for (let i = 0; i < samples.length; i++) {
    let sum = 0
    for (const channel of all) sum += channel[i]!
    samples[i] = Math.round(sum / all.length)
  }
  return samples
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a mono 16-bit PCM file begins with whose length is not known: both lengths are the largest there is, as OpenAI writes them. */
export function streamedWavHead(sampleRateHz: number): Uint8Array {
  const head = Buffer.from(writeWav(new Int16Array(0), sampleRateHz))
  head.writeUInt32LE(0xffffffff, 4)
  head.writeUInt32LE(0xffffffff, head.length - 4)
  return head
}
