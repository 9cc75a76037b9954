/**
 * Infobip Calls' WebSocket endpoint (`WEBSOCKET_ENDPOINT`, dialled as a leg of a dialog): Vonage's first message and keys, linear
 * sound in binary messages of 20 ms, and no command at all. Read 2026-11-25 in two programs that speak it; `customData` of the leg
 * stands in the first message among its members. No message names the caller's call for sure.
 *
 * Its other stream (`mediaStreamConfigId`) begins with `{"callId":…,"sampleRate":…,"packetizationTime":…}` (github.com/infobip/
 * infobip-media-stream-showcase). That is a tap of the call: the caller hears nothing of what is sent into it.
 */
import type { BridgeCodec, BridgeEvents, Frame } from '../../bridge.ts'
import { BridgeRefused } from '../../bridge.ts'
import { type Fields, pressed, readJson } from '../message.ts'
import { linearSound, startOf } from '../vonage/codec.ts'

export class InfobipCodec implements BridgeCodec {
  /** `callId`: of a call whose parameters hold none. */
  constructor(private readonly callId: string) {}

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    if (kind === 'binary') return events.audio(linearSound(message))
    const fields = readJson(message, kind)
    if (isTap(fields))
      throw new BridgeRefused('a media stream, into which nothing can be said: dial a WebSocket endpoint')
    switch (fields['event']) {
      case 'websocket:connected':
        return events.start(startOf(fields, ['callId', 'call-id'], this.callId))
      case 'websocket:dtmf':
        return pressed(fields['digit'], events)
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return bytes
  }

  mark(): null {
    return null
  }

  clear(): null {
    return null
  }

  goodbye(): null {
    return null
  }
}

function isTap(fields: Fields): boolean {
  return fields['event'] === undefined && 'sampleRate' in fields && 'packetizationTime' in fields
}
