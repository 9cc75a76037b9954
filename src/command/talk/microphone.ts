/**
 * A recording in the part of a microphone: 20 ms of it every 20 ms, then silence, as a real one goes on sending
 * when its owner falls silent. The server's end-of-speech detection needs that silence.
 */
import { bytesToMs, msToBytes, PCM16_24K } from '../../audio/format.ts'
import type { Clock } from '../../clock.ts'
import { delay } from '../../clock.ts'

export const CHUNK_MS = 20

export interface Microphone {
  /** Resolves when the last chunk of the recording was sent; silence follows. */
  readonly spoken: Promise<void>
  /** Ends the silence. Idempotent. */
  stop(): void
}

/** `speech` is PCM16 at 24 kHz; `send` gets chunks of exactly 20 ms. */
export function speak(speech: Uint8Array, clock: Clock, send: (chunk: Uint8Array) => void): Microphone {
  const chunkBytes = msToBytes(PCM16_24K, CHUNK_MS)
  const speechMs = bytesToMs(PCM16_24K, speech.length)
  let stopped = false
  let markSpoken: () => void = () => {}
  const spoken = new Promise<void>((resolve) => {
    markSpoken = resolve
  })

  const run = async () => {
    const startedAt = clock.now()
    for (let n = 0; !stopped; n++) {
      const chunk = new Uint8Array(chunkBytes)
      chunk.set(speech.subarray(n * chunkBytes, (n + 1) * chunkBytes))
      send(chunk)
      const sentMs = (n + 1) * CHUNK_MS
      if (sentMs >= speechMs) markSpoken()
      // Against the start and not the last chunk, so that late timers do not add up.
      await delay(clock, startedAt + sentMs - clock.now())
    }
  }
  void run()
  return {
    spoken,
    stop() {
      stopped = true
    },
  }
}
