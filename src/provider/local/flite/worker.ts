/** The thread that synthesises: one clause after the other, trimmed, converted to the answer's format. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Converter, createConverter, loadAudio } from '../../../audio/convert.ts'
import type { FliteWorkerData, FromWorker, SpeakRequest, ToWorker } from './protocol.ts'
import { Synthesiser } from './synthesise.ts'
import { trimSpeech } from './trim.ts'
import { FLITE_FORMAT } from './voices.ts'

const port = parentPort
if (!port) throw new Error('this file runs as a worker thread')
const { module } = workerData as FliteWorkerData

const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)
const synthesiser = new Synthesiser(module)
const converters = new Map<number, Converter>()

await loadAudio()
// The first run is slower than the others; nobody should wait for it.
synthesiser.say({ text: 'Hello.', voice: 'slt', stretch: 1 })
synthesiser.prepare()
port.on('message', (message: ToWorker) => {
  if (message.type === 'speak') return speak(message)
  converters.get(message.answer)?.close()
  converters.delete(message.answer)
})
post({ type: 'ready' })

function speak(request: SpeakRequest): void {
  const { job } = request
  try {
    const samples = trimSpeech(synthesiser.say(request), FLITE_FORMAT.sampleRateHz, request.pauseMs)
    const pcm = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    const audio = converterOf(request).process(pcm)
    // Transferred, so it must own its buffer.
    const owned = audio.byteLength === audio.buffer.byteLength ? audio : audio.slice()
    post({ type: 'spoken', job, audio: owned as Uint8Array<ArrayBuffer> }, [owned.buffer as ArrayBuffer])
  } catch (error) {
    post({ type: 'failed', job, message: error instanceof Error ? error.message : 'failed' })
  }
  synthesiser.prepare()
}

function converterOf({ answer, format }: SpeakRequest): Converter {
  let converter = converters.get(answer)
  if (!converter) {
    converter = createConverter(FLITE_FORMAT, format)
    converters.set(answer, converter)
  }
  return converter
}
