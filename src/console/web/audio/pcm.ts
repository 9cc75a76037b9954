/** PCM16 little-endian and base64, as the Realtime wire carries audio; and how loud a stretch of it is. */

/** The wire's rate. */
export const WIRE_RATE_HZ = 24_000

/** −1…1 to 16 bits, clipped. */
export function toPcm16(samples: Float32Array, count: number): Int16Array<ArrayBuffer> {
  const out = new Int16Array(count)
  for (let i = 0; i < count; i++) out[i] = Math.round(Math.max(-1, Math.min(1, samples[i]!)) * 32767)
  return out
}

export function encodeBase64(samples: Int16Array): string {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  let text = ''
  // In pieces: an argument list has a limit.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

/** A last odd byte is dropped; the wire sends whole samples. */
export function decodeBase64(text: string): Int16Array<ArrayBuffer> {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length & ~1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return new Int16Array(bytes.buffer)
}

/** Loudness for the eye, 0…1: −60 dBFS and below is 0, full scale 1. */
export function levelOf(samples: Float32Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += samples[i]! * samples[i]!
  if (sum === 0) return 0
  return Math.max(0, Math.min(1, 1 + (10 * Math.log10(sum / count)) / 60))
}
