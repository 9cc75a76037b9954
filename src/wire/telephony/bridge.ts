/**
 * What every telephone bridge is to the rest of Parley: the media socket's messages read and written, what the bridge can
 * do, and how it proves that it is the one the operator means. One folder a bridge below this one fulfils it.
 *
 *     bytes ─► BridgeCodec.read ─► BridgeEvents ─► Call ─► session          session ─► Call ─► BridgeCodec ─► bytes
 *
 * A codec knows its protocol and nothing else: no clock, no socket, no session. `Call` asks `caps` and never a bridge's name.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { AudioFormat } from '../../audio/format.ts'

export const BRIDGES = [
  'twilio',
  'signalwire',
  'exotel',
  'telnyx',
  'plivo',
  'bandwidth',
  'vonage',
  'jambonz',
  'infobip',
  'asterisk',
  'audiosocket',
  'audiohook',
] as const
export type BridgeName = (typeof BRIDGES)[number]

/** What a bridge can do. Data, for `Call` to act by. */
export interface BridgeCaps {
  /**
   * How far ahead of playback it is sent sound, ms. 1,000–3,000 where it can be cleared, 60–200 where it cannot (what was
   * sent is then heard, whatever happens) or where we own its clock.
   */
  readonly leadMs: number
  /** How much sound one message holds at least, ms, a multiple of 20; the end of an answer may have less. */
  readonly messageMs: number
  /** Whether the last message of an answer is filled up with silence to `messageMs`. 20 ms frames are always whole. */
  readonly lastMessage: 'short' | 'filled'
  /** Whether what it holds can be taken back, and whether it says that it did. */
  readonly clear: 'acknowledged' | 'silent' | 'none'
  /**
   * What becomes of marks: `echoed`: each comes back, when played or when cleared; `dropped`: those that were cleared never
   * do; `none`: it has no marks, and the clock alone tells what was heard.
   */
  readonly marks: 'echoed' | 'dropped' | 'none'
  /** What the caller's silence is: frames like any other, or no frames at all. */
  readonly silence: 'sent' | 'withheld'
  /** What it must be sent while nothing is said: nothing, or silence at the pace of listening lest it hang up. */
  readonly idle: 'nothing' | 'silence'
  /** Whether the caller's frames come in order; `sort`: by the place that `audio` was given. */
  readonly order: 'kept' | 'sort'
  /** Whether it says goodbye (`stop`) before it closes; if not, an orderly close is the end of the call. */
  readonly goodbye: 'stop' | 'close'
  /** Whether a call whose socket broke may come back on a new one, by the same call id. */
  readonly reconnects: 'yes' | 'never'
}

/** A message to the far side: a string is a text message. */
export type Frame = string | Uint8Array

/** What a call begins with. */
export interface CallStart {
  /** The bridge's own id of the call: a reconnect has the same. */
  readonly callId: string
  /** `parameters`: no message is the bridge's own word for the id; it was among the parameters, or is made up. Left out: the bridge's. */
  readonly idFrom?: 'parameters'
  /** Of this stream of the call; null: the bridge has none. */
  readonly streamId: string | null
  /** The sound we get, and the sound we give. Mono. */
  readonly inputFormat: AudioFormat
  readonly outputFormat: AudioFormat
  /** E.164 or as the bridge writes it; null: it does not say. */
  readonly from: string | null
  readonly to: string | null
  /** Given by whoever configured or placed the call. Bounded: 64 of them, 1,024 characters each. */
  readonly parameters: Readonly<Record<string, string>>
}

/** What a codec finds in a message. Called in the order of the message, before `read` returns. */
export interface BridgeEvents {
  /** May come twice: `Call` refuses the second. */
  start(start: CallStart): void
  /**
   * The caller's sound, in the start's input format, valid after the call. `placeMs`: where in the stream it begins, by the
   * bridge's own clock, where frames may come out of order.
   */
  audio(bytes: Uint8Array, placeMs?: number): void
  /** One of `0-9 * # A-D`. */
  digit(digit: string): void
  /** The mark of that name came back. */
  marked(name: string): void
  /** It has thrown away what it held. */
  cleared(): void
  /** It wants no more sound for now, or wants it again. */
  flow(state: 'hold' | 'go'): void
  /** Housekeeping of the protocol: to be sent back as it is, ahead of sound. */
  reply(frame: Frame): void
  /** The caller hung up, or the bridge ends the stream. */
  stop(): void
  /** It complains about something we sent. `code`: its own short word for it, never a sentence. */
  complaint(code: string): void
}

/** One connection's half of the protocol. Keeps ids and sequence numbers. */
export interface BridgeCodec {
  /** Throws `BridgeMistake` for what the bridge cannot have meant; unknown messages and members are passed over. */
  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void
  /** Sound in the output format: whole 20 ms frames. */
  audio(bytes: Uint8Array): Frame
  /** Comes back as `marked` when what was sent before it was played. null: the bridge has no marks. */
  mark(name: string): Frame | null
  /** Throws away what the bridge holds. null: it cannot. */
  clear(): Frame | null
  /** What is said before the server closes the socket; null: nothing. */
  goodbye(why: 'completed' | 'error'): Frame | null
}

/** A message that breaks the bridge's protocol. The message names the fault and never quotes what came. */
export class BridgeMistake extends Error {
  override readonly name = 'BridgeMistake'
}

/** A start that cannot be served, such as a format that is not spoken: the stream is ended at once, and the log says why. */
export class BridgeRefused extends BridgeMistake {}

/** What an upgrade request shows. */
export interface Upgrade {
  /** With the query, as it was asked. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** `https://voice.example.com`, from the settings; null: not configured. */
  readonly publicUrl: string | null
  /** Unix epoch ms. Signatures with a time in them are good for seconds or minutes. */
  readonly receivedAtMs: number
}

/** `proved`: it is the bridge. `wrong`: it showed a proof, and it is not right. `none`: it showed none. */
export type Proof = 'proved' | 'wrong' | 'none'

/** A bridge with its setting. */
export interface Bridge {
  readonly name: BridgeName
  readonly caps: BridgeCaps
  /** Whether it signs its upgrades, with `authToken`. */
  readonly signs: boolean
  /** The WebSocket subprotocols it asks for; one that it names is echoed. */
  readonly subprotocols: readonly string[]
  /** Its own proof on the upgrade: a signature. Tokens and passwords, which are the same for all, are not its business. */
  prove(upgrade: Upgrade): Proof
  /** `query`: of the upgrade, for bridges that give the call's parameters there. */
  open(query?: Readonly<Record<string, string>>): BridgeCodec
  /** Whether the first text message of a socket is this bridge's `start`: for the one path that all may use. */
  recognises(first: Readonly<Record<string, unknown>>): boolean
  /** Where it connects to; left out: over WebSocket, as nearly all. */
  readonly tcp?: TcpPort
  /** Answers its webhook for an incoming call; left out: it has none. */
  readonly webhook?: BridgeWebhook
  /** Its interface for calls in progress and new ones; left out: none, or no credentials for it. */
  readonly control?: CallControl
}

/** A port of a bridge that speaks over bare TCP. */
export interface TcpPort {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Addresses, and networks such as `10.1.0.0/16`, that may connect. */
  readonly allow: readonly string[]
  /** Open at the same time; one more is cut. */
  readonly maxConnections: number
}

/** A request of the bridge's webhook. */
export interface WebhookRequest extends Upgrade {
  readonly rawBody: Buffer
  /** Form fields or the members of the JSON body that are text. */
  readonly fields: Readonly<Record<string, string>>
}

/** Where the media socket shall go. */
export interface StreamTarget {
  /** `wss://…/v1/telephony/NAME`. Has no query. */
  readonly url: string
  /** Handed to `CallStart.parameters`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** What a bridge is told of the server it is a bridge of. */
export interface Surroundings {
  /** Where the document that sends a call to `to` is given once; left out: nothing of ours can be reached. */
  readonly transferUrl?: (bridge: BridgeName, to: string) => string
}

export interface BridgeWebhook {
  /** Its signature over the whole request. */
  prove(request: WebhookRequest): Proof
  /** `own`: its `Authorization` is part of that, and no token of the operator's. */
  readonly bearer?: 'own'
  /** What the request says of the call. */
  facts(request: WebhookRequest): {
    readonly callId: string | null
    readonly from: string | null
    readonly to: string | null
  }
  /** The document that connects the call to the stream. */
  answer(target: StreamTarget): { readonly contentType: string; readonly body: string }
  /** The document that sends the call to `to`; left out: the bridge is told by its REST interface. */
  transfer?(to: string): { readonly contentType: string; readonly body: string }
  /** The document that ends the call: no room for it. `busy`: try again. */
  refuse(why: 'busy' | 'failed'): { readonly contentType: string; readonly body: string }
}

export interface DialRequest {
  /** E.164, checked. */
  readonly to: string
  readonly from: string
  readonly target: StreamTarget
  /**
   * Where our webhook answers for this very call, with the target's parameters in its query: for bridges that ask for the
   * document instead of being given it. Left out: no public address is configured.
   */
  readonly answerUrl?: string
  readonly signal: AbortSignal
}

/** The bridge's REST interface. Throws `CallControlError`. */
export interface CallControl {
  dial?(request: DialRequest): Promise<{ readonly callId: string }>
  /** Resolves as well where the call is over already. */
  hangUp(callId: string, signal: AbortSignal): Promise<void>
  /** The call goes to `to` (E.164 or a SIP address), and leaves us. */
  transfer?(callId: string, to: string, signal: AbortSignal): Promise<void>
  /** Keys to the other end, of `0-9 * # w`; not empty. */
  sendDigits?(callId: string, digits: string, signal: AbortSignal): Promise<void>
}

/** Why the bridge's REST interface did not do it. Holds none of its sentences. */
export class CallControlError extends Error {
  override readonly name = 'CallControlError'
  constructor(
    readonly kind: 'auth' | 'refused' | 'rate' | 'unreachable' | 'gone',
    message: string,
  ) {
    super(message)
  }
}
