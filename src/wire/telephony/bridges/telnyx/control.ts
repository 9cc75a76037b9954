/**
 * Telnyx Call Control v2: a call is placed with its stream in the request. Shapes of npm `telnyx` 7.24.0 (resources/calls),
 * read 2026-11-25. 422 with code 90018: the call has ended. A dial has no `custom_parameters`; they go as JSON in
 * `client_state`, which the stream's `start` brings back.
 */
import { z } from 'zod'
import { type CallControl, CallControlError } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, callIdOf, json, orGone, pathOf, type RestPlace, restOf } from '../rest.ts'

export const TELNYX_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  apiKey: z.string().min(1).max(1000).optional(),
  connectionId: z.string().min(1).max(100).optional(),
}

export interface TelnyxCredentials extends RestPlace {
  readonly apiKey: () => string
  /** The Call Control application; left out: no calls out. */
  readonly connectionId?: string
  /** Of both directions. Must be what the codec of the calls expects. */
  readonly codec: 'PCMU' | 'PCMA' | 'L16'
  readonly sampleRateHz: 8000 | 16000 | 24000
  /** Shown by Telnyx on the media socket; left out: none. */
  readonly streamToken?: () => string
}

export function telnyxControl(credentials: TelnyxCredentials): CallControl {
  const { apiKey, connectionId, codec, sampleRateHz, streamToken, ...place } = credentials
  const rest = restOf({
    ...place,
    name: 'Telnyx',
    standardUrl: 'https://api.telnyx.com/v2',
    authorization: () => `Bearer ${apiKey()}`,
    codeOf: ({ errors }) => asFields(Array.isArray(errors) ? errors[0] : undefined)?.['code'],
    gone: (_status, code) => code === '90018',
  })
  const act = (callId: string, action: string, body: object, signal: AbortSignal) =>
    rest({ method: 'POST', path: pathOf('calls', callId, 'actions', action), body: json(body), signal })
  return {
    ...(connectionId && {
      async dial({ to, from, target, signal }) {
        const body = json({
          connection_id: connectionId,
          to,
          from,
          stream_url: target.url,
          stream_track: 'inbound_track',
          stream_codec: codec,
          // Without these what we send is not played.
          stream_bidirectional_mode: 'rtp',
          stream_bidirectional_codec: codec,
          stream_bidirectional_sampling_rate: sampleRateHz,
          client_state: Buffer.from(JSON.stringify(target.parameters)).toString('base64'),
          ...(streamToken && { stream_auth_token: streamToken() }),
        })
        const made = asFields(await rest({ method: 'POST', path: '/calls', body, signal }))
        return callIdOf('Telnyx', asFields(made?.['data'])?.['call_control_id'])
      },
    }),
    hangUp: (callId, signal) => orGone(act(callId, 'hangup', {}, signal)),
    async transfer(callId, to, signal) {
      await act(callId, 'transfer', { to }, signal)
    },
    async sendDigits(callId, digits, signal) {
      if (digits === '') throw new CallControlError('refused', 'there are no digits')
      await act(callId, 'send_dtmf', { digits }, signal)
    },
  }
}
