/** Ogg Opus files: what was written is read back where it was, and nothing from outside breaks the reader. */
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { OggError, OggWriter, oggPackets } from '../../src/audio/ogg.ts'
import { decodeOggOpus, OggOpusEncoder } from '../../src/audio/ogg-opus.ts'
import { loadOpus } from '../../src/audio/opus.ts'

beforeAll(loadOpus)

const HOUR_MS = 3_600_000

function tone(ms: number): Uint8Array {
  const samples = Int16Array.from(
    { length: 24 * ms },
    (_, i) => 9000 * Math.sin((2 * Math.PI * 220 * i) / 24_000),
  )
  return new Uint8Array(samples.buffer)
}

function written(pcm: Uint8Array, chunk: number): Uint8Array {
  const encoder = new OggOpusEncoder(7)
  const parts = [encoder.head()]
  for (let at = 0; at < pcm.length; at += chunk) parts.push(encoder.encode(pcm.subarray(at, at + chunk)))
  parts.push(encoder.end())
  encoder.close()
  return Buffer.concat(parts)
}

function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(new Uint8Array(bytes).buffer)
}

test('a sound comes back as long as it was, at the moment it was', () => {
  // A click of sound in silence: its place tells whether what is skipped is right.
  const pcm = new Uint8Array(48_000)
  pcm.set(tone(100), 24_000)
  const got = samplesOf(decodeOggOpus(written(pcm, 4_000), HOUR_MS))
  expect(got.length).toBe(24_000)
  const loud = got.findIndex((sample) => Math.abs(sample) > 2000)
  expect(Math.abs(loud - 12_000)).toBeLessThan(24 * 3)
})

test('any length in any chunks is one sound of that length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 1, max: 4000 }), (samples, chunk) => {
      const pcm = new Uint8Array(samples * 2).fill(3)
      expect(decodeOggOpus(written(pcm, chunk * 2), HOUR_MS).length).toBe(samples * 2)
    }),
    { numRuns: 40 },
  )
})

test('the checksum is that of the standard, computed bit by bit', () => {
  const page = new OggWriter(9).page([tone(3)], 1n)
  expect(sealed(page.slice())).toEqual(page)
})

test('other programs read the file, where one is there', () => {
  const probe = spawnSync('ffmpeg', ['-v', 'error', '-i', '-', '-f', 's16le', '-ar', '24000', '-'], {
    input: written(tone(500), 960),
    maxBuffer: 1 << 24,
  })
  if (probe.error) return console.log('skipped: ffmpeg is not here (apt install ffmpeg)')
  expect(probe.stderr.toString()).toBe('')
  expect(Math.abs(probe.stdout.length - 24_000)).toBeLessThan(100)
})

describe('packets through pages', () => {
  test('a packet longer than a page goes on on the next', () => {
    const packet = new Uint8Array(70_000).fill(5)
    const bytes = pagesOf(packet)
    const packets = [...oggPackets(bytes)]
    expect(packets.map(({ bytes: one }) => one.length)).toEqual([70_000])
  })

  test('a page that was damaged is passed over, and a packet that began on it', () => {
    const ogg = new OggWriter(1)
    const pages = [1, 2, 3].map((value) => ogg.page([new Uint8Array(10).fill(value)], BigInt(value)))
    pages[1]![30] = 99
    const packets = [...oggPackets(Buffer.concat(pages))]
    expect(packets.map(({ bytes }) => bytes[0])).toEqual([1, 3])
  })

  test('what is no Ogg file says so', () => {
    expect(() => [...oggPackets(new Uint8Array(100))]).toThrow(OggError)
    expect(() => decodeOggOpus(Buffer.from('OggS'), HOUR_MS)).toThrow(OggError)
    expect(() => decodeOggOpus(new OggWriter(1).page([Buffer.from('vorbis')], 0n, 'begin'), HOUR_MS)).toThrow(
      'holds no Opus',
    )
  })

  test('a sound over the limit is not decoded to its end', () => {
    expect(() => decodeOggOpus(written(tone(1000), 960), 500)).toThrow('too long')
  })

  test('damaged anywhere, cut anywhere: a sound or an OggError', () => {
    const file = written(tone(700), 960)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(file.length),
        (marks, length) => {
          const bytes = file.slice(0, length)
          for (const [at, value] of marks) if (at < length) bytes[at] = value
          try {
            decodeOggOpus(bytes, HOUR_MS)
          } catch (error) {
            expect(error).toBeInstanceOf(OggError)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** As another writer would lay it: 255 full segments, then the rest. */
function pagesOf(packet: Uint8Array): Uint8Array {
  const whole = new OggWriter(3)
  const full = rawPage(whole, packet.subarray(0, 255 * 255))
  const rest = whole.page([packet.subarray(255 * 255)], 1n)
  rest[5] = 1
  return Buffer.concat([full, sealed(rest)])
}

function rawPage(ogg: OggWriter, body: Uint8Array): Uint8Array {
  // A page of 254 segments and one that ends, whose ending is taken away.
  const page = Buffer.from(ogg.page([body.subarray(0, 255 * 255 - 1)], -1n))
  const out = Buffer.concat([page, Buffer.from([body.at(-1)!])])
  out[27 + 254] = 255
  return sealed(out)
}

function sealed(page: Uint8Array): Uint8Array {
  let crc = 0
  page.fill(0, 22, 26)
  for (const byte of page) {
    crc = (crc ^ (byte << 24)) >>> 0
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80000000 ? 0x04c11db7 : 0)) >>> 0
  }
  new DataView(page.buffer, page.byteOffset).setUint32(22, crc, true)
  return page
}
