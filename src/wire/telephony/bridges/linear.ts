/** Linear sound of 16 bits as bridges name it (`L16`), and the two orders of its bytes. Ours is the little-endian one. */
import type { AudioFormat } from '../../../audio/format.ts'
import { BridgeMistake } from '../bridge.ts'

/** RFC 3551 has L16 in network order; most bridges that say L16 send the other. */
export const BYTE_ORDERS = ['little', 'network'] as const
export type ByteOrder = (typeof BYTE_ORDERS)[number]

const RATES = [8_000, 16_000, 24_000]

/** Throws `BridgeMistake` for a rate that no bridge of ours has. */
export function linearFormat(sampleRateHz: number | undefined): AudioFormat {
  if (sampleRateHz === undefined || !RATES.includes(sampleRateHz))
    throw new BridgeMistake('a sample rate that is not 8, 16 or 24 kHz')
  return { encoding: 'pcm16', sampleRateHz }
}

/** From one order to the other, either way: a copy, or the bytes themselves where they are in order already. */
export function ordered(bytes: Uint8Array, order: ByteOrder): Uint8Array {
  if ((bytes.length & 1) !== 0) throw new BridgeMistake('half a sample')
  return order === 'little' ? bytes : Buffer.from(bytes).swap16()
}
