import { expect, test } from 'vitest'
import { ItemAudio, MAX_ITEM_AUDIO_BYTES } from '../../src/session/item-audio.ts'

const ramp = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251)

test('frames of any length come back as one sound, whole', () => {
  const audio = new ItemAudio()
  const said = ramp(100_000)
  for (let at = 0, length = 1; at < said.length; at += length, length = (length * 7 + 3) % 5000) {
    audio.append('a', said.subarray(at, at + length))
  }
  expect(Buffer.compare(audio.get('a')!, said)).toBe(0)
})

test('what the wire does with its frame afterwards changes nothing', () => {
  const audio = new ItemAudio()
  const frame = ramp(160)
  audio.append('a', frame)
  frame.fill(0)
  expect(Buffer.compare(audio.get('a')!, ramp(160))).toBe(0)
})

test('a cut item holds its beginning and goes on from there', () => {
  const audio = new ItemAudio()
  audio.append('a', ramp(10_000))
  audio.truncate('a', 4000)
  audio.append('a', ramp(100, 4000))
  expect(Buffer.compare(audio.get('a')!, ramp(4100))).toBe(0)
})

test('the oldest items leave when there is no more room', () => {
  const audio = new ItemAudio()
  const large = Math.floor(MAX_ITEM_AUDIO_BYTES * 0.45)
  for (const id of ['a', 'b', 'c']) audio.append(id, new Uint8Array(large))
  expect(audio.get('a')).toBeNull()
  expect(audio.get('c')).toHaveLength(large)
  audio.forget('c')
  expect(audio.get('c')).toBeNull()
})

test('where nobody can ask for it, nothing is kept', () => {
  const audio = new ItemAudio(() => 'never')
  audio.append('a', ramp(10_000))
  expect(audio.get('a')).toBeNull()
  audio.truncate('a', 100)
  audio.forget('a')
})
