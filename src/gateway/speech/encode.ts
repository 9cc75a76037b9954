/** A voice's sound as the file or the stream that was asked for, as it comes. */
import { randomBytes } from 'node:crypto'
import { type AudioFormat, PCM16_24K } from '../../audio/format.ts'
import { OggOpusEncoder } from '../../audio/ogg-opus.ts'
import { loadOpus } from '../../audio/opus.ts'
import { streamedWavHead } from '../../audio/wav.ts'
import type { SpeechFormat } from './request.ts'

/** What the encoders take: OpenAI's `pcm`. */
export const SPEECH_PCM: AudioFormat = PCM16_24K

export interface SpeechEncoder {
  readonly contentType: string
  head(): Uint8Array
  /** Whole samples of `SPEECH_PCM`. */
  encode(pcm: Uint8Array): Uint8Array
  end(): Uint8Array
  /** Idempotent. */
  close(): void
}

const NOTHING = new Uint8Array(0)
const PCM: SpeechEncoder = {
  contentType: 'audio/pcm',
  head: () => NOTHING,
  encode: (pcm) => pcm,
  end: () => NOTHING,
  close() {},
}
const WAV: SpeechEncoder = {
  ...PCM,
  contentType: 'audio/wav',
  head: () => streamedWavHead(SPEECH_PCM.sampleRateHz),
}

export async function openEncoder(format: SpeechFormat): Promise<SpeechEncoder> {
  switch (format) {
    case 'pcm':
      return PCM
    case 'wav':
      return WAV
    case 'opus': {
      await loadOpus()
      const encoder = new OggOpusEncoder(randomBytes(4).readUInt32LE())
      return {
        contentType: 'audio/ogg; codecs=opus',
        head: () => encoder.head(),
        encode: (pcm) => encoder.encode(pcm),
        end: () => encoder.end(),
        close: () => encoder.close(),
      }
    }
    default:
      return format satisfies never
  }
}
