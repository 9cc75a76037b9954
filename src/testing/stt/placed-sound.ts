/**
 * Sound that says where in its stream it is, for doubles that are sent files: each 20 ms are as loud as their number. What a
 * test writes is replaced by it, sample for sample; silence stays.
 */
import type { SttAdapter, SttStream } from '../../stage/stt.ts'

const FRAME_SAMPLES = 320
const BASE = 8_000

/** 16 kHz, 16 bits. */
export function placed(adapter: SttAdapter): SttAdapter {
  return {
    ...adapter,
    async open(options) {
      const stream = await adapter.open(options)
      let at = 0
      const write = (audio: Uint8Array) => {
        const samples = new Int16Array(audio.length / 2)
        const view = new DataView(audio.buffer, audio.byteOffset, audio.byteLength)
        // A sine passes through nothing, too: a whole call is sound or silence.
        const isSilent = samples.every((_none, i) => view.getInt16(2 * i, true) === 0)
        if (!isSilent) for (let i = 0; i < samples.length; i++) samples[i] = sampleAt(at + i)
        at += samples.length
        stream.write(new Uint8Array(samples.buffer))
      }
      return {
        write,
        preview: () => stream.preview(),
        finalize: () => stream.finalize(),
        discard: () => stream.discard(),
        close: () => stream.close(),
        [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      } satisfies SttStream
    },
  }
}

function sampleAt(n: number): number {
  const level = BASE + Math.floor(n / FRAME_SAMPLES)
  return n % 8 < 4 ? level : -level
}

/** Where in its stream a stretch begins, in milliseconds; undefined where it holds no sound, 0 for sound that nobody placed. */
export function placeOf(samples: Int16Array): number | undefined {
  const first = samples.findIndex((sample) => sample !== 0)
  if (first < 0) return undefined
  const frame = Math.abs(samples[first]!) - BASE
  if (frame < 0 || Math.abs(samples[first + 1] ?? 0) - BASE - frame > 1) return 0
  // The beginning of a frame, where there is one; a stretch may begin inside.
  const next = samples.findIndex((sample, i) => i > first && Math.abs(sample) - BASE === frame + 1)
  const startSample = next < 0 ? frame * FRAME_SAMPLES : (frame + 1) * FRAME_SAMPLES - (next - first)
  return (startSample - first) / 16
}
