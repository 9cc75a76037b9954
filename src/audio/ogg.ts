/**
 * Ogg pages (RFC 3533): packets of one logical stream into pages with their checksums, and pages into packets again.
 *
 *     packets ─► lacing values ─► pages         bytes ─► pages, each checked ─► packets
 */

/** A packet whose last part lies on this page, and how far the stream is at the page's end. */
export interface OggPacket {
  readonly bytes: Uint8Array
  /** Of the page the packet ends on: samples at the codec's own rate. −1n: the page says nothing. */
  readonly granule: bigint
  /** Whether it is the last that ends on its page. */
  readonly place: 'within' | 'last of page'
  readonly stream: number
  /** The page says that the stream begins, or ends, with it. */
  readonly edge: 'begin' | 'end' | null
}

/** The bytes are no Ogg file that can be read. The message holds nothing of the content. */
export class OggError extends Error {
  override readonly name = 'OggError'
}

const CAPTURE = 0x4f676753
const HEADER_BYTES = 27
const MAX_SEGMENTS = 255
const CONTINUED = 1
const FIRST = 2
const LAST = 4
/** A packet of audio is far smaller; only comments with pictures are large, and those are not for us. */
const MAX_PACKET_BYTES = 1024 * 1024

/** Makes the pages of one stream. */
export class OggWriter {
  readonly #serial: number
  #sequence = 0

  /** `serial`: 32 bits that name the stream. */
  constructor(serial: number) {
    this.#serial = serial >>> 0
  }

  /** One page with whole packets. Throws a RangeError for more than a page holds: 255 lacing values. */
  page(packets: readonly Uint8Array[], granule: bigint, edge: 'begin' | 'end' | null = null): Uint8Array {
    const lacing = packets.flatMap(({ length }) => [
      ...Array<number>(Math.floor(length / 255)).fill(255),
      length % 255,
    ])
    if (lacing.length > MAX_SEGMENTS) throw new RangeError(`${lacing.length} lacing values in an Ogg page`)
    const head = HEADER_BYTES + lacing.length
    const out = new Uint8Array(head + packets.reduce((sum, { length }) => sum + length, 0))
    const view = new DataView(out.buffer)
    view.setUint32(0, CAPTURE)
    out[5] = edge === 'begin' ? FIRST : edge === 'end' ? LAST : 0
    view.setBigInt64(6, granule, true)
    view.setUint32(14, this.#serial, true)
    view.setUint32(18, this.#sequence++, true)
    out[26] = lacing.length
    out.set(lacing, HEADER_BYTES)
    let at = head
    for (const packet of packets) {
      out.set(packet, at)
      at += packet.length
    }
    view.setUint32(22, checksum(out), true)
    return out
  }
}

/**
 * The packets of a whole file, in order, of all its streams. Pages whose checksum is wrong, and what stands between pages, are
 * passed over; a packet that misses a part is left out. Throws `OggError` where no page begins the file.
 */
export function* oggPackets(file: Uint8Array): Generator<OggPacket> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < HEADER_BYTES || view.getUint32(0) !== CAPTURE) throw new OggError('not an Ogg file')
  /** Of each stream: the parts of a packet that goes on on a later page. */
  const open = new Map<number, Uint8Array[]>()
  const lastOf = new Map<number, number>()
  for (let at = 0; at + HEADER_BYTES <= file.length; ) {
    const page = view.getUint32(at) === CAPTURE ? pageAt(file, view, at) : undefined
    if (!page) {
      at++
      continue
    }
    at = page.end
    const { stream, sequence } = page
    const whole = lastOf.get(stream) === sequence - 1
    lastOf.set(stream, sequence)
    // A page was lost: what it ended, or began, cannot be put together.
    const before = whole && page.continued ? open.get(stream) : undefined
    open.delete(stream)
    yield* packetsOf(page, before, (rest) => open.set(stream, rest))
  }
}

interface Page {
  readonly stream: number
  readonly sequence: number
  readonly granule: bigint
  readonly continued: boolean
  readonly edge: 'begin' | 'end' | null
  readonly lacing: Uint8Array
  readonly body: Uint8Array
  readonly end: number
}

function pageAt(file: Uint8Array, view: DataView, at: number): Page | undefined {
  const segments = file[at + 26]!
  const head = at + HEADER_BYTES + segments
  if (file[at + 4] !== 0 || head > file.length) return undefined
  const lacing = file.subarray(at + HEADER_BYTES, head)
  const end = head + lacing.reduce((sum, value) => sum + value, 0)
  if (end > file.length) return undefined
  if (checksum(file.subarray(at, end)) !== view.getUint32(at + 22, true)) return undefined
  const flags = file[at + 5]!
  return {
    stream: view.getUint32(at + 14, true),
    sequence: view.getUint32(at + 18, true),
    granule: view.getBigInt64(at + 6, true),
    continued: (flags & CONTINUED) !== 0,
    edge: flags & FIRST ? 'begin' : flags & LAST ? 'end' : null,
    lacing,
    body: file.subarray(head, end),
    end,
  }
}

function* packetsOf(
  page: Page,
  before: readonly Uint8Array[] | undefined,
  goesOn: (parts: Uint8Array[]) => void,
): Generator<OggPacket> {
  const { stream, granule, lacing, body, edge } = page
  const last = lacing.findLastIndex((value) => value < 255)
  let parts: Uint8Array[] | undefined = page.continued ? before && [...before] : []
  let at = 0
  let size = 0
  for (const [i, value] of lacing.entries()) {
    size += value
    if (value === 255) continue
    const end = body.subarray(at, at + size)
    const place = i === last ? 'last of page' : 'within'
    if (parts) yield { bytes: joined([...parts, end]), granule, place, stream, edge }
    at += size
    size = 0
    parts = []
  }
  if (size === 0 || !parts) return
  parts.push(body.subarray(at))
  if (parts.reduce((sum, { length }) => sum + length, 0) <= MAX_PACKET_BYTES) goesOn(parts)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** CRC-32 of polynomial 0x04C11DB7, not reflected, from 0: RFC 3533 section 6, the checksum's own field as zeros. */
function checksum(page: Uint8Array): number {
  let crc = 0
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!
    crc = (crc << 8) ^ CRC[((crc >>> 24) ^ byte) & 0xff]!
  }
  return crc >>> 0
}

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  return crc
})
