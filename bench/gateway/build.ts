/** What must be there before the contenders of `bench:gateway` start: compiled floors, the built server, Portkey's package. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SHORT } from '../report.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OUT = fileURLToPath(new URL('./dist', import.meta.url))
const PORTKEY = fileURLToPath(new URL('./portkey', import.meta.url))
const PORTKEY_SERVER = `${PORTKEY}/node_modules/@portkey-ai/gateway/build/start-server.js`

/** Where Node's CPU profiles go. */
export const PROFILES = `${OUT}/profiles`

/** The floors' compiled script. Throws what the compiler says. */
export function buildFloor(): string {
  run('npx', ['tsc', '-p', fileURLToPath(new URL('./tsconfig.json', import.meta.url)), '--outDir', OUT])
  return `${OUT}/floor.js`
}

/** The server's command, built if a source is newer, so that what is measured is what the sources say. */
export function buildServer(): string {
  const built = statSync(`${ROOT}dist/main.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
  if (sources.some((file) => statSync(`${ROOT}src/${file}`).mtimeMs > built))
    run('npm', ['run', '--silent', 'build'])
  return `${ROOT}bin/parley.js`
}

/** Portkey's server; a sentence when it is not to be had. Installed on demand, but not in the short form. */
export function findPortkey(): { readonly script: string } | { readonly skipped: string } {
  if (existsSync(PORTKEY_SERVER)) return { script: PORTKEY_SERVER }
  if (SHORT)
    return { skipped: 'not installed, and not in the short form (npm ci --prefix bench/gateway/portkey)' }
  const { status, stderr } = spawnSync('npm', ['ci', '--prefix', PORTKEY, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
  })
  if (status === 0 && existsSync(PORTKEY_SERVER)) return { script: PORTKEY_SERVER }
  return { skipped: `npm ci --prefix bench/gateway/portkey failed: ${stderr.trim().split('\n')[0] ?? ''}` }
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`)
}
