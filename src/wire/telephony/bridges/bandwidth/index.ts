/**
 * Bandwidth: a bidirectional `<StartStream>` for the sound, BXML for incoming calls. It signs nothing: its webhooks and its
 * sockets show a user and a password by HTTP Basic.
 */
import { z } from 'zod'
import { MULAW_8K, PCM16_24K } from '../../../../audio/format.ts'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, StreamTarget } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { readOptions } from '../options.ts'
import { essentialFirst } from '../parameters.ts'
import { xml, xmlText } from '../xml.ts'
import { BandwidthCodec } from './codec.ts'
import { BANDWIDTH_CONTROL_OPTIONS, bandwidthControl } from './control.ts'

/** Nothing is documented of its buffer. */
export const BANDWIDTH_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'silent',
  marks: 'none',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'stop',
  reconnects: 'yes',
}

const OPTIONS = {
  ...BANDWIDTH_CONTROL_OPTIONS,
  /** What it is sent: µ-law, or linear sound at 24 kHz, which Bandwidth brings down itself. */
  codec: z.enum(['pcmu', 'pcm']).default('pcmu'),
}

const CONTENT_TYPE = 'application/xml'
const STREAM = 'parley'
/** Bandwidth takes no more `<StreamParam>`. */
const MAX_PARAMETERS = 12

/** Throws `BridgeSettingError`. */
export function bandwidth(setting: BridgeSetting): Bridge {
  const options = readOptions(setting, OPTIONS)
  const { codec, accountId, applicationId, apiUser, apiPassword, baseUrl } = options
  return {
    name: 'bandwidth',
    caps: BANDWIDTH_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new BandwidthCodec(codec === 'pcmu' ? MULAW_8K : PCM16_24K),
    recognises: ({ eventType, metadata }) => {
      const { callId, streamId } = asFields(metadata) ?? {}
      return eventType === 'start' && typeof callId === 'string' && typeof streamId === 'string'
    },
    webhook: {
      prove: () => 'none',
      facts: ({ fields }) => ({
        callId: fields['callId'] ?? null,
        from: fields['from'] ?? null,
        to: fields['to'] ?? null,
      }),
      answer: (target) => ({ contentType: CONTENT_TYPE, body: startStream(target, setting) }),
      refuse: () => ({ contentType: CONTENT_TYPE, body: xml('<Response><Hangup/></Response>') }),
    },
    ...(accountId && applicationId && apiUser && apiPassword
      ? {
          control: bandwidthControl({
            accountId,
            applicationId,
            apiUser,
            apiPassword: () => apiPassword,
            baseUrl,
          }),
        }
      : {}),
  }
}

/**
 * The stream runs beside the document, whose end is the call's: so `<StopStream wait="true">` stands after it until the
 * socket closes.
 */
function startStream({ url, parameters }: StreamTarget, { username, password }: BridgeSetting): string {
  const attributes = {
    name: STREAM,
    mode: 'bidirectional',
    tracks: 'inbound',
    destination: url,
    ...(password ? { destinationUsername: username ?? '', destinationPassword: password.reveal() } : {}),
  }
  const start = Object.entries(attributes).map(([name, value]) => ` ${name}="${xmlText(value)}"`)
  const children = essentialFirst(parameters)
    .slice(0, MAX_PARAMETERS)
    .map(([name, value]) => `<StreamParam name="${xmlText(name)}" value="${xmlText(value)}"/>`)
  return xml(
    `<Response><StartStream${start.join('')}>${children.join('')}</StartStream>` +
      `<StopStream name="${STREAM}" wait="true"/></Response>`,
  )
}
