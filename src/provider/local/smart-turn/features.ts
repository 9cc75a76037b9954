/**
 * What Smart Turn hears: Whisper's log-mel picture of the last 8 s, as its authors document it. 16 kHz audio of
 * mean 0 and variance 1 over the whole 8 s, shorter audio behind zeros; frames of 25 ms every 10 ms, centred, mirrored
 * at the ends, under a periodic Hann window; power through 80 mel bands (Slaney's scale and area norm, 0 to 8 kHz);
 * log10, no more than 8 below the loudest, (x + 4) / 4. Out: 80 rows of 800.
 */
import { complex, FRAME_SAMPLES, transform } from './fourier.ts'

export const FEATURE_BANDS = 80
export const FEATURE_FRAMES = 800
const RATE_HZ = 16_000
const HOP_SAMPLES = 160
export const HEARD_SAMPLES = HOP_SAMPLES * FEATURE_FRAMES
const BINS = FRAME_SAMPLES / 2 + 1
const HALF = FRAME_SAMPLES / 2
const VARIANCE_FLOOR = 1e-7
const POWER_FLOOR = 1e-10
const RANGE = 8

const WINDOW = Float64Array.from(
  { length: FRAME_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME_SAMPLES),
)

interface Band {
  readonly firstBin: number
  readonly weights: Float64Array
}

const BANDS: readonly Band[] = melBands()

/** At most the last 8 s of `samples`. Returns [80 × 800], row by row. */
export function features(samples: Int16Array): Float32Array {
  const padded = prepared(samples)
  const out = new Float32Array(FEATURE_BANDS * FEATURE_FRAMES)
  const [data, scratch] = [complex(), complex()]
  const power = [new Float64Array(BINS), new Float64Array(BINS)] as const
  let loudest = Number.NEGATIVE_INFINITY
  const silent = firstHeardFrame(samples.length)
  // Frames of padding alone are all alike: one is computed, and two of the others at a time.
  for (let frame = Math.max(0, silent - 1); frame < FEATURE_FRAMES; frame += 2) {
    fill(padded, frame, data.re)
    fill(padded, Math.min(frame + 1, FEATURE_FRAMES - 1), data.im)
    transform(data, scratch)
    split(data, power)
    for (let one = 0; one < 2 && frame + one < FEATURE_FRAMES; one++) {
      loudest = Math.max(loudest, bandsInto(out, frame + one, power[one]!))
    }
  }
  for (let band = 0; band < FEATURE_BANDS; band++) {
    const row = band * FEATURE_FRAMES
    // The very first frame mirrors the padding into itself, so it is like the rest.
    out.fill(out[row + Math.max(0, silent - 1)]!, row, row + Math.max(0, silent - 1))
  }
  const floor = loudest - RANGE
  for (let i = 0; i < out.length; i++) out[i] = (Math.max(out[i]!, floor) + 4) / 4
  return out
}

/** The first frame that reaches into the audio behind the padding. */
function firstHeardFrame(length: number): number {
  const padding = HEARD_SAMPLES - Math.min(length, HEARD_SAMPLES)
  return Math.max(0, Math.ceil((padding - HALF + 1) / HOP_SAMPLES))
}

/** 8 s, normalised, with the mirrored half frame at both ends. */
function prepared(samples: Int16Array): Float64Array {
  const heard = samples.length > HEARD_SAMPLES ? samples.subarray(-HEARD_SAMPLES) : samples
  let sum = 0
  let squares = 0
  for (const sample of heard) {
    sum += sample
    squares += sample * sample
  }
  const scale = 1 / 32_768
  const mean = (sum / HEARD_SAMPLES) * scale
  const variance = (squares / HEARD_SAMPLES) * scale * scale - mean * mean
  const gain = 1 / Math.sqrt(Math.max(0, variance) + VARIANCE_FLOOR)
  const out = new Float64Array(HEARD_SAMPLES + 2 * HALF).fill(-mean * gain)
  const from = HALF + HEARD_SAMPLES - heard.length
  for (let i = 0; i < heard.length; i++) out[from + i] = (heard[i]! * scale - mean) * gain
  const last = HALF + HEARD_SAMPLES - 1
  for (let i = 1; i <= HALF; i++) {
    out[HALF - i] = out[HALF + i]!
    out[last + i] = out[last - i]!
  }
  return out
}

function fill(padded: Float64Array, frame: number, into: Float64Array): void {
  const from = frame * HOP_SAMPLES
  for (let i = 0; i < FRAME_SAMPLES; i++) into[i] = padded[from + i]! * WINDOW[i]!
}

/** The power spectra of the two real frames that went in as real and imaginary part. */
function split(
  { re, im }: { re: Float64Array; im: Float64Array },
  power: readonly [Float64Array, Float64Array],
) {
  for (let bin = 0; bin < BINS; bin++) {
    const mirror = (FRAME_SAMPLES - bin) % FRAME_SAMPLES
    const [a, b, c, d] = [re[bin]!, im[bin]!, re[mirror]!, im[mirror]!]
    power[0][bin] = ((a + c) ** 2 + (b - d) ** 2) / 4
    power[1][bin] = ((b + d) ** 2 + (c - a) ** 2) / 4
  }
}

/** Returns the loudest. */
function bandsInto(out: Float32Array, frame: number, power: Float64Array): number {
  let loudest = Number.NEGATIVE_INFINITY
  BANDS.forEach(({ firstBin, weights }, band) => {
    let sum = 0
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[firstBin + i]!
    const log = Math.log10(Math.max(sum, POWER_FLOOR))
    out[band * FEATURE_FRAMES + frame] = log
    if (log > loudest) loudest = log
  })
  return loudest
}

/** Slaney's scale: 15 mel to 1 kHz, even steps; above, 27 mel to a factor of 6.4. */
function melOf(hz: number): number {
  return hz < 1000 ? (hz * 3) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4)
}

function hzOf(mel: number): number {
  return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27)
}

/** Triangles between neighbouring mel points, each of area 1. */
function melBands(): Band[] {
  const top = melOf(RATE_HZ / 2)
  const points = Array.from({ length: FEATURE_BANDS + 2 }, (_, i) => hzOf((top * i) / (FEATURE_BANDS + 1)))
  const binHz = RATE_HZ / FRAME_SAMPLES
  return Array.from({ length: FEATURE_BANDS }, (_, band) => {
    const [low, mid, high] = points.slice(band, band + 3) as [number, number, number]
    const firstBin = Math.ceil(low / binHz)
    const lastBin = Math.min(BINS - 1, Math.floor(high / binHz))
    const weights = Float64Array.from({ length: lastBin - firstBin + 1 }, (_, i) => {
      const hz = (firstBin + i) * binHz
      return (2 / (high - low)) * Math.max(0, Math.min((hz - low) / (mid - low), (high - hz) / (high - mid)))
    })
    return { firstBin, weights }
  })
}
