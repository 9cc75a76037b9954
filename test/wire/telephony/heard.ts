/** What a codec finds in messages, written down. */
import type { BridgeCodec, BridgeEvents } from '../../../src/wire/telephony/bridge.ts'

/** Sound in hexadecimal. */
export function heardBy(codec: BridgeCodec) {
  const heard: unknown[][] = []
  const note =
    (name: keyof BridgeEvents) =>
    (...facts: unknown[]): void =>
      void heard.push([name, ...facts])
  const events: BridgeEvents = {
    start: (start) => note('start')({ ...start, parameters: { ...start.parameters } }),
    audio: (bytes, placeMs) => note('audio')(Buffer.from(bytes).toString('hex'), placeMs),
    digit: note('digit'),
    marked: note('marked'),
    cleared: note('cleared'),
    flow: note('flow'),
    reply: note('reply'),
    stop: note('stop'),
    complaint: note('complaint'),
  }
  const read = (message: Buffer, kind: 'text' | 'binary') => codec.read(message, kind, events)
  return {
    heard,
    read,
    text: (text: string) => read(Buffer.from(text), 'text'),
    binary: (bytes: Uint8Array) => read(Buffer.from(bytes), 'binary'),
  }
}
