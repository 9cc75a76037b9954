/** A microphone that never stops: what is said goes in at once or in real time, silence follows like in a room. */
import { realClock } from '../../src/clock.ts'
import { type Microphone, speak } from '../../src/command/talk/microphone.ts'

/** In real time, 20 ms of PCM16 at 24 kHz each time; silence after it until `stop`. */
export function say(audio: Uint8Array, send: (base64: string) => void): Microphone {
  return speak(audio, realClock, (chunk) => send(Buffer.from(chunk).toString('base64')))
}

/** As fast as it goes, in events of 100 ms. */
export function blurt(audio: Uint8Array, send: (base64: string) => void): void {
  const bytes = Buffer.from(audio)
  for (let at = 0; at < bytes.length; at += 4_800) send(bytes.subarray(at, at + 4_800).toString('base64'))
}
