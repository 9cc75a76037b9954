/**
 * The discrete Fourier transform of 400 points, the frame of Whisper's features, in steps of 4, 4, 5 and 5
 * (Stockham's order, so nothing is permuted). Complex: two real frames go through at once.
 */
export const FRAME_SAMPLES = 400
const STEPS = [4, 4, 5, 5] as const
const N = FRAME_SAMPLES

const COS = Float64Array.from({ length: N }, (_, i) => Math.cos((2 * Math.PI * i) / N))
const SIN = Float64Array.from({ length: N }, (_, i) => -Math.sin((2 * Math.PI * i) / N))

export interface Complex {
  readonly re: Float64Array
  readonly im: Float64Array
}

export function complex(): Complex {
  return { re: new Float64Array(N), im: new Float64Array(N) }
}

/** Transforms `data`, using `scratch`; after an even number of steps the result lies in `data` again. */
export function transform(data: Complex, scratch: Complex): void {
  let [from, to] = [data, scratch]
  let left = N
  let stride = 1
  for (const radix of STEPS) {
    step(from, to, radix, left, stride)
    ;[from, to] = [to, from]
    left /= radix
    stride *= radix
  }
}

function step(from: Complex, to: Complex, radix: number, left: number, stride: number): void {
  const blocks = left / radix
  const turn = N / radix
  const twist = N / left
  const { re: fromRe, im: fromIm } = from
  const { re: toRe, im: toIm } = to
  for (let block = 0; block < blocks; block++) {
    for (let k = 0; k < radix; k++) {
      const twiddle = (twist * block * k) % N
      const [cos, sin] = [COS[twiddle]!, SIN[twiddle]!]
      const out = stride * (radix * block + k)
      for (let lane = 0; lane < stride; lane++) {
        let re = 0
        let im = 0
        for (let t = 0, angle = 0, at = lane + stride * block; t < radix; t++, at += stride * blocks) {
          const [c, s, x, y] = [COS[angle]!, SIN[angle]!, fromRe[at]!, fromIm[at]!]
          re += x * c - y * s
          im += x * s + y * c
          angle = (angle + turn * k) % N
        }
        toRe[out + lane] = re * cos - im * sin
        toIm[out + lane] = re * sin + im * cos
      }
    }
  }
}
