/**
 * Bytes that a media socket may send before it has shown whose it is. `ws` holds a message until it is whole, up to what clients
 * with a key may send: for strangers that is too much.
 */
import type { Socket } from 'node:net'

/** Four of the largest messages that a call may send. */
export const MAX_UNPROVED_BYTES = 256 * 1024

/** `cut` is called once it is more. Returns what ends the counting. */
export function limitUnproved(socket: Socket, cut: () => void): () => void {
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= MAX_UNPROVED_BYTES) return
    proved()
    cut()
  }
  const proved = () => void socket.off('data', count)
  socket.on('data', count)
  return proved
}
