/** A call over WebRTC by a page of Chromium: its own Opus and jitter buffer, through a network that may lose packets. */
import type { Page } from 'playwright-core'
import { type LossyRelay, throughRelay } from './lossy-relay.ts'
import { configure, openPage } from './page-ear.ts'

/** The microphone is opened only when there is somebody to hear it, so no word depends on how fast a call comes about. */
const CALL = `
window.LAST = 'output_audio_buffer.stopped'
window.listenTo = async (stream) => {
  // A remote track flows only where an element plays it.
  const element = document.createElement('audio')
  element.muted = true
  element.srcObject = stream
  void element.play()
  const context = new AudioContext({ sampleRate: 24000 })
  const code = 'registerProcessor("tap", class extends AudioWorkletProcessor { process([[pcm]]) { if (pcm) this.port.postMessage(pcm.slice()); return true } })'
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })))
  const tap = new AudioWorkletNode(context, 'tap', { channelCount: 1, channelCountMode: 'explicit' })
  tap.port.onmessage = ({ data }) => keep(data)
  context.createMediaStreamSource(stream).connect(tap).connect(context.destination)
}
window.call = async () => {
  const pc = new RTCPeerConnection()
  const { sender } = pc.addTransceiver('audio', { direction: 'sendrecv' })
  const channel = pc.createDataChannel('oai-events')
  channel.onmessage = ({ data }) => heard.push(JSON.parse(data))
  const listening = new Promise((resolve) => {
    pc.ontrack = ({ track }) => resolve(listenTo(new MediaStream([track])))
  })
  await pc.setLocalDescription(await pc.createOffer())
  await pc.setRemoteDescription({ type: 'answer', sdp: await answered(pc.localDescription.sdp) })
  await listening
  let track
  window.send = (event) => channel.send(JSON.stringify(event))
  window.speak = async () => {
    track = await microphone()
    await sender.replaceTrack(track)
  }
  window.hush = async () => {
    await sender.replaceTrack(null)
    track.stop()
  }
  window.packetsLost = async () =>
    [...(await pc.getStats()).values()].find(({ type }) => type === 'inbound-rtp').packetsLost
}
`

/** Resolves when a turn may begin. Close the relay. */
export async function callFrom(page: Page, url: string, share: number, seed: number): Promise<LossyRelay> {
  let relay: LossyRelay | undefined
  await openPage(page, url, CALL)
  await page.exposeFunction('answered', async (sdp: string) => {
    const headers = { 'content-type': 'application/sdp' }
    const reply = await fetch(`${url}/v1/realtime/calls`, { method: 'POST', headers, body: sdp })
    if (reply.status !== 201) throw new Error(`${reply.status} ${await reply.text()}`)
    const through = await throughRelay(await reply.text(), share, seed)
    relay = through.relay
    return through.answer
  })
  await page.evaluate('call()')
  await configure(page, { input: { transcription: {} } })
  return relay!
}
