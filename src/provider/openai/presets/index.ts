/** Every OpenAI-compatible server that is known by name. */
import { canonicalProvider } from '../../../catalog/names.ts'
import { HOSTS } from './hosts.ts'
import { LOCAL } from './local.ts'
import { MAKERS } from './makers.ts'
import type { Preset } from './preset.ts'

export type { Preset } from './preset.ts'

export const PRESETS: ReadonlyMap<string, Preset> = new Map(
  Object.entries({ ...MAKERS, ...HOSTS, ...LOCAL }).sort(([a], [b]) => (a < b ? -1 : 1)),
)

/** By its name, or another that the catalogue has for it. */
export function presetOf(type: string): Preset | undefined {
  return PRESETS.get(type) ?? PRESETS.get(canonicalProvider(type))
}
