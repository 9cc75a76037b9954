/** Builds the page from its sources into a folder of the test's own, so that no test judges an old build. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

export interface BuiltPage {
  readonly root: string
  remove(): Promise<void>
}

export async function buildPage(): Promise<BuiltPage> {
  const root = await mkdtemp(join(tmpdir(), 'parley-page-'))
  await build({
    configFile: fileURLToPath(new URL('../../src/console/web/vite.config.ts', import.meta.url)),
    build: { outDir: root },
    mode: 'production',
    logLevel: 'error',
  })
  return { root, remove: () => rm(root, { recursive: true, force: true }) }
}
