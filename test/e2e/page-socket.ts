/** A page of Chromium with Opus in the events of a WebSocket: its own codec by WebCodecs, a packet an event. */
import type { Page } from 'playwright-core'
import { configure, openPage } from './page-ear.ts'

const SOCKET = `
window.LAST = 'response.output_audio.done'
window.connect = (url) => {
  const socket = new WebSocket(url)
  const error = (fault) => heard.push({ type: 'error', error: String(fault) })
  let sequence = 0
  const encoder = new AudioEncoder({
    error,
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength)
      chunk.copyTo(bytes)
      send({ type: 'input_audio_buffer.append', audio: toBase64(bytes), sequence: sequence++ })
    },
  })
  const configureFor = ({ sampleRate, numberOfChannels }) =>
    encoder.configure({ codec: 'opus', sampleRate, numberOfChannels, bitrate: 32000, opus: { frameDuration: 20000 } })
  let frames = 0
  const decoder = new AudioDecoder({
    error,
    output(data) {
      const pcm = new Float32Array(data.numberOfFrames)
      data.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' })
      // Coded at 24 kHz, so there is nothing above what half the samples tell.
      keep(pcm.filter((_, i) => i % (data.sampleRate / 24000) === 0))
      data.close()
    },
  })
  decoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1 })
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data)
    heard.push(event)
    if (event.type === 'response.output_audio.delta')
      decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: 20000 * frames++, data: fromBase64(event.delta) }))
    // Nothing comes after an answer here; a loudspeaker would be quiet.
    if (event.type === LAST) void decoder.flush().then(() => keep(new Float32Array(24000)))
  }
  let track
  window.send = (event) => socket.send(JSON.stringify(event))
  window.speak = async () => {
    track = await microphone()
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader()
    const pump = async () => {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        if (encoder.state === 'unconfigured') configureFor(read.value)
        encoder.encode(read.value)
        read.value.close()
      }
    }
    void pump().catch(error)
  }
  window.hush = () => track.stop()
}
`

/** Resolves when a turn may begin. */
export async function connectFrom(page: Page, url: string): Promise<void> {
  await openPage(page, url, SOCKET)
  await page.evaluate(`connect('${url.replace('http', 'ws')}/v1/realtime')`)
  const format = { type: 'audio/opus' }
  await configure(page, { input: { format, transcription: {} }, output: { format } })
}
