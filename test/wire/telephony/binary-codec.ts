/** What a codec finds in messages, sorted: for bridges with binary sound, of which the length is enough. */
import type { BridgeCodec, BridgeEvents, CallStart, Frame } from '../../../src/wire/telephony/bridge.ts'

export class Found {
  readonly starts: CallStart[] = []
  /** All but starts and sound, in order. */
  readonly events: string[] = []
  readonly replies: Frame[] = []
  soundBytes = 0
}

/** What it finds in them, in order; an object is a text message. */
export function read(codec: BridgeCodec, ...messages: readonly (object | Buffer)[]): Found {
  const found = new Found()
  const note = (name: string) => (what?: string) => void found.events.push(what ? `${name} ${what}` : name)
  const events: BridgeEvents = {
    start: (start) => void found.starts.push(start),
    audio: (bytes) => void (found.soundBytes += bytes.length),
    digit: note('digit'),
    marked: note('marked'),
    cleared: note('cleared'),
    flow: note('flow'),
    reply: (frame) => void found.replies.push(frame),
    stop: note('stop'),
    complaint: note('complaint'),
  }
  for (const message of messages) {
    if (Buffer.isBuffer(message)) codec.read(message, 'binary', events)
    else codec.read(Buffer.from(JSON.stringify(message)), 'text', events)
  }
  return found
}
