/** The bridges of the settings, each with its secrets and the key its calls act for. */
import type { Problem } from '../../config/problem.ts'
import type { BridgeSetting, Settings } from '../../config/settings.ts'
import type { SessionOrigin } from '../../session/session.ts'
import type { Bridge, BridgeName, Surroundings } from './bridge.ts'
import { asterisk } from './bridges/asterisk/index.ts'
import { audiohook } from './bridges/audiohook/index.ts'
import { audiosocket } from './bridges/audiosocket/index.ts'
import { bandwidth } from './bridges/bandwidth/index.ts'
import { exotel } from './bridges/exotel/index.ts'
import { infobip } from './bridges/infobip/index.ts'
import { jambonz } from './bridges/jambonz/index.ts'
import { BridgeSettingError } from './bridges/options.ts'
import { plivo } from './bridges/plivo/index.ts'
import { signalwire } from './bridges/signalwire/index.ts'
import { telnyx } from './bridges/telnyx/index.ts'
import { twilio } from './bridges/twilio/index.ts'
import { vonage } from './bridges/vonage/index.ts'
import type { Gate } from './http/admission.ts'

/** How each bridge is made of its setting. */
export const BRIDGE_KINDS: Readonly<
  Record<BridgeName, (setting: BridgeSetting, surroundings?: Surroundings) => Bridge>
> = {
  twilio,
  signalwire,
  exotel,
  telnyx,
  plivo,
  bandwidth,
  vonage,
  jambonz,
  infobip,
  audiohook,
  asterisk,
  audiosocket,
}

export interface Line extends Gate {
  readonly key: SessionOrigin['key']
}

export type Lines = ReadonlyMap<string, Line>

export function linesOf(
  settings: Settings,
  surroundings: Surroundings = {},
): {
  readonly lines: Lines
  readonly problems: readonly Problem[]
} {
  const lines = new Map<string, Line>()
  const problems: Problem[] = []
  const open = settings.keys.length === 0
  for (const setting of Object.values(settings.telephony)) {
    const fail = (message: string) => problems.push({ ...setting.at, severity: 'error', message })
    const make = Object.hasOwn(BRIDGE_KINDS, setting.name)
      ? BRIDGE_KINDS[setting.name as BridgeName]
      : undefined
    if (!make) {
      fail(
        `telephony.${setting.name}: there is no such bridge; there are ${Object.keys(BRIDGE_KINDS).join(', ')}`,
      )
      continue
    }
    try {
      lines.set(setting.name, {
        bridge: make(setting, surroundings),
        setting,
        open,
        key: keyOf(settings, setting),
      })
    } catch (error) {
      if (!(error instanceof BridgeSettingError)) throw error
      fail(`telephony.${setting.name}.${error.member} ${error.message}`)
    }
  }
  return { lines, problems }
}

function keyOf({ keys }: Settings, { key }: BridgeSetting): SessionOrigin['key'] {
  const found = keys.find(({ id }) => id === key)
  return found ? { id: found.id, attributes: found.attributes } : null
}

/** Of the subprotocols that a bridge asks for the one that is its own; for `ws`. */
export function chooseSubprotocol(lines: Lines, path: string, asked: ReadonlySet<string>): string | false {
  const name = path.split(/[/?]/)[3] ?? ''
  return lines.get(name)?.bridge.subprotocols.find((one) => asked.has(one)) ?? false
}
