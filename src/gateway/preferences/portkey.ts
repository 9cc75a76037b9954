/** Portkey's `x-portkey-` headers. The config itself is read by `portkey-config.ts`. */
import type { ClientKeys } from './credentials.ts'
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { type Headers, headerOf, jsonHeader } from './headers.ts'
import { MAX_PORTKEY_RETRIES } from './limits.ts'
import { configOf } from './portkey-config.ts'
import { millisecondsAt, nameAt, numeric, wholeAt } from './values.ts'
import { targetName, wishOf } from './wish.ts'

const PREFIX = 'x-portkey-'
/** Read here, or by whoever reads keys and metadata. */
const KNOWN = ['api-key', 'config', 'metadata', 'provider', 'retry-count', 'request-timeout', 'trace-id']

export function readPortkey(headers: Headers, model: string | null, keys: ClientKeys, draft: Draft): void {
  const names = Object.keys(headers).filter(
    (name) => name.startsWith(PREFIX) && headerOf(headers, name) !== undefined,
  )
  if (names.length === 0) return
  draft.spoken('portkey')
  if (names.includes(`${PREFIX}custom-host`))
    refuse(`${PREFIX}custom-host`, "is not taken: the server's settings say where it calls")
  if (names.includes(`${PREFIX}virtual-key`) && keys === 'refused')
    refuse(`${PREFIX}virtual-key`, "is not taken: the server calls with its own settings' credentials")
  for (const name of names) if (!KNOWN.includes(name.slice(PREFIX.length))) draft.ignore(name)
  const count = `${PREFIX}retry-count`
  const attempts = wholeAt(numeric(headerOf(headers, count)), count, { min: 0, max: MAX_PORTKEY_RETRIES })
  draft.say('retry', attempts === undefined ? undefined : { attempts, on: null }, count)
  const timeout = `${PREFIX}request-timeout`
  draft.say('timeoutMs', millisecondsAt(numeric(headerOf(headers, timeout)), timeout), timeout)
  const provider = nameAt(headerOf(headers, `${PREFIX}provider`), `${PREFIX}provider`)
  const config = `${PREFIX}config`
  const text = headerOf(headers, config)
  if (text !== undefined) {
    if (!/^\s*\{/.test(text))
      refuse(config, 'must be the config itself as JSON: one kept at Portkey under an id is not known here')
    draft.plan = configOf(
      jsonHeader(headers, config) ?? {},
      { model, provider: provider ?? null, keys },
      draft,
    )
  } else if (provider !== undefined && model !== null) {
    draft.first = wishOf(targetName(provider, model), 'config')
  }
}
