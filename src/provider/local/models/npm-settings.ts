/**
 * The user's npm settings, as far as a download needs them: registry, scope registries, credentials,
 * proxies and certificates, so that a company's mirror works for models as it does for `npm ci`. pacote
 * itself reads no settings. Order as npm's: environment, the project's `.npmrc`, the user's.
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** A blip is ridden out; a registry that is away is said to be so within seconds. */
const PATIENCE = {
  fetchRetries: 2,
  fetchRetryMintimeout: 500,
  fetchRetryMaxtimeout: 3_000,
  fetchTimeout: 60_000,
}

/** Options for pacote. May hold credentials: never log it. */
export async function npmSettings(
  env: Env = process.env,
  projectFolder: string = process.cwd(),
): Promise<Readonly<Record<string, unknown>>> {
  const user = await readRc(env['npm_config_userconfig'] ?? join(homedir(), '.npmrc'), env)
  const project = await readRc(join(projectFolder, '.npmrc'), env)
  const rc = { ...user, ...project, ...fromEnvironment(env) }
  const options: Record<string, unknown> = { userAgent: 'parley', ...PATIENCE }
  for (const [key, value] of Object.entries(rc)) {
    // `//host/:_authToken` and `@scope:registry` are taken by pacote under these very names.
    if (key.startsWith('//') || key.startsWith('@')) options[key] = value
  }
  if (rc['registry']) options['registry'] = rc['registry']
  if (rc['https-proxy'] ?? rc['proxy']) options['proxy'] = rc['https-proxy'] ?? rc['proxy']
  if (rc['noproxy']) options['noProxy'] = rc['noproxy']
  if (rc['strict-ssl'] === 'false') options['strictSSL'] = false
  if (rc['cafile']) options['ca'] = await readFile(rc['cafile'], 'utf8').catch(() => undefined)
  if (options['ca'] === undefined) delete options['ca']
  return options
}

/** `npm_config_https_proxy=…`, as npm hands its settings to scripts, in any case. */
function fromEnvironment(env: Env): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    const match = /^npm_config_(registry|https_proxy|proxy|noproxy|strict_ssl|cafile)$/i.exec(name)
    if (match?.[1] && value) found[match[1].toLowerCase().replace('_', '-')] = value
  }
  return found
}

async function readRc(path: string, env: Env): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const found: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (!match?.[1]) continue
    const value = (match[2] ?? '').replace(/^"(.*)"$/, '$1')
    found[match[1]] = value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole)
  }
  return found
}
