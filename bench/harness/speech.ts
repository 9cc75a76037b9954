/** What callers say: the human recordings of `fixtures/speech`, cut into the wire's frames, ready to send. */
import { createConverter, loadAudio } from '../../src/audio/convert.ts'
import { type AudioFormat, MULAW_8K, msToBytes, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { FIXTURES, type FixtureName, speech } from '../../test/listen/speech.ts'

export const FRAME_MS = 20

export type WireFormat = 'pcm16' | 'pcmu'
export const AUDIO_FORMATS: Readonly<Record<WireFormat, AudioFormat>> = { pcm16: PCM16_24K, pcmu: MULAW_8K }

export interface Clip {
  /** 20 ms each: `input_audio_buffer.append` events, or bare sound. */
  readonly frames: readonly Buffer[]
  /** Where speech ends, by hand, ms from the clip's begin. */
  readonly speechEndMs: number
}

/** Half a second of a quiet room, which no speech detector takes for speech, to be repeated. */
export async function quietRoom(format: WireFormat): Promise<Clip> {
  return { frames: soundOf(await quiet(), format).map(append), speechEndMs: 0 }
}

/** The same as bare sound. */
export async function quietSound(format: WireFormat): Promise<readonly Buffer[]> {
  return soundOf(await quiet(), format)
}

async function quiet(): Promise<Int16Array> {
  await loadAudio()
  let state = 7
  return Int16Array.from({ length: 500 * 16 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state / 2 ** 31) * 12
  })
}

/** A recording; silence before the first word is left out but for 60 ms, silence after the last wholly. */
export async function clip(name: FixtureName, format: WireFormat): Promise<Clip> {
  const { frames, speechEndMs } = await clipSound(name, format)
  return { frames: frames.map(append), speechEndMs }
}

/** The same as bare sound. */
export async function clipSound(name: FixtureName, format: WireFormat): Promise<Clip> {
  await loadAudio()
  const { onsetMs, endMs } = FIXTURES.find((one) => one.name === name)!
  const fromMs = Math.max(0, onsetMs - 60)
  const samples = speech(name).subarray(fromMs * 16, Math.ceil(endMs / FRAME_MS + 1) * FRAME_MS * 16)
  return { frames: soundOf(samples, format), speechEndMs: endMs - fromMs }
}

export function framesOf(samples16k: Int16Array, wire: WireFormat): Buffer[] {
  return soundOf(samples16k, wire).map(append)
}

function soundOf(samples16k: Int16Array, wire: WireFormat): Buffer[] {
  const format = AUDIO_FORMATS[wire]
  const converter = createConverter(PCM16_16K, format)
  const input = new Uint8Array(samples16k.buffer, samples16k.byteOffset, samples16k.byteLength)
  const bytes = Buffer.concat([converter.process(input), converter.flush()])
  converter.close()
  const size = msToBytes(format, FRAME_MS)
  const frames = []
  for (let at = 0; at + size <= bytes.length; at += size) frames.push(bytes.subarray(at, at + size))
  return frames
}

function append(audio: Buffer): Buffer {
  return Buffer.from(`{"type":"input_audio_buffer.append","audio":"${audio.toString('base64')}"}`)
}
