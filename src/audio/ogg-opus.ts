/**
 * Speech in Ogg Opus files (RFC 7845), mono out, mono or stereo in.
 *
 *     PCM16 at 24 kHz ─► frames of 20 ms ─► packets ─► pages of a fifth of a second       OggOpusEncoder
 *     file ─► packets ─► PCM16 at 24 kHz, without what the header says to skip            decodeOggOpus
 */
import { OggError, OggWriter, oggPackets } from './ogg.ts'
import { OPUS_FRAME_MS, OPUS_PCM, OpusCodec, OpusPacketError } from './opus.ts'

/** Granules count 48,000 a second, whatever went in. */
const GRANULES_PER_SAMPLE = 48_000 / OPUS_PCM.sampleRateHz
const FRAME_GRANULES = (48_000 * OPUS_FRAME_MS) / 1000
/** libopus looks 6.5 ms ahead in its VOIP mode; so much silence comes before the sound. */
const PRE_SKIP = 312
/** 200 ms: what a player waits for, against 27 bytes a page. */
const PACKETS_A_PAGE = 10
const VENDOR = 'parley'

/** One sound, as it comes. `loadOpus` first. */
export class OggOpusEncoder {
  readonly #codec = new OpusCodec(24_000)
  readonly #ogg: OggWriter
  readonly #frame = new Uint8Array(this.#codec.frameBytes)
  #filled = 0
  #bytes = 0
  #frames = 0
  #packets: Uint8Array[] = []

  /** `serial`: any 32 bits. */
  constructor(serial: number) {
    this.#ogg = new OggWriter(serial)
  }

  /** What the file begins with: two pages. */
  head(): Uint8Array {
    return Buffer.concat([this.#ogg.page([opusHead()], 0n, 'begin'), this.#ogg.page([opusTags()], 0n)])
  }

  /** The pages that `pcm` fills; any length of PCM16 at 24 kHz, whole samples. */
  encode(pcm: Uint8Array): Uint8Array {
    const pages: Uint8Array[] = []
    this.#bytes += pcm.length
    for (let at = 0; at < pcm.length; ) {
      const part = pcm.subarray(at, at + this.#frame.length - this.#filled)
      this.#frame.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < this.#frame.length) break
      this.#push()
      // The last page is kept back: it says that it is the last.
      if (this.#packets.length > PACKETS_A_PAGE)
        pages.push(this.#page(this.#packets.splice(0, PACKETS_A_PAGE)))
    }
    return Buffer.concat(pages)
  }

  /** The last page, which says where the sound ends. */
  end(): Uint8Array {
    const samples = this.#bytes / 2
    const granule = PRE_SKIP + samples * GRANULES_PER_SAMPLE
    // What the encoder still holds comes out behind silence.
    while (this.#frames * FRAME_GRANULES < granule) {
      this.#frame.fill(0, this.#filled)
      this.#push()
    }
    return this.#ogg.page(this.#packets.splice(0), BigInt(granule), 'end')
  }

  /** Frees the codec. Idempotent. */
  close(): void {
    this.#codec.close()
  }

  #push(): void {
    this.#packets.push(this.#codec.encode(this.#frame))
    this.#filled = 0
    this.#frames++
  }

  #page(packets: readonly Uint8Array[]): Uint8Array {
    const done = this.#frames - this.#packets.length
    return this.#ogg.page(packets, BigInt(done * FRAME_GRANULES))
  }
}

/**
 * A whole file as PCM16 at 24 kHz; packets that are broken are concealed. Throws `OggError`: no Opus, more than two channels, or
 * longer than `maxMs`. Several sounds one after the other are one. `loadOpus` first.
 */
export function decodeOggOpus(file: Uint8Array, maxMs: number): Uint8Array {
  const codec = new OpusCodec(24_000)
  const parts: Uint8Array[] = []
  const maxBytes = (maxMs / 1000) * OPUS_PCM.sampleRateHz * 2
  let bytes = 0
  let sound: Sound | undefined
  try {
    for (const { bytes: packet, granule, place, stream, edge } of oggPackets(file)) {
      if (edge === 'begin') {
        // Beside a video, or the like: the first Opus stream is the sound.
        if (startsWith(packet, 'OpusHead')) sound = soundOf(packet, stream)
        continue
      }
      if (stream !== sound?.stream) continue
      if (sound.tags === 'due') {
        sound.tags = 'read'
        continue
      }
      let pcm = sound.take(decoded(codec, packet))
      if (edge === 'end' && place === 'last of page') pcm = sound.endAt(granule, pcm)
      parts.push(pcm)
      bytes += pcm.length
      if (bytes > maxBytes) throw new OggError('the sound is too long')
    }
  } finally {
    codec.close()
  }
  if (!sound) throw new OggError('the Ogg file holds no Opus')
  return Buffer.concat(parts)
}

function decoded(codec: OpusCodec, packet: Uint8Array): Uint8Array {
  try {
    return codec.decode(packet)
  } catch (error) {
    if (error instanceof OpusPacketError) return codec.conceal()
    throw error
  }
}

/** One sound of the file: what is skipped at its start, how loud it is meant to be, where it ends. */
class Sound {
  tags: 'due' | 'read' = 'due'
  #skipBytes: number
  #samples = 0

  constructor(
    readonly stream: number,
    private readonly preSkip: number,
    private readonly gain: number,
  ) {
    this.#skipBytes = Math.round(preSkip / GRANULES_PER_SAMPLE) * 2
  }

  take(pcm: Uint8Array): Uint8Array {
    this.#samples += pcm.length / 2
    const skipped = Math.min(this.#skipBytes, pcm.length)
    this.#skipBytes -= skipped
    const rest = pcm.subarray(skipped)
    if (this.gain !== 1) amplify(rest, this.gain)
    return rest
  }

  /** The last page's granule cuts the end off that only filled the last frame. */
  endAt(granule: bigint, pcm: Uint8Array): Uint8Array {
    const samples = Number(granule) / GRANULES_PER_SAMPLE
    const surplus = Math.max(0, Math.floor(this.#samples - samples))
    // Of a sound whose count does not begin at zero nothing is known.
    if (granule < BigInt(this.preSkip) || surplus * 2 > pcm.length) return pcm
    return pcm.subarray(0, pcm.length - surplus * 2)
  }
}

function soundOf(head: Uint8Array, stream: number): Sound {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (head.length < 19 || head[8]! >> 4 !== 0) throw new OggError('the Opus header cannot be read')
  const channels = head[9]!
  if (head[18] !== 0 || channels < 1 || channels > 2) throw new OggError(`Opus with ${channels} channels`)
  // The decoder mixes two channels by itself, being asked for one.
  return new Sound(stream, view.getUint16(10, true), 10 ** (view.getInt16(16, true) / 256 / 20))
}

function amplify(pcm: Uint8Array, gain: number): void {
  const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength)
  for (let at = 0; at + 1 < pcm.length; at += 2) {
    const value = Math.round(view.getInt16(at, true) * gain)
    view.setInt16(at, Math.max(-32_768, Math.min(32_767, value)), true)
  }
}

function opusHead(): Uint8Array {
  const head = new Uint8Array(19)
  const view = new DataView(head.buffer)
  head.set(Buffer.from('OpusHead'))
  head[8] = 1
  head[9] = 1
  view.setUint16(10, PRE_SKIP, true)
  view.setUint32(12, OPUS_PCM.sampleRateHz, true)
  return head
}

function opusTags(): Uint8Array {
  const tags = Buffer.alloc(8 + 4 + VENDOR.length + 4)
  tags.write('OpusTags')
  tags.writeUInt32LE(VENDOR.length, 8)
  tags.write(VENDOR, 12)
  return tags
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return (
    bytes.length >= text.length && Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text
  )
}
