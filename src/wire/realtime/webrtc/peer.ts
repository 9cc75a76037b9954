/**
 * One WebRTC peer: an offer answered, one Opus track both ways, the data channel `oai-events` as the text channel of a
 * connection. The one file that knows `werift`, which is loaded by the first call.
 */
import type { MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RtpPacket } from 'werift'
import type { Clock, Timer } from '../../../clock.ts'
import { openaiError } from '../../../errors.ts'
import type { WireSocket } from '../../writer.ts'
import { randomId } from '../ids.ts'
import type { InPacket } from './inbound.ts'
import type { OutPacket } from './outbound.ts'
import { atPublicAddress, onlyAt, withoutCandidates } from './sdp.ts'

export interface PeerNetwork {
  /** Where the HTTP server listens; an address of this machine is the only one offered, a wildcard means all. */
  readonly host: string
  /** Inclusive; null: any free port. */
  readonly udpPorts: readonly [number, number] | null
  /** Offered instead of the machine's own, for a server behind a translated address. */
  readonly publicAddress: string | null
}

export interface PeerHandlers {
  /** The data channel is open: from now on there is somebody to talk to. */
  opened(channel: WireSocket): void
  message(frame: Buffer, isBinary: boolean): void
  /** In place of a message of so many bytes, above `MAX_MESSAGE_BYTES`. */
  tooLarge(bytes: number): void
  packet(packet: InPacket): void
  /** ICE or DTLS failed or was closed, the channel closed, or nobody came in time. Once. */
  gone(): void
}

/** From the answer to an open data channel; browsers need less than a second. */
const CONNECT_MS = 20_000
/** ICE takes long to call a connection failed; a caller that is disconnected this long is not coming back. */
const DISCONNECTED_MS = 15_000
/** Callers ask for consent every few seconds as long as they live. */
const LIFELESS_MS = 30_000
const WATCH_MS = 5_000
/** Time for a last message before the transport goes. */
const CLOSE_MS = 250
/** What every browser takes as one message, and what the answer says is taken here. */
export const MAX_MESSAGE_BYTES = 256 * 1024
/** Of what a caller takes as one message: an error must fit. */
const MIN_MESSAGE_BYTES = 1024
/** No caller sends larger ones, so with less room none is sent. */
const PACKET_BYTES = 2048
const CHANNEL = 'oai-events'

export class Peer {
  readonly #pc: RTCPeerConnection
  readonly #werift: typeof import('werift')
  readonly #track: MediaStreamTrack
  readonly #clock: Clock
  readonly #handlers: PeerHandlers
  readonly #ssrc = 1
  readonly #host: string | null
  #deadline: Timer | undefined
  #watch: Timer | undefined
  #lifeAt: number
  #gone = false
  /** At the last look there was no room for more of a message that had begun. */
  #full = false
  /** A channel of the right name came; it is open and told of. */
  #open = false
  #told = false
  #dataChannel: RTCDataChannel | undefined

  private constructor(
    werift: typeof import('werift'),
    network: PeerNetwork,
    clock: Clock,
    handlers: PeerHandlers,
  ) {
    this.#werift = werift
    this.#clock = clock
    this.#handlers = handlers
    this.#lifeAt = clock.now()
    const host = network.host === 'localhost' ? '127.0.0.1' : network.host
    this.#pc = new werift.RTCPeerConnection({
      iceServers: [],
      // Passive: the caller asks, we answer, and nobody is asked whom an offer merely names.
      iceLite: true,
      iceFilterStunResponse: () => {
        this.#lifeAt = clock.now()
        return true
      },
      iceUseIpv6: host.includes(':'),
      maxMessageSize: MAX_MESSAGE_BYTES,
      ...(isWildcard(host)
        ? {}
        : {
            iceInterfaceAddresses: host.includes(':') ? { udp6: host } : { udp4: host },
            iceAdditionalHostAddresses: [host],
          }),
      ...(network.udpPorts ? { icePortRange: [...network.udpPorts] as [number, number] } : {}),
      codecs: { audio: [opusOf(werift)], video: [] },
    })
    this.#track = new werift.MediaStreamTrack({ kind: 'audio' })
    this.#pc.addTransceiver(this.#track, { direction: 'sendrecv' })
    this.#pc.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe(({ header, payload }: RtpPacket) =>
        handlers.packet({ sequence: header.sequenceNumber, payload }),
      )
    })
    this.#pc.onDataChannel.subscribe((channel) => this.#channel(channel))
    this.#pc.connectionStateChange.subscribe((state) => this.#state(state))
    this.#host = isWildcard(host) ? null : host
    this.#within(CONNECT_MS)
    this.#watchLife()
  }

  /** Resolves with the peer and its answer. Rejects where the offer cannot be answered. */
  static async answer(
    offer: string,
    network: PeerNetwork,
    clock: Clock,
    handlers: PeerHandlers,
  ): Promise<{ readonly peer: Peer; readonly sdp: string }> {
    const peer = new Peer(await import('werift'), network, clock, handlers)
    try {
      await peer.#pc.setRemoteDescription({ type: 'offer', sdp: withoutCandidates(offer) })
      if (peer.#maxMessageBytes < MIN_MESSAGE_BYTES) throw new Error('its max-message-size is too small')
      await peer.#pc.setLocalDescription(await peer.#pc.createAnswer())
      const sdp = peer.#pc.localDescription?.sdp
      if (sdp === undefined) throw new Error('no answer was made')
      const own = peer.#host === null ? sdp : onlyAt(sdp, peer.#host)
      const { publicAddress } = network
      return { peer, sdp: publicAddress === null ? own : atPublicAddress(own, publicAddress) }
    } catch (error) {
      peer.close()
      throw error
    }
  }

  send(packet: OutPacket): void {
    if (this.#gone) return
    const { RtpHeader, RtpPacket: Rtp } = this.#werift
    const header = new RtpHeader({
      sequenceNumber: packet.sequence,
      timestamp: packet.timestamp,
      marker: packet.marker === 1,
      payloadType: OPUS_PAYLOAD,
      ssrc: this.#ssrc,
    })
    this.#track.writeRtp(new Rtp(header, Buffer.from(packet.payload)))
  }

  /** Idempotent; tells `gone`. */
  close(): void {
    if (this.#gone) return
    this.#gone = true
    this.#deadline?.cancel()
    this.#watch?.cancel()
    this.#handlers.gone()
    // A closed channel is what the far side is told; the transport goes when that is through.
    if (this.#dataChannel?.readyState === 'open') this.#dataChannel.close()
    this.#clock.setTimer(CLOSE_MS, () => void this.#pc.close().catch(() => {}))
  }

  #state(state: RTCPeerConnection['connectionState']): void {
    if (state === 'failed' || state === 'closed') return this.close()
    if (state === 'disconnected') this.#within(DISCONNECTED_MS)
    else if (state === 'connected' && this.#open) this.#deadline?.cancel()
  }

  #channel(channel: RTCDataChannel): void {
    if (channel.label !== CHANNEL || this.#open) return
    this.#open = true
    channel.onMessage.subscribe((data) => {
      const bytes = Buffer.byteLength(data)
      if (bytes > MAX_MESSAGE_BYTES) this.#handlers.tooLarge(bytes)
      else if (typeof data === 'string') this.#handlers.message(Buffer.from(data), false)
      else this.#handlers.message(data, true)
    })
    channel.stateChanged.subscribe((state) => {
      if (state === 'closed') this.close()
      else if (state === 'open') this.#opened(channel)
    })
    if (channel.readyState === 'open') this.#opened(channel)
  }

  #opened(channel: RTCDataChannel): void {
    if (this.#told || this.#gone) return
    this.#told = true
    this.#dataChannel = channel
    this.#deadline?.cancel()
    this.#handlers.opened(this.#socket(channel))
  }

  /** What the offer says the caller takes: 0 is any size, and `werift` has the standard's 64 kB where it says nothing. */
  get #maxMessageBytes(): number {
    return Math.min(this.#pc.sctpTransport?.remoteMaxMessageSize || MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES)
  }

  #socket(channel: RTCDataChannel): WireSocket {
    const waiting: (() => void)[] = []
    const maxBytes = this.#maxMessageBytes
    channel.bufferedAmountLowThreshold = 16 * 1024
    channel.bufferedAmountLow.subscribe(() => {
      for (const flushed of waiting.splice(0)) flushed()
    })
    return {
      get bufferedAmount() {
        return channel.bufferedAmount
      },
      send: (text, flushed) => {
        if (channel.readyState !== 'open') return
        // A larger one would close the channel at the far side, if `werift` sent it.
        channel.send(Buffer.byteLength(text) > maxBytes ? leftOut(text, maxBytes) : text)
        if (channel.bufferedAmount <= channel.bufferedAmountLowThreshold) queueMicrotask(flushed)
        else waiting.push(flushed)
      },
      // The caller's own requests for consent are the sign of life here.
      ping: () => this.#handlers.message(PING, false),
      close: () => this.#within(CLOSE_MS),
      terminate: () => this.close(),
    }
  }

  /** The passive side of ICE is not told that the other is gone, nor anybody that a channel is stuck. */
  #watchLife(): void {
    this.#watch = this.#clock.setTimer(WATCH_MS, () => {
      if (this.#clock.now() - this.#lifeAt > LIFELESS_MS) return this.close()
      const wasFull = this.#full
      const room = this.#pc.sctpTransport?.sctp['advertisedRwnd'] ?? PACKET_BYTES
      this.#full = room < PACKET_BYTES
      if (this.#full && wasFull) return this.#stuck()
      this.#watchLife()
    })
  }

  /** A message above the window of SCTP, 1 MiB, never comes to its end, and nothing comes past it. */
  #stuck(): void {
    this.#handlers.tooLarge(MAX_MESSAGE_BYTES + 1)
    this.#within(CLOSE_MS)
  }

  #within(ms: number): void {
    this.#deadline?.cancel()
    this.#deadline = this.#clock.setTimer(ms, () => this.close())
  }
}

/** Stands for the sign of life that a WebSocket's pong is. */
export const PING = Buffer.alloc(0)

const OPUS_PAYLOAD = 111

function opusOf({ RTCRtpCodecParameters }: typeof import('werift')) {
  return new RTCRtpCodecParameters({
    mimeType: 'audio/opus',
    clockRate: 48_000,
    channels: 2,
    payloadType: OPUS_PAYLOAD,
    parameters: 'minptime=10;useinbandfec=1',
  })
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function leftOut(text: string, maxBytes: number): string {
  const [, type = 'event'] = /^\{"type":"([\w.]+)"/.exec(text) ?? []
  const message = `A ${type} above ${maxBytes} bytes does not fit the data channel and was left out.`
  const { error } = openaiError('event_too_large', message)
  return JSON.stringify({ type: 'error', event_id: randomId('event'), error: { ...error, event_id: null } })
}
