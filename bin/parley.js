#!/usr/bin/env node
// The command `parley`. In a fresh checkout it builds first, once: there are no install scripts that could have.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

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
