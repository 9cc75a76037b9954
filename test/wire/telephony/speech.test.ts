import { expect, test } from 'vitest'
import { loadAudio } from '../../../src/audio/convert.ts'
import { msToBytes } from '../../../src/audio/format.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { EXOTEL_CAPS } from '../../../src/wire/telephony/bridges/exotel/index.ts'
import type { Link } from '../../../src/wire/telephony/call/link.ts'
import { Speech } from '../../../src/wire/telephony/call/speech.ts'

test('a sentence that ends inside a message of a bridge that takes whole ones alone does not cut it short', async () => {
  await loadAudio()
  const format = { encoding: 'pcm16', sampleRateHz: 8_000 } as const
  const speech = new Speech({ clock: new VirtualClock(), caps: EXOTEL_CAPS, format })
  const sent: (number | string)[] = []
  const codec = { audio: (bytes: Uint8Array) => bytes.length, mark: (name: string) => name }
  const link = { codec, send: (frame: number | string) => void sent.push(frame) } as unknown as Link
  const place = { responseId: 'r', itemId: 'i', outputIndex: 0, contentIndex: 0 }
  const frame = (tag: number) =>
    speech.say(
      {
        type: 'answerAudio',
        audio: new Uint8Array(msToBytes(format, 20)),
        parts: [{ tag, ms: 20 }],
        ...place,
      },
      link,
    )
  for (let at = 0; at < 25; at++) frame(at < 7 ? 0 : 1)
  expect(sent).toEqual([3_200, 3_200, 'p1'])
  expect(speech.finish(link)).toBe(100)
  expect(sent).toEqual([3_200, 3_200, 'p1', 3_200, 'p2'])
})
