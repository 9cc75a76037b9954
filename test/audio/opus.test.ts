/** Opus: what goes in comes out, what is lost is concealed, and no packet from outside breaks anything. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { loadOpus, OpusCodec, OpusPacketError } from '../../src/audio/opus.ts'

beforeAll(loadOpus)

/** A voice of sorts: a gliding tone with overtones, swelling three times a second. */
function voice(sampleRateHz: number, ms: number): Int16Array {
  const samples = new Int16Array((sampleRateHz * ms) / 1000)
  let phase = 0
  for (let i = 0; i < samples.length; i++) {
    const s = i / sampleRateHz
    phase += (2 * Math.PI * (150 + 40 * Math.sin(2 * s))) / sampleRateHz
    const swell = 0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * s)
    samples[i] = 9000 * swell * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3 * phase))
  }
  return samples
}

function framesOf(samples: Int16Array, frameBytes: number): Uint8Array[] {
  const bytes = new Uint8Array(samples.buffer)
  return Array.from({ length: Math.floor(bytes.length / frameBytes) }, (_, i) =>
    bytes.subarray(i * frameBytes, (i + 1) * frameBytes),
  )
}

function samplesOf(parts: readonly Uint8Array[]): Int16Array {
  return new Int16Array(new Uint8Array(Buffer.concat(parts)).buffer)
}

/** Signal to noise in dB at the delay that fits best. */
function snr(sent: Int16Array, got: Int16Array): number {
  let best = -Infinity
  for (let shift = 0; shift < 800; shift++) {
    let signal = 0
    let noise = 0
    for (let i = 4000; i + shift < got.length && i < sent.length; i++) {
      signal += sent[i]! ** 2
      noise += (sent[i]! - got[i + shift]!) ** 2
    }
    best = Math.max(best, 10 * Math.log10(signal / (noise + 1)))
  }
  return best
}

function power(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length)
}

test.each([24_000, 48_000] as const)('a voice at %d Hz comes back as it was', (rate) => {
  const codec = new OpusCodec(rate)
  const sent = voice(rate, 2000)
  const packets = framesOf(sent, codec.frameBytes).map((frame) => codec.encode(frame))
  expect(packets.reduce((sum, packet) => sum + packet.length, 0)).toBeLessThan(14_000)
  const got = samplesOf(packets.map((packet) => codec.decode(packet)))
  expect(got.length).toBe(sent.length)
  // Of the waveform: the voice coder's high-pass moves phases, which nobody hears. Noise or a wrong byte order is below 0.
  expect(snr(sent, got)).toBeGreaterThan(6)
  codec.close()
})

test('a lost packet is concealed by sound as long, and a long gap fades', () => {
  const codec = new OpusCodec()
  const packets = framesOf(voice(24_000, 1000), codec.frameBytes).map((frame) => codec.encode(frame))
  const got: Uint8Array[] = []
  packets.forEach((packet, i) => void got.push(i % 10 === 9 ? codec.conceal() : codec.decode(packet)))
  expect(got.map((part) => part.length)).toEqual(packets.map(() => codec.frameBytes))
  const lost = samplesOf(got.filter((_, i) => i % 10 === 9))
  expect(power(lost)).toBeGreaterThan(power(samplesOf(got)) / 3)
  const gap = Array.from({ length: 50 }, () => codec.conceal())
  expect(power(samplesOf(gap.slice(-5)))).toBeLessThan(power(lost) / 2)
  codec.close()
})

test('before the first packet, what is concealed is silence', () => {
  const codec = new OpusCodec()
  expect(codec.conceal()).toEqual(new Uint8Array(codec.frameBytes))
  codec.close()
})

test('packets from outside are decoded or refused, and the codec goes on', () => {
  const codec = new OpusCodec()
  const good = codec.encode(framesOf(voice(24_000, 20), codec.frameBytes)[0]!)
  for (const bad of [
    new Uint8Array(0),
    new Uint8Array(100_000),
    new Uint8Array([0xff]),
    new Uint8Array([3, 0]),
  ])
    expect(() => codec.decode(bad)).toThrow(OpusPacketError)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 1500 }), (packet) => {
      try {
        const pcm = codec.decode(packet)
        expect(pcm.length % 2).toBe(0)
        expect(pcm.length).toBeLessThanOrEqual(120 * 48)
      } catch (error) {
        expect(error).toBeInstanceOf(OpusPacketError)
      }
      expect(codec.decode(good).length).toBe(codec.frameBytes)
      expect(codec.conceal().length).toBe(codec.frameBytes)
    }),
    { numRuns: 2000 },
  )
  codec.close()
})

test('two hundred codecs at once do not disturb each other', () => {
  const sent = voice(24_000, 200)
  const run = (codec: OpusCodec) =>
    framesOf(sent, codec.frameBytes).map((frame) =>
      Buffer.from(codec.decode(codec.encode(frame))).toString('hex'),
    )
  const alone = new OpusCodec()
  const expected = run(alone)
  const codecs = Array.from({ length: 200 }, () => new OpusCodec())
  for (const codec of codecs) expect(run(codec)).toEqual(expected)
  for (const codec of [alone, ...codecs]) codec.close()
})
