/**
 * Asterisk's chan_websocket: `Dial(WebSocket/NAME/c(slin16))` opens a socket a call to us. It shows a user name and a password
 * (HTTP Basic), or a token in the connection's `uri`; it signs nothing.
 *
 * From Asterisk 20.16, 21.11, 22.6 and 23.0; driven by `npm run test:asterisk` with 22.10.1.
 */
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps } from '../../bridge.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { AsteriskCodec } from './codec.ts'
import { ASTERISK_CONTROL_OPTIONS, asteriskControl } from './control.ts'

/** It holds 18 s, says when that is too much, and plays at the pace of listening. */
export const ASTERISK_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'silent',
  marks: 'dropped',
  // Frames come as the far side sends them: 441 in 21 s were seen, and none between two sounds that were played.
  silence: 'withheld',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'close',
  // A broken socket ends Asterisk's channel.
  reconnects: 'never',
}

/** Throws `BridgeSettingError`. */
export function asterisk(setting: BridgeSetting): Bridge {
  const options = readOptions(setting, ASTERISK_CONTROL_OPTIONS)
  const { baseUrl, ariUser, ariPassword, endpoint, context, extension } = options
  if (setting.authToken !== null)
    throw new BridgeSettingError('authToken', 'Asterisk signs nothing: want password')
  return {
    name: 'asterisk',
    caps: ASTERISK_CAPS,
    signs: false,
    subprotocols: ['media'],
    prove: () => 'none',
    open: (query) => new AsteriskCodec(query),
    // In its plain spelling the first message is no JSON: the one path that all may use knows only the other.
    recognises: ({ event, channel_id, optimal_frame_size }) =>
      event === 'MEDIA_START' && typeof channel_id === 'string' && optimal_frame_size !== undefined,
    ...(baseUrl && ariUser && ariPassword
      ? {
          control: asteriskControl({
            baseUrl,
            ariUser,
            ariPassword: () => ariPassword,
            ...(endpoint && context && extension ? { out: { endpoint, context, extension } } : {}),
          }),
        }
      : {}),
  }
}
