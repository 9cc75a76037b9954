/** Audio formats on the wire: GA objects, and the beta names that old clients send. */
import { ALAW_8K, type AudioFormat, MULAW_8K, PCM16_24K } from '../../audio/format.ts'
import { asInteger, asObject, asOneOf } from './check.ts'

export type WireFormat =
  | { type: 'audio/pcm'; rate: number }
  | { type: 'audio/pcmu' }
  | { type: 'audio/pcma' }
  | { type: 'audio/opus' }

const RATE_HZ = 24_000

/** GA `{ type, rate? }`, or the beta name `pcm16`, `g711_ulaw`, `g711_alaw`. */
export function parseFormat(value: unknown, path: string): AudioFormat {
  if (typeof value === 'string') {
    const name = asOneOf(value, path, ['pcm16', 'g711_ulaw', 'g711_alaw'])
    return name === 'pcm16' ? PCM16_24K : name === 'g711_ulaw' ? MULAW_8K : ALAW_8K
  }
  const format = asObject(value, path)
  switch (asOneOf(format['type'], `${path}.type`, ['audio/pcm', 'audio/pcmu', 'audio/pcma', 'audio/opus'])) {
    case 'audio/opus':
      return PCM16_24K // Coded at the wire: `isOpus`.
    case 'audio/pcm':
      if (format['rate'] !== undefined && format['rate'] !== null)
        asInteger(format['rate'], `${path}.rate`, RATE_HZ, RATE_HZ)
      return PCM16_24K
    case 'audio/pcmu':
      return MULAW_8K
    case 'audio/pcma':
      return ALAW_8K
  }
}

/** Ours: packets of Opus inside events. */
export function isOpus(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'audio/opus'
}

export function wireFormat(format: AudioFormat, codec: 'opus' | 'none' = 'none'): WireFormat {
  if (codec === 'opus') return { type: 'audio/opus' }
  switch (format.encoding) {
    case 'pcm16':
      return { type: 'audio/pcm', rate: format.sampleRateHz }
    case 'mulaw':
      return { type: 'audio/pcmu' }
    case 'alaw':
      return { type: 'audio/pcma' }
  }
}
