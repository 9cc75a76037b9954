/** Tones and noise, 16 bit, mono, at 16 kHz unless told otherwise. The same at each run. */

export function sine(hz: number, ms: number, amplitude: number, rateHz = 16_000): Int16Array {
  return tones([hz], ms, amplitude, rateHz)
}

/** All at once, each with `amplitude`. */
export function tones(hz: readonly number[], ms: number, amplitude: number, rateHz = 16_000): Int16Array {
  const w = hz.map((one) => (2 * Math.PI * one) / rateHz)
  return Int16Array.from({ length: (ms * rateHz) / 1000 }, (_, i) =>
    w.reduce((sum, step) => sum + amplitude * Math.sin(step * i), 0),
  )
}

export function noise(ms: number, amplitude: number, rateHz = 16_000): Int16Array {
  let seed = 1
  return Int16Array.from({ length: (ms * rateHz) / 1000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff
    return amplitude * ((seed / 0x4000_0000) * 1 - 1)
  })
}
