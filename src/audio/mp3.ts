/** MP3 files in, whole, by libmpg123 in WASM, loaded when somebody first sends one. */

export interface Mp3Audio {
  /** Mono: two channels are averaged. */
  readonly samples: Int16Array
  readonly sampleRateHz: number
}

/** The bytes are no MP3 that can be read; the message holds nothing of the content. */
export class Mp3Error extends Error {
  override readonly name = 'Mp3Error'
}

/** Half a minute and less: what is too long is not decoded to its end. */
const PART_BYTES = 64 * 1024
/** Of samples as the decoder gives them, −1 to 1. */
const FULL_SCALE = 32_767

/** Rejects with `Mp3Error`: no frame of MPEG audio in it, or longer than `maxMs`. */
export async function readMp3(file: Uint8Array, maxMs: number): Promise<Mp3Audio> {
  const { MPEGDecoder } = await import('mpg123-decoder')
  const decoder = new MPEGDecoder()
  await decoder.ready
  try {
    const parts: Int16Array[] = []
    let length = 0
    let rate = 0
    for (let at = 0; at < file.length; at += PART_BYTES) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(file.subarray(at, at + PART_BYTES))
      if (samplesDecoded === 0) continue
      if (rate !== 0 && sampleRate !== rate) throw new Mp3Error('its sample rate changes')
      rate = sampleRate
      length += samplesDecoded
      if ((length / rate) * 1000 > maxMs) throw new Mp3Error('the sound is too long')
      parts.push(mixed(channelData, samplesDecoded))
    }
    if (length === 0) throw new Mp3Error('no MP3 frame in it')
    const samples = new Int16Array(length)
    let filled = 0
    for (const part of parts) {
      samples.set(part, filled)
      filled += part.length
    }
    return { samples, sampleRateHz: rate }
  } finally {
    decoder.free()
  }
}

function mixed(channels: readonly Float32Array[], length: number): Int16Array {
  const samples = new Int16Array(length)
  for (let i = 0; i < length; i++) {
    let sum = 0
    for (const channel of channels) sum += channel[i] ?? 0
    const value = Math.round((sum / channels.length) * FULL_SCALE)
    samples[i] = Math.max(-32_768, Math.min(32_767, value))
  }
  return samples
}
