#!/usr/bin/env node
// The command `parley`. In a fresh checkout it builds first, once: there are no install scripts that could have.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

// V8 takes to making objects of a busy path in the old space because some outlive a collection, and then all they point to does:
// a quarter of what a request allocates, and half its time (docs/decisions/2026-11-25-hot-path-objects.md).
setFlagsFromString('--no-allocation-site-pretenuring')

if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  console.error('Building Parley, once …')
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error(`Parley cannot be built. In ${cwd}: npm ci && npm run build`)
    process.exit(1)
  }
}

const { main } = await import('../dist/main.js')
await main(process.argv)
