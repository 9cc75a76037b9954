/**
 * Vonage's Voice WebSocket, both directions: linear sound in binary messages of exactly 20 ms, everything else as JSON text.
 * https://developer.vonage.com/en/voice/voice-api/guides/websockets, read 2026-11-25. No message names the call: what does
 * came in the `headers` of the document that connected it, which stand in the first message as they were given.
 */
import type { AudioFormat } from '../../../../audio/format.ts'
import type { BridgeCodec, BridgeEvents, CallStart, Frame } from '../../bridge.ts'
import { BridgeMistake } from '../../bridge.ts'
import { asFields, digitOf, type Fields, idOf, parametersOf, partiesOf, readJson } from '../message.ts'

/** Members of the first message that are the bridge's own. */
const OWN_MEMBERS = ['event', 'content-type']
const MAX_ID_CHARS = 256
const RATES = [8_000, 16_000, 24_000]

export class VonageCodec implements BridgeCodec {
  /** `callId`: of a call whose parameters hold none. */
  constructor(private readonly callId: string) {}

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    if (kind === 'binary') return events.audio(linearSound(message))
    const fields = readJson(message, kind)
    switch (fields['event']) {
      case 'websocket:connected':
        return events.start(startOf(fields, ['callId', 'uuid'], this.callId))
      case 'websocket:dtmf': {
        const digit = digitOf(fields['digit'] ?? fields['dtmf'])
        return digit === undefined ? undefined : events.digit(digit)
      }
      case 'websocket:notify':
        return events.marked(idOf(asFields(fields['payload']) ?? {}, 'name'))
      case 'websocket:cleared':
        return events.cleared()
      case 'websocket:disconnected':
        return events.stop()
      default:
        return
    }
  }

  /** 20 ms: the bridge's `messageMs`. Vonage drops a connection over a message of another size. */
  audio(bytes: Uint8Array): Frame {
    return bytes
  }

  mark(name: string): Frame {
    return JSON.stringify({ action: 'notify', payload: { name } })
  }

  clear(): Frame {
    return '{"action":"clear"}'
  }

  /** The call goes on with the next action when the socket closes; there is nothing to say before. */
  goodbye(): null {
    return null
  }
}

/** Of the first message, as Vonage and Infobip have it: the format, and whatever was given for it. `idNames`: where the call's id may be. */
export function startOf(fields: Fields, idNames: readonly string[], otherwise: string): CallStart {
  const format = linearFormat(fields['content-type'])
  const own = Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN_MEMBERS.includes(name)))
  const parameters = parametersOf({ ...own, ...asFields(own['customData']) })
  return {
    callId: idNames.map((name) => parameters[name]).find(isId) ?? otherwise,
    idFrom: 'parameters',
    streamId: null,
    inputFormat: format,
    outputFormat: format,
    ...partiesOf({}, parameters),
    parameters,
  }
}

function isId(given: string | undefined): given is string {
  return given !== undefined && given !== '' && given.length <= MAX_ID_CHARS
}

/** Whole samples, or the connection lost its place. */
export function linearSound(message: Buffer): Uint8Array {
  if ((message.length & 1) !== 0) throw new BridgeMistake('half a sample of sound')
  return message
}

/** `audio/l16;rate=16000`. */
function linearFormat(contentType: unknown): AudioFormat {
  const rate = /^audio\/l16; ?rate=(\d{4,5})$/i.exec(typeof contentType === 'string' ? contentType : '')?.[1]
  const sampleRateHz = Number(rate)
  if (!RATES.includes(sampleRateHz)) throw new BridgeMistake('a content type that is not linear sound')
  return { encoding: 'pcm16', sampleRateHz }
}
