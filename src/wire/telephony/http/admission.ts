/**
 * Who may open a media socket. Judged before the upgrade, by the bridge's signature, a token or a password; where none of
 * them can be shown there, by a token in the parameters of `start`.
 *
 *     signature ─ wrong ─► refused        token, password ─ wrong ─► refused
 *         └ right ─► admitted                 └ right ─► admitted      none ─► at its start, or refused
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BridgeSetting } from '../../../config/settings.ts'
import type { Bridge, CallStart, Proof, Upgrade } from '../bridge.ts'
import { type CallTokens, TOKEN_PARAMETER, type TokenFacts } from './tokens.ts'

export interface Gate {
  readonly bridge: Bridge
  readonly setting: BridgeSetting
  /** Whether the server answers anybody: no keys are configured, and only this machine reaches it. */
  readonly open: boolean
}

/** `at-start`: it must show a token in its parameters. */
export type Admission = 'admitted' | 'at-start' | 'refused'

/** `pathToken`: what stands behind the bridge's name in the path. */
export function admit(gate: Gate, upgrade: Upgrade, pathToken: string | undefined): Admission {
  const { bridge, setting, open } = gate
  const own = bridge.prove(upgrade)
  if (own === 'wrong') return 'refused'
  const shown = shownToken(setting, upgrade, pathToken)
  if (shown === 'wrong') return 'refused'
  if (own === 'proved' || shown === 'proved') return 'admitted'
  // A bridge that signs signs always: without it, it is somebody else.
  if (setting.authToken !== null && bridge.signs) return 'refused'
  const wants = setting.token !== null || setting.username !== null || setting.password !== null
  return open && !wants ? 'admitted' : 'at-start'
}

/** At the start of one that was not admitted before. The facts of a one-time token, or that the operator's own was right. */
export function admitAtStart(
  { bridge, setting }: Gate,
  { parameters }: CallStart,
  tokens: CallTokens,
): TokenFacts | 'admitted' | undefined {
  const token = parameters[TOKEN_PARAMETER]
  if (token === undefined) return undefined
  if (setting.token && same(token, setting.token.reveal())) return 'admitted'
  const facts = tokens.take(token)
  return facts?.bridge === bridge.name && facts.transferTo === undefined ? facts : undefined
}

/** A token in the path, the query or as a bearer, or a name and a password. All that are shown must be right. */
export function shownToken(
  setting: BridgeSetting,
  { query, headers }: Upgrade,
  pathToken: string | undefined,
): Proof {
  const authorization = headers.authorization ?? ''
  const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1]
  const tokens = [pathToken, query['token'], bearer].filter((one) => one !== undefined)
  if (tokens.length > 0) {
    const right = setting.token?.reveal()
    return right !== undefined && tokens.every((one) => same(one, right)) ? 'proved' : 'wrong'
  }
  const basic = /^basic +(\S+) *$/i.exec(authorization)?.[1]
  if (basic === undefined) return 'none'
  if (setting.password === null) return 'wrong'
  const right = `${setting.username ?? ''}:${setting.password.reveal()}`
  return same(Buffer.from(basic, 'base64').toString('utf8'), right) ? 'proved' : 'wrong'
}

/** In constant time, whatever their lengths. */
function same(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(right))
}
