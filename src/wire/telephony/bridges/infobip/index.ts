/**
 * Infobip Calls' WebSocket endpoint: no documented way to take sound back or to have it marked. What it was sent will be heard, so it
 * is sent little ahead.
 */
import { randomUUID } from 'node:crypto'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps } from '../../bridge.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { InfobipCodec } from './codec.ts'
import { INFOBIP_CONTROL_OPTIONS, infobipControl } from './control.ts'

export const INFOBIP_CAPS: BridgeCaps = {
  leadMs: 160,
  messageMs: 20,
  lastMessage: 'filled',
  clear: 'none',
  marks: 'none',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'close',
  reconnects: 'never',
}

/** Throws `BridgeSettingError`. */
export function infobip(setting: BridgeSetting): Bridge {
  const { apiKey, baseUrl } = readOptions(setting, INFOBIP_CONTROL_OPTIONS)
  if (setting.authToken !== null)
    throw new BridgeSettingError('authToken', 'Infobip signs nothing; use token, or username and password')
  return {
    name: 'infobip',
    caps: INFOBIP_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new InfobipCodec(randomUUID()),
    // Its first message is Vonage's: on the path of all it is taken for that.
    recognises: () => false,
    ...(apiKey && baseUrl ? { control: infobipControl({ apiKey: () => apiKey, baseUrl }) } : {}),
  }
}
