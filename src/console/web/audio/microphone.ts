/** The microphone: opened with the browser's echo cancellation, so that an answer from the speakers is no interruption. */
import workletUrl from './capture.worklet.ts?worker&url'
import type { Captured } from './messages.ts'

export interface Microphone {
  /** Muted, it goes on sending: silence, which lets the server end a turn that was being spoken. */
  mute(muted: boolean): void
  close(): void
}

/** Rejects with the browser's DOMException (`NotAllowedError`, `NotFoundError` …) when there is none to be had. */
export async function openMicrophone(
  context: AudioContext,
  onChunk: (chunk: Captured) => void,
  onLost: () => void,
): Promise<Microphone> {
  const media = navigator.mediaDevices
  // Browsers hide it on plain http, except on a loopback name.
  if (!media) throw new DOMException('the page needs https or a loopback address', 'SecurityError')
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 }
  const stream = await media.getUserMedia({ audio })
  await context.audioWorklet.addModule(workletUrl)
  const source = context.createMediaStreamSource(stream)
  const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 })
  node.port.onmessage = ({ data }: MessageEvent<Captured>) => onChunk(data)
  source.connect(node)
  const [track] = stream.getAudioTracks()
  track?.addEventListener('ended', onLost)
  return {
    mute: (muted) => {
      if (track) track.enabled = !muted
    },
    close: () => {
      node.port.onmessage = null
      source.disconnect()
      for (const each of stream.getTracks()) each.stop()
    },
  }
}
