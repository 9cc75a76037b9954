/** Audio that is there whole, as a recogniser asks for it. */
import { type AudioFormat, bytesToMs, msToBytes } from '../audio/format.ts'

/** `fallback`: who recognises it when the rules of the moment name nobody. */
export function wholeAudio<C>(
  audio: Uint8Array,
  format: AudioFormat,
  candidates: () => readonly C[],
  fallback: C,
) {
  const endMs = bytesToMs(format, audio.length)
  return {
    endMs,
    audibleMs: () => endMs,
    audio: (fromMs: number, toMs: number) => ({
      bytes: audio.subarray(msToBytes(format, fromMs), msToBytes(format, toMs)),
      format,
    }),
    candidates: (): readonly C[] => {
      const named = candidates()
      return named.length > 0 ? named : [fallback]
    },
  }
}
