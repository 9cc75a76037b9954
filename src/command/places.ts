/** Where settings and pipelines lie when nobody says. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const SETTINGS_FILE = 'parley.yaml'
const PIPELINES = 'pipelines'

/** The folder named, else `pipelines` here, else the ones that come with Parley. */
export function pipelinesFolder(named: string | undefined): string {
  if (named !== undefined || existsSync(PIPELINES)) return named ?? PIPELINES
  return fileURLToPath(new URL('../../pipelines', import.meta.url))
}
