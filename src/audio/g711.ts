/**
 * G.711 by lookup: µ-law and A-law bytes ⇄ 16-bit samples. The tables hold every input, so they cannot differ
 * from the formulas that fill them; a 160-sample frame costs well under a microsecond.
 */
import type { Encoding } from './format.ts'

export type G711 = Exclude<Encoding, 'pcm16'>

const MULAW_BIAS = 0x84
const CLIP = 32_635

function encodeMulaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), CLIP) + MULAW_BIAS
  const exponent = 24 - Math.clz32(magnitude)
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function decodeMulaw(byte: number): number {
  const bits = ~byte & 0xff
  const exponent = (bits >> 4) & 0x07
  const magnitude = ((((bits & 0x0f) << 3) + MULAW_BIAS) << exponent) - MULAW_BIAS
  return bits & 0x80 ? -magnitude : magnitude
}

function encodeAlaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80
  const magnitude = Math.min(Math.abs(sample), CLIP)
  const exponent = magnitude < 256 ? 0 : 24 - Math.clz32(magnitude)
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f
  return (sign | (exponent << 4) | mantissa) ^ 0x55
}

function decodeAlaw(byte: number): number {
  const bits = byte ^ 0x55
  const exponent = (bits >> 4) & 0x07
  const step = ((bits & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1)
  return bits & 0x80 ? magnitude : -magnitude
}

function encodeTable(encode: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(65_536)
  for (let sample = -32_768; sample < 32_768; sample++) table[sample & 0xffff] = encode(sample)
  return table
}

function decodeTable(decode: (byte: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => decode(byte))
}

/** 65,536 entries: index with `sample & 0xffff`. */
export const G711_ENCODE: Readonly<Record<G711, Uint8Array>> = {
  mulaw: encodeTable(encodeMulaw),
  alaw: encodeTable(encodeAlaw),
}

/** 256 entries: index with the byte. */
export const G711_DECODE: Readonly<Record<G711, Int16Array>> = {
  mulaw: decodeTable(decodeMulaw),
  alaw: decodeTable(decodeAlaw),
}

/** The byte of a sample of value 0. µ-law's is 0xFF: a buffer of 0x00 is a loud click, not silence. */
export const G711_SILENCE: Readonly<Record<G711, number>> = { mulaw: 0xff, alaw: 0xd5 }
