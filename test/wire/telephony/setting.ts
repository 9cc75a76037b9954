/** A bridge's setting as the settings file would give it. */
import { Secret } from '../../../src/config/secret.ts'
import type { BridgeSetting } from '../../../src/config/settings.ts'

export function settingOf(
  name: string,
  given: {
    readonly authToken?: string
    readonly token?: string
    readonly username?: string
    readonly password?: string
    readonly options?: Readonly<Record<string, unknown>>
  } = {},
): BridgeSetting {
  const secret = (value: string | undefined) => (value === undefined ? null : new Secret(value))
  return {
    name,
    authToken: secret(given.authToken),
    token: secret(given.token),
    username: given.username ?? null,
    password: secret(given.password),
    key: null,
    pipeline: null,
    from: null,
    dial: [],
    options: given.options ?? {},
    at: { file: 'parley.yaml', line: 1, column: 1 },
  }
}
