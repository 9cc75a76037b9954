/**
 * Plivo: audio streams for the sound, Plivo XML for incoming calls, `X-Plivo-Signature-V3` for their proof. Nothing tells that
 * it signs the socket.
 */
import { z } from 'zod'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, StreamTarget, Surroundings } from '../../bridge.ts'
import { BYTE_ORDERS } from '../linear.ts'
import { asFields } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { xml, xmlText } from '../xml.ts'
import { PlivoCodec } from './codec.ts'
import { PLIVO_CONTROL_OPTIONS, plivoControl, plivoDialDocument } from './control.ts'
import { writeExtraHeaders } from './extra-headers.ts'
import { plivoProof } from './signature.ts'

/** Nothing is documented of its buffer. Its pages know no goodbye; the socket closes. */
export const PLIVO_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'acknowledged',
  marks: 'dropped',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'close',
  reconnects: 'yes',
}

const OPTIONS = {
  ...PLIVO_CONTROL_OPTIONS,
  /** Asked for in the document, of both directions. Linear sound at 8 kHz, Plivo's default, says no more than µ-law. */
  contentType: z
    .enum(['audio/x-mulaw;rate=8000', 'audio/x-l16;rate=8000', 'audio/x-l16;rate=16000'])
    .default('audio/x-mulaw;rate=8000'),
  /** Of linear sound. Not documented: as adapters that others ship have it. */
  byteOrder: z.enum(BYTE_ORDERS).default('little'),
}

const CONTENT_TYPE = 'text/xml; charset=utf-8'

/** Throws `BridgeSettingError`. */
export function plivo(setting: BridgeSetting, { transferUrl }: Surroundings = {}): Bridge {
  const { contentType, byteOrder, authId, baseUrl } = readOptions(setting, OPTIONS)
  const { authToken } = setting
  if (setting.username !== null) throw new BridgeSettingError('username', 'Plivo shows no user name')
  return {
    name: 'plivo',
    caps: PLIVO_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new PlivoCodec(byteOrder),
    recognises: ({ event, start }) => {
      const { streamId, callId } = asFields(start) ?? {}
      return event === 'start' && typeof streamId === 'string' && typeof callId === 'string'
    },
    webhook: {
      transfer: (to) => ({ contentType: 'text/xml; charset=utf-8', body: plivoDialDocument(to) }),
      prove: (request) => (authToken ? plivoProof(authToken.reveal(), request) : 'none'),
      facts: ({ fields, query }) => ({
        callId: fields['CallUUID'] ?? query['CallUUID'] ?? null,
        from: fields['From'] ?? query['From'] ?? null,
        to: fields['To'] ?? query['To'] ?? null,
      }),
      answer: (target) => ({ contentType: CONTENT_TYPE, body: stream(target, contentType) }),
      refuse: (why) => ({
        contentType: CONTENT_TYPE,
        body: xml(`<Response><Hangup reason="${why === 'busy' ? 'busy' : 'rejected'}"/></Response>`),
      }),
    },
    ...(authToken && authId
      ? {
          control: plivoControl({
            authId,
            authToken: () => authToken.reveal(),
            baseUrl,
            ...(transferUrl && { transferUrl: (to: string) => transferUrl('plivo', to) }),
          }),
        }
      : {}),
  }
}

function stream({ url, parameters }: StreamTarget, contentType: string): string {
  const extraHeaders = writeExtraHeaders(parameters)
  const attributes = {
    bidirectional: 'true',
    // Without it the elements after it are played while the stream runs, and the call ends after the last.
    keepCallAlive: 'true',
    contentType,
    ...(extraHeaders ? { extraHeaders } : {}),
  }
  const shown = Object.entries(attributes).map(([name, value]) => ` ${name}="${xmlText(value)}"`)
  return xml(`<Response><Stream${shown.join('')}>${xmlText(url)}</Stream></Response>`)
}
