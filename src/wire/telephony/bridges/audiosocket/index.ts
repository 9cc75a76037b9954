/**
 * Asterisk's AudioSocket: TCP on a port of its own, for Asterisks older than chan_websocket. No password, no caller's number, no
 * parameters, nothing to take back: chan_websocket is better in everything but age.
 *
 * `AudioSocket(uuid,host:port)` of the dialplan speaks 8 kHz; `Dial(AudioSocket/host:port/uuid/c(slin16))` other rates. Driven
 * by `npm run test:asterisk` with 22.10.1.
 */
import { z } from 'zod'
import { AUDIOSOCKET } from '../../../../config/defaults.ts'
import { type BridgeSetting, isLoopbackHost } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps } from '../../bridge.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { AudioSocketCodec, SOUND_TYPES } from './codec.ts'
import { isNetwork } from './listener.ts'

/** It queues nothing: sound is on its way to the caller as soon as Asterisk has it. */
export const AUDIOSOCKET_CAPS: BridgeCaps = {
  // What a telephone's jitter buffer takes at once.
  leadMs: 60,
  messageMs: 20,
  lastMessage: 'short',
  clear: 'none',
  marks: 'none',
  silence: 'withheld',
  // Without a byte for 2 s it hangs up (seen).
  idle: 'silence',
  order: 'kept',
  goodbye: 'close',
  reconnects: 'never',
}

const LOOPBACK = ['127.0.0.0/8', '::1']

const OPTIONS = {
  host: z.string().min(1).default(AUDIOSOCKET.host),
  port: z.int().min(1).max(65_535).default(AUDIOSOCKET.port),
  allow: z
    .array(z.string().refine(isNetwork, 'wants addresses, or networks such as 10.1.0.0/16'))
    .min(1)
    .max(100)
    .optional(),
  maxConnections: z.int().min(1).max(10_000).default(AUDIOSOCKET.maxConnections),
  sampleRateHz: z
    .int()
    .refine((rate) => SOUND_TYPES.has(rate), `wants one of ${[...SOUND_TYPES.keys()].join(', ')}`)
    .default(AUDIOSOCKET.sampleRateHz),
}

/** Throws `BridgeSettingError`. */
export function audiosocket(setting: BridgeSetting): Bridge {
  const { host, port, allow, maxConnections, sampleRateHz } = readOptions(setting, OPTIONS)
  for (const member of ['authToken', 'token', 'username', 'password'] as const) {
    if (setting[member] !== null)
      throw new BridgeSettingError(
        member,
        'cannot be shown by AudioSocket: want allow, the addresses that may connect',
      )
  }
  if (allow === undefined && !isLoopbackHost(host))
    throw new BridgeSettingError(
      'allow',
      'is missing: beyond this machine, name the addresses that may connect',
    )
  return {
    name: 'audiosocket',
    caps: AUDIOSOCKET_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new AudioSocketCodec(sampleRateHz),
    recognises: () => false,
    tcp: { host, port, allow: allow ?? LOOPBACK, maxConnections },
  }
}
