/** 16-bit samples in bytes. */

/** Views them where alignment allows, copies where not: good until the bytes change. Half a sample at the end is left out. */
export function samplesOf(audio: Uint8Array): Int16Array {
  const length = audio.byteLength >> 1
  if (audio.byteOffset % 2 === 0) return new Int16Array(audio.buffer, audio.byteOffset, length)
  // A `Buffer`'s own `slice` would be a view again.
  return new Int16Array(new Uint8Array(audio.subarray(0, 2 * length)).buffer)
}
