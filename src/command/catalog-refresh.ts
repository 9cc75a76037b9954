/**
 * `parley catalog refresh`: fetches models.dev's list, or reads a file of its shape, and keeps it for this machine's servers.
 *
 *     address or file ─► at most MAX_REFRESH_BYTES ─► JSON ─► models that fit ─► whole file, in one step
 */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { request } from 'undici'
import { openScope } from '../cancel.ts'
import { fromModelsDev, NotACatalog } from '../catalog/models-dev.ts'
import { keepRefreshed, MAX_REFRESH_BYTES, refreshedFile } from '../catalog/refreshed.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { formatBytes } from './format.ts'
import { EXIT, systemCode, UserError } from './user-error.ts'

export const MODELS_DEV = 'https://models.dev/api.json'
/** A list of two megabytes over a slow line. */
const WITHIN_MS = 60_000
/** Of a refusal's body, read and thrown away so that the connection ends in order. */
const REFUSAL_BYTES = 64 * 1024

export interface RefreshOptions {
  readonly from?: string
}

export function describeRefresh(command: Command): Command {
  return command
    .description('fetch a newer list, for the servers of this machine; they use it from their next start')
    .option('--from <address or file>', `where from (default: ${MODELS_DEV})`)
}

export async function refreshCatalog(
  { from = MODELS_DEV }: RefreshOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, clock, env } = context
  const isAddress = /^https?:\/\//.test(from)
  const text = isAddress ? await fetchText(from, context) : await readText(from)
  const shown = isAddress ? withoutSecrets(from) : from
  const today = new Date(clock.wallMs()).toISOString().slice(0, 10)
  const { file, models, left } = converted(text, shown, today)
  const path = refreshedFile(env)
  try {
    keepRefreshed(path, file)
  } catch {
    throw new UserError(`${path} cannot be written.`)
  }
  const providers = Object.keys(file.providers).length
  terminal.line(`\n  ${models} models of ${providers} providers, kept in ${path}`)
  if (left > 0) terminal.line(`  ${left} did not fit and were left out.`)
  terminal.line('  Servers use them from their next start. To go back, remove the file.')
  return EXIT.ok
}

function converted(text: string, shown: string, today: string) {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new UserError(`${shown} is not JSON. The list that was there stays.`)
  }
  try {
    return fromModelsDev(json, shown.slice(0, 300), today)
  } catch (error) {
    if (!(error instanceof NotACatalog)) throw error
    throw new UserError(`${shown} ${error.message}. The list that was there stays.`)
  }
}

async function readText(path: string): Promise<string> {
  try {
    if (statSync(path).size > MAX_REFRESH_BYTES) throw tooLarge(path)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${path} cannot be read.`)
  }
}

async function fetchText(address: string, { clock, watchStop }: CommandContext): Promise<string> {
  const shown = withoutSecrets(address)
  const scope = openScope()
  const timer = clock.setTimer(WITHIN_MS, () => scope.cancel('deadline'))
  const unsubscribe = watchStop(() => scope.cancel('hangup'))
  try {
    const answer = await request(address, { signal: scope.signal, headers: { accept: 'application/json' } })
    if (answer.statusCode !== 200) {
      await answer.body.dump({ limit: REFUSAL_BYTES, signal: scope.signal }).catch(() => {})
      const hint =
        answer.statusCode < 400 ? 'Redirects are not followed: name the address it leads to.' : undefined
      throw new UserError(`${shown} answered with status ${answer.statusCode}.`, hint)
    }
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > MAX_REFRESH_BYTES) {
        answer.body.destroy()
        throw tooLarge(shown)
      }
      chunks.push(chunk)
    }
    return new TextDecoder().decode(Buffer.concat(chunks))
  } catch (error) {
    if (error instanceof UserError) throw error
    const code = systemCode(error)
    const why = scope.signal.aborted
      ? 'took too long, or was interrupted'
      : `cannot be reached${code ? ` (${code})` : ''}`
    throw new UserError(`${shown} ${why}.`, 'Fetch it elsewhere and name the file: --from FILE')
  } finally {
    timer.cancel()
    unsubscribe()
  }
}

function tooLarge(shown: string): UserError {
  return new UserError(
    `${shown} is larger than ${formatBytes(MAX_REFRESH_BYTES)}, which no list of models is.`,
  )
}

/** An address may hold a password or a signed query. */
function withoutSecrets(address: string): string {
  if (!URL.canParse(address)) throw new UserError('--from wants an address or a file.')
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname}`
}
