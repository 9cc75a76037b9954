/** A WebRTC client in Node: `werift` over loopback, Opus by our own codec, and events as any Realtime client reads them. */
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from 'werift'
import { loadOpus, OpusCodec } from '../../src/audio/opus.ts'
import { HeardEvents } from './heard-events.ts'
import { say } from './microphone.ts'

export interface RtcCaller {
  readonly events: HeardEvents
  readonly call: Response
  send(event: object): void
  /** Whatever size the server said it takes. */
  force(event: object): void
  /** In real time, silence after it until `stop`. */
  say(audio: Uint8Array): { stop(): void }
  /** PCM16 at 24 kHz of the packets that came. */
  heard(): Buffer
  /** Packets in order of arrival. */
  readonly packets: readonly { readonly sequence: number; readonly timestamp: number }[]
  close(): Promise<void>
}

export interface RtcOptions {
  readonly key?: string
  /** Of the packets sent, those to lose. */
  readonly loses?: (index: number) => boolean
  readonly session?: object
  /** What the offer says it takes as one message. */
  readonly maxMessageBytes?: number
}

export async function dialRtc(url: string, options: RtcOptions = {}): Promise<RtcCaller> {
  await loadOpus()
  const codec = new OpusCodec()
  const pc = loopbackPeer(options.maxMessageBytes)
  const events = new HeardEvents()
  const channel = pc.createDataChannel('oai-events')
  channel.onMessage.subscribe((data) => events.push(JSON.parse(data.toString())))
  channel.stateChanged.subscribe((state) => state === 'closed' && events.end('the channel closed'))
  const track = new MediaStreamTrack({ kind: 'audio' })
  pc.addTransceiver(track, { direction: 'sendrecv' })
  const packets: { sequence: number; timestamp: number }[] = []
  const sound: Uint8Array[] = []
  pc.onTrack.subscribe((remote) =>
    remote.onReceiveRtp.subscribe(({ header, payload }) => {
      packets.push({ sequence: header.sequenceNumber, timestamp: header.timestamp })
      sound.push(codec.decode(payload))
    }),
  )
  await pc.setLocalDescription(await pc.createOffer())
  const sdp = pc.localDescription!.sdp
  const authorization: Record<string, string> = options.key ? { authorization: `Bearer ${options.key}` } : {}
  const form = new FormData()
  form.set('sdp', sdp)
  if (options.session) form.set('session', JSON.stringify(options.session))
  const call = await fetch(`${url}/v1/realtime/calls`, {
    method: 'POST',
    headers: options.session ? authorization : { 'content-type': 'application/sdp', ...authorization },
    body: options.session ? form : sdp,
  })
  if (call.status !== 201) {
    await pc.close()
    throw new Error(`${call.status} ${await call.text()}`)
  }
  await pc.setRemoteDescription({ type: 'answer', sdp: await call.text() })
  await events.next('session.created')
  let sent = 0
  return {
    events,
    call,
    packets,
    send: (event) => channel.send(JSON.stringify(event)),
    force(event) {
      pc.sctpTransport!.setRemoteMaxMessageSize(0)
      channel.send(JSON.stringify(event))
    },
    say: (audio) =>
      say(audio, (base64) => {
        const frame = Buffer.from(base64, 'base64')
        const index = sent++
        const payload = Buffer.from(codec.encode(padded(frame, codec.frameBytes)))
        if (options.loses?.(index)) return
        const header = new RtpHeader({
          sequenceNumber: index & 0xffff,
          timestamp: index * 960,
          payloadType: 111,
          ssrc: 7,
        })
        track.writeRtp(new RtpPacket(header, payload))
      }),
    heard: () => Buffer.concat(sound),
    async close() {
      await fetch(`${url}${call.headers.get('location')}/hangup`, { method: 'POST', headers: authorization })
      await pc.close()
      codec.close()
    },
  }
}

function padded(frame: Uint8Array, bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes)
  whole.set(frame.subarray(0, bytes))
  return whole
}

/** A peer that is found over loopback and nowhere else, and speaks Opus. */
export function loopbackPeer(maxMessageBytes = 256 * 1024): RTCPeerConnection {
  return new RTCPeerConnection({
    maxMessageSize: maxMessageBytes,
    iceServers: [],
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    codecs: {
      audio: [
        new RTCRtpCodecParameters({
          mimeType: 'audio/opus',
          clockRate: 48_000,
          channels: 2,
          payloadType: 111,
        }),
      ],
      video: [],
    },
  })
}
