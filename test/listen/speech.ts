/** The human recordings of `fixtures/speech`, with where speech begins and ends, read off their envelopes by hand. */
import { readFileSync } from 'node:fs'

export type FixtureName = 'ten-of-clubs' | 'seven-of-clubs' | 'amiable'

export interface Annotation {
  readonly name: FixtureName
  /** First sound of the first word: "t", "s", "h". */
  readonly onsetMs: number
  /** End of the last voiced sound, and of the weak "z", "z" and "f" after it, which the telephone hardly carries. */
  readonly voicedEndMs: number
  readonly endMs: number
}

export const FIXTURES: readonly Annotation[] = [
  { name: 'ten-of-clubs', onsetMs: 175, voicedEndMs: 940, endMs: 970 },
  { name: 'seven-of-clubs', onsetMs: 100, voicedEndMs: 1220, endMs: 1350 },
  { name: 'amiable', onsetMs: 240, voicedEndMs: 2870, endMs: 3090 },
]

/** 16 kHz samples. The files are plain WAV with a header of 44 bytes. */
export function speech(name: FixtureName): Int16Array {
  const wav = readFileSync(new URL(`../../fixtures/speech/${name}.wav`, import.meta.url))
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length))
}
