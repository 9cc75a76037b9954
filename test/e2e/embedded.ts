/** The embedded models, loaded once a test file and closed with its process; and what tests say and hear with them. */
import type { Embedded } from '../../src/app.ts'
import { createConverter, loadAudio } from '../../src/audio/convert.ts'
import { type AudioFormat, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { createLocalProvider, type LocalProvider } from '../../src/provider/local/index.ts'
import { bytesOf, speech } from '../provider/local/speech.ts'

let loaded: Promise<LocalProvider> | undefined

function local(): Promise<LocalProvider> {
  loaded ??= Promise.all([
    createLocalProvider({ clock: realClock, note: () => {}, scriptsDir: 'pipelines', without: ['smollm2'] }),
    loadAudio(),
  ]).then(([provider]) => provider)
  return loaded
}

/** As the app's own; the next app of the same file goes on with it. */
export async function embedded(): Promise<Embedded> {
  return { ...(await local()), close: async () => {} }
}

/** For `afterAll`: no thread outlives its file. */
export async function closeEmbedded(): Promise<void> {
  const closing = loaded
  loaded = undefined
  await (await closing)?.close()
}

/** A clip of human speech, as Realtime clients send it: PCM16 at 24 kHz. */
export async function human(name: Parameters<typeof speech>[0]): Promise<Buffer> {
  await loadAudio()
  return convert(bytesOf(speech(name)), PCM16_16K, PCM16_24K)
}

/** These words in a synthetic voice, PCM16 at 24 kHz. */
export async function spoken(text: string, voice = 'slt'): Promise<Buffer> {
  const tts = (await local()).tts!('flite')!
  const { signal } = new AbortController()
  const stream = await tts.open({ voice, format: PCM16_24K, signal, clock: realClock })
  stream.say({ index: 0, text })
  stream.end()
  const chunks: Uint8Array[] = []
  for await (const event of stream) if (event.type === 'audio') chunks.push(event.audio)
  return Buffer.concat(chunks)
}

/** What Moonshine hears in up to ten seconds of PCM16 at 24 kHz. */
export async function readBack(audio: Uint8Array): Promise<string> {
  const stt = (await local()).stt!('moonshine-tiny')!
  const { signal } = new AbortController()
  const stream = await stt.open({ format: PCM16_16K, signal, clock: realClock })
  stream.write(convert(audio, PCM16_24K, PCM16_16K))
  stream.finalize()
  try {
    for await (const event of stream) if (event.type === 'final') return event.text
    throw new Error('no final')
  } finally {
    await stream.close()
  }
}

/** PCM16 at 24 kHz as samples at 48 kHz, as sound cards want it. */
export function at48k(audio: Uint8Array): Int16Array {
  const bytes = convert(audio, PCM16_24K, { encoding: 'pcm16', sampleRateHz: 48_000 })
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}

export function quiet(ms: number): Buffer {
  return Buffer.alloc(ms * 48)
}

export function convert(audio: Uint8Array, from: AudioFormat, to: AudioFormat): Buffer {
  const converter = createConverter(from, to)
  try {
    return Buffer.concat([converter.process(audio), converter.flush()])
  } finally {
    converter.close()
  }
}
