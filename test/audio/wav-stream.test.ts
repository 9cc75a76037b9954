import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PCM16_24K } from '../../src/audio/format.ts'
import { WavError } from '../../src/audio/wav.ts'
import { WavStream } from '../../src/audio/wav-stream.ts'
import { wavHeader } from '../../src/testing/tts/openai.ts'

const sound = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 7 + 1) % 256))
const LIST = Buffer.concat([Buffer.from('LIST'), Buffer.from([4, 0, 0, 0]), Buffer.from('abcd')])

function samplesOf(pieces: readonly Uint8Array[]): Buffer {
  const stream = new WavStream(PCM16_24K)
  return Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()])
}

describe('a WAV in pieces', () => {
  const plain = wavHeader(24_000, sound.length)
  test.each<[string, Buffer, Buffer]>([
    ['no header at all', sound, sound],
    ['a header with its length', Buffer.concat([plain, sound]), sound],
    ['a length of nought', Buffer.concat([wavHeader(24_000, 0), sound]), sound],
    ['the longest length', Buffer.concat([wavHeader(24_000, 0xffff_ffff), sound]), sound],
    [
      'a chunk before the samples',
      Buffer.concat([plain.subarray(0, 36), LIST, plain.subarray(36), sound]),
      sound,
    ],
    ['a chunk behind the samples', Buffer.concat([plain, sound, LIST]), sound],
    ['one WAV after the other', Buffer.concat([plain, sound, plain, sound]), Buffer.concat([sound, sound])],
    ['more sound than the header says', Buffer.concat([plain, sound, sound]), Buffer.concat([sound, sound])],
    ['two bytes, as a header begins', Buffer.from('RI'), Buffer.from('RI')],
    ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
  ])('%s: the samples and nothing else, wherever it is cut', (_, bytes, wanted) => {
    const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 })
    fc.assert(
      fc.property(cuts, (at) => {
        const ends = [...at.sort((a, b) => a - b), bytes.length]
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
        expect(samplesOf(pieces)).toEqual(wanted)
      }),
    )
  })

  const stereo = Buffer.from(plain)
  stereo.writeUInt16LE(2, 22)
  const float = Buffer.from(plain)
  float.writeUInt16LE(3, 20)
  const endless = Buffer.from(plain)
  endless.write('junk', 12)
  endless.writeUInt32LE(1_000_000, 16)
  test.each([
    ['another rate', wavHeader(22_050, 0)],
    ['two channels', stereo],
    ['floats', float],
    ['a header without end', endless],
    ['less sound than the header says', Buffer.concat([plain, sound.subarray(0, 100)])],
  ])('%s: refused', (_, bytes) => {
    expect(() => samplesOf([bytes])).toThrow(WavError)
  })
})
