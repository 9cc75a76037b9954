/** A writer's memory is the writer's, also where it is a `Buffer`, whose `slice` is no copy. */
import { expect, test } from 'vitest'
import { MULAW_8K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import { AudioSender } from '../../src/provider/audio-sender.ts'
import type { Socket } from '../../src/provider/socket.ts'

test('sound that waits for its frame is not changed by what its writer does with the memory', () => {
  const sent: number[][] = []
  const socket: Socket = {
    sendText: () => {},
    sendBinary: (bytes) => void sent.push([...bytes]),
    messages: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
    closed: new Promise(() => {}),
    bufferedAmount: 0,
    close: () => {},
    terminate: () => {},
  }
  const sender = new AudioSender(socket, MULAW_8K, { minMs: 2, maxMs: 100 }, new VirtualClock())
  const memory = Buffer.alloc(8, 1)
  sender.write(memory)
  memory.fill(2)
  sender.write(memory)
  expect(sent).toEqual([[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]])
})
