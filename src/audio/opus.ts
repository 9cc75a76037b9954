/**
 * Opus by libopus in WASM, mono, for frames of 20 ms:
 *
 *     PCM frame ─► encode ─► packet        packet ─► decode ─► PCM        (lost) ─► conceal ─► PCM
 *
 * All codecs of the process share one instance and its scratch memory, since every call is synchronous. The
 * package's own wrapper is not used: its scratch views begin at twice their address, in memory that belongs to others
 * as soon as some dozens of codecs live, and it makes several arrays a frame. What is copied here is the result.
 */
import type { OpusHandler, OpusModule } from 'opusscript/build/opusscript_native_wasm.js'
import { type AudioFormat, PCM16_24K } from './format.ts'

/** What an Opus stream is on our side of the codec. */
export const OPUS_PCM: AudioFormat = PCM16_24K
export const OPUS_FRAME_MS = 20
/** Of one packet of one frame; libopus writes no larger one. */
const MAX_FRAME_BYTES = 1275
/** Of a packet at all: the standard's 120 ms in frames of 20 ms, and what says how long each is. */
export const MAX_OPUS_PACKET_BYTES = 6 * (MAX_FRAME_BYTES + 2) + 2
const MAX_DECODED_SAMPLES = 5760

const VOIP = 2048
const SET_BITRATE = 4002
const SET_COMPLEXITY = 4010
/** Half the time of 10, and no difference that speech shows. */
const COMPLEXITY = 5
/** What browsers ask of speech in mono. */
const BITS_PER_SECOND = 32_000

/** A packet that is not Opus, or is broken. The decoder's state is as it was, and the next packet may be fine. */
export class OpusPacketError extends Error {
  override readonly name = 'OpusPacketError'
}

interface Opus {
  readonly module: OpusModule
  readonly pcm: number
  readonly packet: number
}

let opus: Opus | undefined
let loading: Promise<void> | undefined

/** Loads the WASM once for the process, when somebody first speaks Opus. Await it before the first codec. */
export function loadOpus(): Promise<void> {
  loading ??= (async () => {
    const { default: load } = await import('opusscript/build/opusscript_native_wasm.js')
    const module = load()
    await module.ready
    opus = {
      module,
      pcm: module._malloc(MAX_DECODED_SAMPLES * 2 * 2),
      packet: module._malloc(MAX_OPUS_PACKET_BYTES),
    }
  })()
  return loading
}

/** One direction or both of one stream: an encoder's and a decoder's state, 80 kB outside the JavaScript heap. */
export class OpusCodec {
  readonly #opus: Opus
  readonly #frameSamples: number
  #handler: OpusHandler | undefined
  /** First byte of the last packet decoded, as a packet with nothing in it: libopus conceals one frame of that length. */
  #concealing: number | undefined

  /** Throws an Error before `loadOpus` resolved. */
  constructor(sampleRateHz: 24_000 | 48_000 = 24_000) {
    if (!opus) throw new Error('opus is not loaded: await loadOpus()')
    this.#opus = opus
    this.#frameSamples = (sampleRateHz * OPUS_FRAME_MS) / 1000
    this.#handler = new opus.module.OpusScriptHandler(sampleRateHz, 1, VOIP)
    this.#handler._encoder_ctl(SET_COMPLEXITY, COMPLEXITY)
    this.#handler._encoder_ctl(SET_BITRATE, BITS_PER_SECOND)
  }

  /** Bytes of PCM16 that `encode` takes. */
  get frameBytes(): number {
    return this.#frameSamples * 2
  }

  /** One whole frame into one packet of the caller's own. Throws a RangeError for another length. */
  encode(frame: Uint8Array): Uint8Array {
    if (frame.length !== this.frameBytes) throw new RangeError(`an Opus frame of ${frame.length} bytes`)
    const { module, pcm, packet } = this.#opus
    const cells = module.HEAPU16
    for (let i = 0; i < frame.length; i++) cells[(pcm >> 1) + i] = frame[i]!
    const bytes = this.#open._encode(pcm, frame.length, packet, this.#frameSamples)
    if (bytes < 0) throw new Error(`libopus cannot encode: ${bytes}`)
    return module.HEAPU8.slice(packet, packet + bytes)
  }

  /** Up to 120 ms of PCM16 of the caller's own. Throws `OpusPacketError`. */
  decode(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0 || bytes.length > MAX_OPUS_PACKET_BYTES)
      throw new OpusPacketError(`an Opus packet of ${bytes.length} bytes`)
    const { module, packet } = this.#opus
    module.HEAPU8.set(bytes, packet)
    const pcm = this.#decode(bytes.length)
    this.#concealing = bytes[0]! & ~3
    return pcm
  }

  /** What probably stood in a packet that was lost: as long as a frame of the last one; fades out when called again. */
  conceal(): Uint8Array {
    if (this.#concealing === undefined) return new Uint8Array(this.frameBytes)
    const { module, packet } = this.#opus
    module.HEAPU8[packet] = this.#concealing
    return this.#decode(1)
  }

  /** Frees its memory. Idempotent; nothing may be coded after it. */
  close(): void {
    if (this.#handler) this.#opus.module.OpusScriptHandler.destroy_handler(this.#handler)
    this.#handler = undefined
  }

  #decode(packetBytes: number): Uint8Array {
    const { module, pcm, packet } = this.#opus
    const samples = this.#open._decode(packet, packetBytes, pcm)
    if (samples < 0) throw new OpusPacketError(`libopus refuses the packet: ${samples}`)
    const out = new Uint8Array(samples * 2)
    const cells = module.HEAPU16
    for (let i = 0; i < out.length; i++) out[i] = cells[(pcm >> 1) + i]!
    return out
  }

  get #open(): OpusHandler {
    if (!this.#handler) throw new Error('this Opus codec was closed')
    return this.#handler
  }
}
