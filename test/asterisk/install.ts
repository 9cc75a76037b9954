/**
 * A root folder with Asterisk from Debian unstable, since no stable release has it: made once by `npm run test:asterisk`, kept in
 * the user's cache. Needs root (chroot), `mmdebstrap` (`apt-get install mmdebstrap`) and a Debian mirror; takes 40 s and 350 MB.
 *
 *     PARLEY_ASTERISK_ROOT    another folder; one that holds an Asterisk is taken as it is
 *     PARLEY_DEBIAN_MIRROR    another mirror
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const ASTERISK_ROOT =
  process.env['PARLEY_ASTERISK_ROOT'] ?? join(homedir(), '.cache', 'parley', 'asterisk-sid')
/** Left out: mmdebstrap's own. */
const MIRROR = process.env['PARLEY_DEBIAN_MIRROR']

/** Why it cannot be run here; null: it can. */
export function missing(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root, for chroot'
  if (!existsSync(join(ASTERISK_ROOT, 'usr/sbin/asterisk')))
    return 'Asterisk is not installed (npm run test:asterisk)'
  return null
}

/** Makes the folder if it is not there. Why it could not, or null. */
function install(): string | null {
  const why = missing()
  if (why === null || !why.startsWith('Asterisk')) return why
  if (spawnSync('mmdebstrap', ['--version']).status !== 0)
    return 'it needs mmdebstrap (apt-get install mmdebstrap)'
  const partial = `${ASTERISK_ROOT}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(dirname(partial), { recursive: true })
  console.info(`making ${ASTERISK_ROOT}: 40 s`)
  const made = spawnSync(
    'mmdebstrap',
    [
      '--mode=root',
      '--variant=apt',
      '--include=asterisk,asterisk-modules',
      // Mirrors behind caches are often older than the week their lists are said to be valid; signatures are checked all the same.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      'sid',
      partial,
      ...(MIRROR === undefined ? [] : [MIRROR]),
    ],
    { stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8' },
  )
  if (made.status !== 0) {
    console.error(made.stderr)
    return 'mmdebstrap failed; it needs a Debian mirror'
  }
  renameSync(partial, ASTERISK_ROOT)
  return null
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const why = install()
  if (why !== null) console.info(`skipped: ${why}`)
}
