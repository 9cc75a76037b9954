/** What a double of one bridge adds to a phone: its messages, its formats, its manners. One file a bridge. */
import type { AudioFormat } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import type { LineMessage } from './line.ts'
import type { Playback, PlaybackOptions } from './playback.ts'

/** Who calls whom. The same on every connection of a call. */
export interface CallFacts {
  readonly callId: string
  readonly from: string
  readonly to: string
  readonly parameters: Readonly<Record<string, string>>
}

export interface PhoneDialect {
  readonly name: string
  /** The caller's sound, as the server gets it. */
  readonly inputFormat: AudioFormat
  /** The sound that the server is to send. */
  readonly outputFormat: AudioFormat
  /** Of the caller's sound in one message. */
  readonly frameMs: number
  readonly silence: 'sent' | 'withheld'
  /** What becomes of marks when the sound before them is thrown away. */
  readonly marksOnClear: 'echoed' | 'dropped'
  readonly protocols: readonly string[]
  /** How much it holds, and what it says when it holds much. Left out: whatever comes. */
  readonly holds?: Pick<PlaybackOptions, 'limitMs' | 'flow'>
  /** Of the upgrade; names in lower case. */
  headers(url: string): Readonly<Record<string, string>>
  /** Where it dials, if the call's facts are in the address; left out: as it was told. */
  address?(url: string, call: CallFacts): string
  /** `stream`: 1 for the first connection of the call. */
  connect(call: CallFacts, stream: number): PhoneWire
}

/** One connection: its ids and its counters. */
export interface PhoneWire {
  /** Before the greeting: what it may ask for by itself, as long as the line is there. */
  opened?(ear: PhoneEar): void
  closed?(): void
  /** When the connection is open, before any sound. */
  greeting(): readonly LineMessage[]
  /** `placeMs`: where in the stream it begins. */
  sound(bytes: Uint8Array, placeMs: number): LineMessage
  digit(digit: string, placeMs: number): readonly LineMessage[]
  /** The mark was played, or its sound thrown away. */
  marked(name: string): readonly LineMessage[]
  cleared(): readonly LineMessage[]
  /** The caller hung up; the connection is closed after it. */
  goodbye(): readonly LineMessage[]
  /** Checks a message of the server and tells what it asks for. */
  hear(message: LineMessage, ear: PhoneEar): void
}

/** What a server's message asks a phone to do. */
export interface PhoneEar {
  /** For the record: what kind of message it was. */
  kind(name: string): void
  /** In the output format: of both linear formats the little-endian one. */
  sound(bytes: Uint8Array): void
  /** To be told when it was played. */
  mark(name: string): void
  clear(): void
  /** The server ends the call by a message. */
  hangUp(): void
  /** Sent at once. */
  reply(message: LineMessage): void
  /** As long as the phone is whole. */
  later(ms: number, act: () => void): Timer
  /** It broke the bridge's rules. */
  mistake(text: string): void
  readonly playback: Playback
}
