/** The provider that Parley makes of a started double's settings, by the packages that are installed here. */
import { join } from 'node:path'
import { realClock } from '../../src/clock.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { providersOf } from '../../src/providers.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { Started } from '../../src/testing/index.ts'

export function providerAt({ settings }: Started): Provider {
  const file = join(import.meta.dirname, 'parley.yaml')
  const read = parseSettings(JSON.stringify({ providers: { it: settings } }), file, { env: {} })
  const [provider] = providersOf(read, { clock: realClock, note: () => {} })
  if (!provider) throw new Error('its package is not installed')
  return provider
}
