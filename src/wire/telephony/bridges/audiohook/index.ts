/** Genesys Cloud Audio Connector: AudioHook for the sound, `X-API-KEY` and a signature on the upgrade for the proof. */
import { z } from 'zod'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, Proof, Upgrade } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { sameSignature } from '../twilio/signature.ts'
import { AudioHookCodec } from './codec.ts'
import { Nonces } from './nonces.ts'
import { nonceOfSigned, SIGNATURE_LIFE_MS } from './signature.ts'

/**
 * Messages of 1,600 bytes of µ-law keep below its rate limit (`error` 429). It tells when an answer was played and not how far it
 * came, so the clock alone tells that.
 */
export const AUDIOHOOK_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 200,
  lastMessage: 'filled',
  clear: 'silent',
  marks: 'none',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'stop',
  reconnects: 'never',
}

const OPTIONS = {
  /** As it stands in Genesys Cloud; shown in `X-API-KEY`. */
  apiKey: z.string().min(1).optional(),
}

/** Throws `BridgeSettingError`. */
export function audiohook(setting: BridgeSetting): Bridge {
  const { apiKey } = readOptions(setting, OPTIONS)
  const secret = setting.authToken
  if (setting.username !== null) throw new BridgeSettingError('username', 'AudioHook shows no user name')
  if (secret !== null && apiKey === undefined)
    throw new BridgeSettingError('apiKey', 'is wanted beside the client secret: the signature names it')
  const nonces = new Nonces(SIGNATURE_LIFE_MS)
  return {
    name: 'audiohook',
    caps: AUDIOHOOK_CAPS,
    signs: true,
    subprotocols: [],
    prove: (upgrade) =>
      apiKey === undefined ? 'none' : proofOf({ apiKey, secret: secret?.reveal() ?? null, nonces }, upgrade),
    open: () => new AudioHookCodec(),
    recognises: ({ version, type, id, parameters }) =>
      version === '2' &&
      type === 'open' &&
      typeof id === 'string' &&
      typeof asFields(parameters)?.['conversationId'] === 'string',
  }
}

interface Known {
  readonly apiKey: string
  readonly secret: string | null
  readonly nonces: Nonces
}

/** Without a client secret the key is all there is. Over the configured address: what a proxy leaves of it was never signed. */
function proofOf({ apiKey, secret, nonces }: Known, upgrade: Upgrade): Proof {
  const { headers, publicUrl, path, receivedAtMs } = upgrade
  const key = headers['x-api-key']
  if (typeof key !== 'string') return 'none'
  if (!sameSignature(key, apiKey)) return 'wrong'
  if (secret === null) return 'proved'
  if (headers['signature'] === undefined) return 'none'
  if (publicUrl === null) return 'wrong'
  const { host, pathname } = new URL(publicUrl)
  const requestTarget = pathname.replace(/\/+$/, '') + path
  const signed = { requestTarget, authority: host, headers, receivedAtMs }
  const nonce = nonceOfSigned(apiKey, secret, signed)
  return nonce !== undefined && nonces.take(nonce, receivedAtMs) === 'new' ? 'proved' : 'wrong'
}
