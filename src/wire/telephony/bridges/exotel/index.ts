/**
 * Exotel: the Voicebot applet for the sound, HTTP Basic from the user and password of its address for the proof. An applet
 * whose address begins with `https:` asks it for the one of the socket.
 */
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, StreamTarget, WebhookRequest } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { readOptions } from '../options.ts'
import { essentialFirst } from '../parameters.ts'
import { ExotelCodec } from './codec.ts'
import { EXOTEL_CONTROL_OPTIONS, exotelControl } from './control.ts'

/**
 * A message is a multiple of 320 bytes, from 3.2 kB to 100 kB, or gaps are heard: 200 ms is 3,200 bytes at 8 kHz and 9,600 at
 * 24. Nothing tells whether cleared marks come back; they are not counted on.
 */
export const EXOTEL_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 200,
  lastMessage: 'filled',
  clear: 'silent',
  marks: 'dropped',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'stop',
  reconnects: 'yes',
}

/** Throws `BridgeSettingError`. */
export function exotel(setting: BridgeSetting): Bridge {
  const options = readOptions(setting, EXOTEL_CONTROL_OPTIONS)
  const { accountSid, apiKey, apiToken, flowId, region, baseUrl } = options
  return {
    name: 'exotel',
    caps: EXOTEL_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new ExotelCodec(),
    recognises: ({ event, start }) => {
      const { stream_sid, call_sid, account_sid } = asFields(start) ?? {}
      return event === 'start' && [stream_sid, call_sid, account_sid].every((id) => typeof id === 'string')
    },
    webhook: {
      prove: () => 'none',
      facts: (request) => ({
        callId: factOf(request, 'CallSid'),
        from: factOf(request, 'CallFrom') ?? factOf(request, 'From'),
        to: factOf(request, 'CallTo') ?? factOf(request, 'To'),
      }),
      answer: (target) => ({
        contentType: 'application/json',
        body: JSON.stringify({ url: addressOf(target) }),
      }),
      // No address: the applet fails, and the flow goes on with the one after it.
      refuse: () => ({ contentType: 'application/json', body: '{}' }),
    },
    ...(accountSid && apiKey && apiToken && flowId
      ? {
          control: exotelControl({
            accountSid,
            apiKey: () => apiKey,
            apiToken: () => apiToken,
            flowId,
            region,
            baseUrl,
          }),
        }
      : {}),
  }
}

/** It asks with GET, so the facts stand in the query. */
function factOf({ query, fields }: WebhookRequest, name: string): string | null {
  return query[name] ?? fields[name] ?? null
}

/** Parameters come back as `custom_parameters`: three, 256 characters in all, is what Exotel takes. */
function addressOf({ url, parameters }: StreamTarget): string {
  let query = ''
  for (const [name, value] of essentialFirst(parameters).slice(0, 3)) {
    const pair = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
    if (query.length + pair.length + 1 > 256) break
    query += `${query ? '&' : '?'}${pair}`
  }
  return url + query
}
